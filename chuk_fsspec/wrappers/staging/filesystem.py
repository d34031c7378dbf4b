"""``chukstage``: changes to a filesystem that are kept apart until they are committed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import tokenize

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.changes import Changes
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.operations import Operation
from chuk_fsspec.contract.whereabouts import Way, way_by_name
from chuk_fsspec.wrappers.base import WrapperFileSystem
from chuk_fsspec.wrappers.staging import committing, texts
from chuk_fsspec.wrappers.staging.bulk import Bulk
from chuk_fsspec.wrappers.staging.files import Files
from chuk_fsspec.wrappers.staging.names import Names
from chuk_fsspec.wrappers.staging.nodes import StageNodes
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.posix import PosixCalls
from chuk_fsspec.wrappers.staging.resolving import Resolver
from chuk_fsspec.wrappers.staging.stages import another_instance, home_of, name_of, overlay_at, overlay_for
from chuk_fsspec.wrappers.staging.transaction import StageTransaction

_KEPT_BY_BASE = (
    "directories",
    "symlinks",
    "hardlinks",
    "attributes",
    "xattrs",
    "special_files",
    "conditional_write",
)
"""What a stage can only offer if the base can keep it in the end."""


def stage(fs: AbstractFileSystem, **options: Any) -> StageFileSystem:
    """A stage over any fsspec filesystem; ours have a method ``stage`` that does the same.

    Args:
        fs: the filesystem.
        options: of ``StageFileSystem``.
    """
    made: StageFileSystem = StageFileSystem(fs=fs, **options)
    return made


class StageFileSystem(WrapperFileSystem):
    """A filesystem over another one, which is only read: what is changed here is kept in an upper filesystem.

    ``diff`` tells what was changed, ``commit`` carries it out below, ``abort`` drops it. Leaving a ``with`` block drops
    what was not committed, and ends the stage. A directory is taken over, by names and attributes, when it is first
    looked at; from then on the stage does not see what others add and remove there. Content is read from below, until
    it is changed here.
    """

    protocol = "chukstage"
    transaction_type = StageTransaction
    passes_nodes = True

    def __init__(
        self,
        fs: AbstractFileSystem | None = None,
        fo: str = "",
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        *,
        upper: Any = "",
        upper_options: Mapping[str, Any] | None = None,
        name: str = "",
        hidden_paths: Iterable[str] = (),
        follow_links: bool = True,
        overlay: Overlay | None = None,
        **kwargs: Any,
    ) -> None:
        """Open a stage.

        Args:
            fs: the filesystem that is staged; or
            fo: the path that a chained URL gives; paths come with each call, so it is not used.
            target_protocol: the protocol to make the filesystem of.
            target_options: its storage options.
            upper: where changes are kept: nothing for this process's memory; an absolute path for a chuksqlite
                database, in which an unfinished stage is found again after a crash; or any filesystem, or the URL of
                one, that is as capable and empty.
            upper_options: storage options of ``upper``.
            name: instances of one name in this process share a stage. Without one, those that are made of equal options
                do, and each that is made of a filesystem object is its own.
            hidden_paths: absolute paths of the base that the stage does not show: those of ``upper``, where that is one
                of the base's own files.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            overlay: the stage of which this is another view.
            kwargs: fsspec's own options.

        Raises:
            ValueError: without a filesystem or with two, and for an ``upper`` that cannot hold a stage.
            OSError: of either filesystem.
        """
        self._given = overlay
        self._key = name or ("" if fs is not None else tokenize(target_protocol, target_options, upper, upper_options))
        self._upper = upper, upper_options, hidden_paths
        self._follows = follow_links
        super().__init__(fs, fo, target_protocol, target_options, **kwargs)
        self._stage_calls(self._overlay)

    def _stage_calls(self, overlay: Overlay) -> None:
        resolver = Resolver(overlay)
        files = Files(self, overlay, resolver)
        names = Names(self, overlay, resolver)
        bulk = Bulk(self, overlay, resolver)
        posix = PosixCalls(self, overlay, resolver)
        self._resolver = resolver
        self._calls = {False: {**names.calls(), **files.calls(), **bulk.calls()}, True: posix.calls()}

    @property
    def overlay(self) -> Overlay:
        """What all views of this stage share."""
        return self._overlay

    @property
    def follows_links(self) -> bool:
        """Whether this view follows symbolic links."""
        return self._follows

    @property
    def is_in_transaction(self) -> bool:
        """Whether files that are written now wait for the end of a transaction."""
        return bool(self._intrans)

    # ---- what became of it

    def diff(self) -> Changes:
        """What was changed here: ``str`` of it is a listing for people."""
        self._overlay.require_open()
        return committing.diff(self._overlay)

    def text_diff(self, path: str, context: int = 3) -> str:
        """How a file differs from the base's, as unified text; empty if it does not.

        Args:
            path: absolute path, the new one of a file that was renamed.
            context: lines that are shown around each difference.
        """
        self._overlay.require_open()
        return texts.text_diff(self._overlay, self, self._normal(path), context)

    def commit(self, paths: str | Iterable[str] | None = None) -> Changes:
        """Carry changes out below: all of them or none. The stage goes on, without them.

        Args:
            paths: which; those below them are meant too, and taken along is what they cannot do without, such as the
                new directory of a new file. None for everything.

        Returns:
            What was carried out.

        Raises:
            StageConflict: ESTALE, with all paths that somebody else has changed, added or removed there since the stage
                first read or changed them. Nothing was done, nothing is lost.
            CommitIncomplete: EIO, if it failed half-way on a filesystem without transactions and could not all be taken
                back; it says what was applied.
            OSError: of the filesystem below, on which nothing has changed then; EROFS, ENOSPC.
        """
        self._overlay.require_open()
        if isinstance(paths, str):
            paths = [paths]
        chosen = None if paths is None else [str(self._normal(path)) for path in paths]
        return committing.commit(self._overlay, chosen)

    def abort(self) -> None:
        """Drop all changes. The stage goes on, and shows what is below."""
        self._overlay.require_open()
        self._overlay.start_afresh()

    def close(self) -> None:
        """Drop all changes and end the stage: a further call is ESTALE."""
        if not self._overlay.is_over:
            self._overlay.start_afresh()
            self._overlay.is_over = not self._key

    def __enter__(self) -> StageFileSystem:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StageFileSystem) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[str, bool]:
        return name_of(self._overlay), self._follows

    def __reduce__(self) -> tuple[Any, ...]:
        options = {key: value for key, value in self.storage_options.items() if key != "overlay"}
        lasts = capabilities_of(self._overlay.upper).shared_between_processes
        return _unpickle, (type(self), self.storage_args, options, None if lasts else home_of(self._overlay))

    # ---- what a wrapper says

    @property
    def fsid(self) -> str:
        """Names the stage; NotImplementedError where what lies below has no name."""
        return f"{self.protocol}-{self._overlay.base.fs.fsid}-{self._overlay.upper.fsid}"

    def ways(self, path: str) -> list[Way]:
        """Where a directory is (``contract.whereabouts``): in the stage, since nothing below it is changed."""
        return [way_by_name(self, path)]

    def _view(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        self._overlay = self._given or overlay_for(self._key, fs, *self._upper)
        upper = another_instance(self._overlay.upper)
        return upper if self._follows else upper.posix.nofollow

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        base = self._overlay.base.capabilities
        kept = {name: getattr(base, name) and getattr(capabilities, name) for name in _KEPT_BY_BASE}
        return dataclasses.replace(capabilities, **kept, write=True, snapshots=False, shared_between_processes=False)

    def _wrap_nodes(self, nodes: NodeOperations) -> NodeOperations:
        return StageNodes(self._overlay, nodes, self.capabilities)

    def _sibling(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        options = {**self.storage_options, "follow_links": False}
        if self._given or not self._key:
            options["overlay"] = self._overlay
        return type(self)(*self.storage_args, **options)

    # ---- the way in

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Have what the call needs taken over, then make it on the upper filesystem."""
        self._overlay.require_open()
        call = self._calls[operation.posix].get(operation.name, self.above)
        if not self._overlay.takes_turns:
            return call(operation, paths, arguments, options)
        with self._overlay.turns.step():
            return call(operation, paths, arguments, options)

    def above(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Make a call on the upper filesystem as it is."""
        return super()._perform(operation, paths, arguments, options)


def _unpickle(
    cls: type[StageFileSystem], args: tuple[Any, ...], options: dict[str, Any], home: tuple[str, int] | None
) -> StageFileSystem:
    """Rebuild an instance on its stage; where that is out of reach, one that says so as soon as it is used."""
    if home is None:
        return cls(*args, **options)
    fs: StageFileSystem = cls(*args, **{**options, "overlay": overlay_at(home), "skip_instance_cache": True})
    fs.storage_options = options
    return fs
