"""A wrapper: a filesystem over one other, which nobody can reach but through ``_perform``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from fsspec import AbstractFileSystem, filesystem
from fsspec.implementations.dirfs import DirFileSystem

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.errors import not_found, not_supported
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.operations import Effect, Operation, Returns
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.contract.whereabouts import Way, ways_of
from chuk_fsspec.forwarding.files import ForwardingFile, ForwardingHandle, ForwardingStream
from chuk_fsspec.forwarding.names import form_of
from chuk_fsspec.forwarding.surface import OPEN_ASYNC, ForwardingFileSystem

_INNER_OPTIONS = frozenset({"fs", "fo", "target_protocol", "target_options"})


class OwnInstances(type(AbstractFileSystem)):  # type: ignore[misc]
    """Gives a filesystem that is passed as an object a wrapper of its own.

    fsspec keeps instances by the text of their arguments, and two filesystems may look alike in text: one would get the
    wrapper of the other.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an instance, or find it where the arguments are plain values."""
        if any(isinstance(one, AbstractFileSystem) for one in (*args[:1], kwargs.get("fs"))):
            kwargs["skip_instance_cache"] = True
        return super().__call__(*args, **kwargs)


class WrapperFileSystem(ForwardingFileSystem, metaclass=OwnInstances):
    """Hands every operation on to one private filesystem, if ``_authorise`` lets it.

    A subclass overrides the hooks. Whatever it does not mention is forwarded, except inode operations and readers by
    name, which know no paths: those are handed on only where ``passes_nodes`` and ``passes_readers`` say so.
    """

    protocol = "wrapper"
    passes_nodes = False
    """Whether doors may use the inode operations of the inner filesystem as they are."""
    passes_readers = False
    """Whether files may be read by the short way of the inner filesystem as it is."""

    def __init__(
        self,
        fs: AbstractFileSystem | None = None,
        fo: str = "",
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Wrap a filesystem.

        Args:
            fs: the filesystem; or
            fo: the path that a chained URL gives; paths come with each call, so it is not used.
            target_protocol: the protocol to make the filesystem of.
            target_options: its storage options.
            kwargs: fsspec's own options.

        Raises:
            ValueError: without a filesystem, with two, or with one that is bound to a running event loop.
        """
        super().__init__(**kwargs)
        if (fs is None) == (target_protocol is None):
            raise ValueError("give either fs, a filesystem, or target_protocol, the name of one")
        inner: Any = fs
        if target_protocol is not None:
            inner = filesystem(target_protocol, **(target_options or {}))
        if getattr(inner, "asynchronous", False):
            raise ValueError("fs was made with asynchronous=True; make it without, its calls run on fsspec's own loop")
        self.__inner = self._view(inner)
        self.__form = form_of(self.__inner)
        self.__name = repr(inner)
        self._refuses = type(self)._authorise is not WrapperFileSystem._authorise  # noqa: SLF001 - a hook of this class
        # What the filesystem below does to itself as a whole is not a wrapper's to do, and its nodes forward no files
        # that are made at once. What it reads may come from elsewhere, where nobody looks at the version.
        inherited = dataclasses.replace(
            capabilities_of(self.__inner), snapshots=False, versions=False, versioned_reads=False, whole_files=False
        )
        self.capabilities = self._offer(inherited)

    @property
    def fsid(self) -> str:
        """Names the wrapper and the store below. NotImplementedError where that has no name."""
        return f"{self.protocol}-{self.__inner.fsid}"

    def ways(self, path: str) -> list[Way]:
        """Where a directory is (``contract.whereabouts``). ENOENT for one that is not shown."""
        normal = self._normal(path)
        if not self.isdir(normal):
            raise not_found(normal)
        return ways_of(self.__inner, normal if self.__form.is_ours else self.__form.inward(normal))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__name})"

    # ---- what subclasses say

    def _view(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        """Which view of the given filesystem is kept."""
        return fs

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        """What remains of the capabilities of the inner filesystem."""
        return dataclasses.replace(capabilities, nodes=capabilities.nodes and self.passes_nodes)

    def _authorise(self, operation: Operation, path: str, effect: Effect) -> None:
        """Refuse by raising an OSError. Called for each path of an operation before anything is done.

        Args:
            operation: what is asked.
            path: a normal path; ``/`` for what concerns the filesystem as a whole.
            effect: what happens to this path.
        """

    def _wrap_file(self, file: Any, path: str, mode: str) -> Any:
        """A binary file on its way out."""
        return ForwardingFile(file, path, mode)

    def _wrap_handle(self, handle: Handle, path: str, flags: int) -> Handle:
        """A handle of ``open_handle`` on its way out."""
        return ForwardingHandle(handle)

    def _wrap_nodes(self, nodes: NodeOperations) -> NodeOperations:
        """Inode operations on their way out."""
        if not self.passes_nodes:
            raise not_supported("inode operations")
        return nodes

    def _wrap_reader(self, reader: Callable[[str], bytes | None], directory: str) -> Callable[[str], bytes | None]:
        """A reader by name on its way out."""
        if not self.passes_readers:
            raise not_supported("reading by name", directory)
        return reader

    def _sibling(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        """The same wrapper over another view of the inner filesystem."""
        options = {key: value for key, value in self.storage_options.items() if key not in _INNER_OPTIONS}
        return type(self)(fs=fs, **options)

    # ---- the only door

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Authorise, call, and wrap what comes back."""
        self._authorise_all(operation, paths, options)
        inner, form = self.__inner, self.__form
        if operation is OPEN_ASYNC and not inner.async_impl:
            raise not_supported("open_async: the filesystem below is not asynchronous", paths[0])
        if operation.posix:
            result = self._perform_posix(inner, operation, paths, options)
        else:
            asked = _method(inner, operation.name)
            if operation.name == "transaction":
                return asked
            translated = paths if form.is_ours else [form.inward(path) for path in paths]
            if operation.name == "pipe":
                translated, arguments = [dict(zip(translated[0], arguments[0], strict=True))], ()
            elif operation.name == "put":
                translated, arguments = [arguments[0], *translated], ()
            result = asked(*translated, *arguments, **options)
            if not form.is_ours:
                result = form.outward(operation, result)
        return self._wrapped(operation, paths, result, options) if operation.returns is Returns.HANDLE else result

    def _perform_posix(self, inner: Any, operation: Operation, paths: tuple[str, ...], options: dict[str, Any]) -> Any:
        posix = getattr(inner, "posix", None)
        if posix is None:
            raise not_supported(operation.name, *paths[:1])
        if operation.name == "nofollow":
            return self._sibling(posix.nofollow)
        asked = getattr(posix, operation.name)
        return (
            asked if operation.name == "nodes" else asked(**dict(zip(operation.paths, paths, strict=True)), **options)
        )

    def _authorise_all(self, operation: Operation, paths: tuple[Any, ...], options: dict[str, Any]) -> None:
        if operation.effect is Effect.NONE or not self._refuses:
            return
        effect = operation.effect_in(options) if operation.raised_by else operation.effect
        if not paths:
            self._authorise(operation, "/", effect)
        for parameter, path in zip(operation.paths, paths, strict=True):
            own = Effect.READ if parameter in operation.reads else effect
            if isinstance(path, list):
                for one in path:
                    self._authorise(operation, one, own)
            else:
                self._authorise(operation, path, own)

    def _wrapped(self, operation: Operation, paths: tuple[Any, ...], result: Any, options: dict[str, Any]) -> Any:
        """Wrap what acts on the filesystem later."""
        if operation is OPEN_ASYNC:
            return _wrapped_stream(result, paths[0], options["mode"])
        if operation.name == "open":
            return self._wrap_file(result, paths[0], options["mode"])
        if operation.name == "open_handle":
            return self._wrap_handle(result, paths[0], options["flags"])
        if operation.name == "reader":
            return self._wrap_reader(result, paths[0])
        assert operation.name == "nodes"
        return self._wrap_nodes(result)


async def _wrapped_stream(opening: Any, path: str, mode: str) -> ForwardingStream:
    return ForwardingStream(await opening, path, mode)


def _method(fs: AbstractFileSystem, name: str) -> Any:
    if (
        name == "cat_ranges"
        and isinstance(fs, DirFileSystem)
        and name not in vars(DirFileSystem)
        and not fs.fs.async_impl
    ):
        # That of fsspec before 2026 awaits the filesystem below, even if that is not asynchronous.
        return partial(AbstractFileSystem.cat_ranges, fs)
    return getattr(fs, name)
