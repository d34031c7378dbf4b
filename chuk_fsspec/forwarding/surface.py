"""The fsspec surface of a filesystem that has no files of its own: every call becomes one of ``_forward``.

What fsspec derives from other operations is inherited, or written here on top of them, and so passes ``_forward`` too.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.utils import stringify_path

from chuk_fsspec.contract.arguments import refuse_depth, require_writing_mode
from chuk_fsspec.contract.conditions import Etags, arguments_of, conditions_by_path, remove_each, require_change
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.expansion import Paths, matches, move_pairs, takes_inside
from chuk_fsspec.contract.layering import layers_of
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Kind, Operation, Returns
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.forwarding.conditions import NAMES, etag_in, refuse, require_for_directory, taken_from
from chuk_fsspec.forwarding.files import ForwardingFile
from chuk_fsspec.forwarding.looking import LookingSurface
from chuk_fsspec.forwarding.planning import pairs_of
from chuk_fsspec.forwarding.transaction import ForwardedTransaction

OPEN_ASYNC = Operation("open_async", Kind.KERNEL, Effect.READ, ("path",), raised_by="mode", returns=Returns.HANDLE)
"""What asynchronous filesystems have beside the names of ``AbstractFileSystem``."""


class ForwardingFileSystem(LookingSurface):
    """A filesystem made of others. A subclass says in ``_perform`` what becomes of an operation."""

    transaction_type = ForwardedTransaction

    # ---- opening

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Open a file: ``r w a x``, binary (``b``) or text, and with ``+`` where the filesystem below can.

        Args:
            path: absolute path or URL.
            mode: as Python's ``open``.
            block_size: bytes that are fetched at a time, where something is fetched.
            cache_options: of the filesystem below.
            compression: a codec's name, or "infer" from the path's ending.
            kwargs: ``encoding``, ``errors`` and ``newline`` for text; ``if_match`` and ``if_none_match`` for writing;
                others are for the filesystem below.

        Returns:
            A file object; of what was written, its ``etag`` is known once it is closed, where it is known at all.

        Raises:
            OSError: ENOENT, EEXIST for ``x``, EISDIR, ENOTDIR; when closing, ENOSPC.
            PreconditionFailed: now or when closing, with nothing published.
            ValueError: for an unknown mode or codec.
        """
        layers = layers_of(stringify_path(path), mode, compression, kwargs)
        if block_size is not None:
            kwargs["block_size"] = block_size
        if cache_options is not None:
            kwargs["cache_options"] = cache_options
        return layers.over(self._open(path, layers.mode, **kwargs))

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        asked = self._asked(kwargs, path)
        if asked:
            require_change(mode)
        file = self._forward(FSSPEC["open"], path, mode=mode, **asked, **kwargs)
        if isinstance(file, ForwardingFile):
            file.note_opener(self, kwargs)
        return file

    async def open_async(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        """Open a file for asynchronous reading or writing, where the filesystem below is asynchronous. ENOTSUP."""
        refuse(taken_from(kwargs), path)
        return await self._forward(OPEN_ASYNC, path, mode=mode, **kwargs)

    # ---- writing

    def pipe_file(self, path: str, value: Buffer, mode: str = "overwrite", **kwargs: Any) -> str | None:
        """Write a whole file in one step; ``mode="create"`` refuses one that exists.

        Args:
            path: where to.
            value: the content.
            mode: "overwrite" or "create".
            kwargs: ``if_match``, the etag that the file has to have, or ``*`` if there has to be one;
                ``if_none_match``, the etag that it must not have, or ``*`` if nothing may be there; others are for the
                filesystem below.

        Returns:
            The new etag; None in a transaction, and where the filesystem below does not tell.

        Raises:
            OSError: EEXIST, EISDIR, ENOTDIR, ENOSPC; ENOTSUP for conditions that the filesystem below does not keep.
            PreconditionFailed: with nothing done.
        """
        require_writing_mode(mode)
        asked = self._asked(kwargs, path)
        return etag_in(self._forward(FSSPEC["pipe_file"], path, value, mode=mode, **asked, **kwargs))

    def pipe(self, path: Any, value: Any = None, **kwargs: Any) -> None:
        """Write one file, or each of a dict from path to content.

        ``if_match`` and ``if_none_match`` are as for ``pipe_file``, or dicts from path to etag, with None for what is
        written in any case. All are looked at before the first file is written.
        """
        contents: dict[str, Any] = path if isinstance(path, dict) else {path: value}
        asked = self._asked(kwargs, *contents)
        if asked:
            values = {self._normal(one): data for one, data in contents.items()}
            for one, condition in conditions_by_path(self, values, **asked).items():
                self.pipe_file(one, values[one], **arguments_of(condition), **kwargs)
        elif len(contents) == 1:
            [(one, data)] = contents.items()
            self.pipe_file(one, data, **kwargs)
        elif contents:
            self._forward(FSSPEC["pipe"], list(contents), list(contents.values()), **kwargs)

    def put(
        self,
        lpath: Any,
        rpath: Any,
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Upload files by fsspec's copying rules; of two lists, each path goes to its counterpart."""
        pairs = pairs_of(self, "put", lpath, rpath, recursive=recursive, maxdepth=maxdepth)
        if pairs:
            sources, targets = map(list, zip(*pairs, strict=True))
            asked = self._asked(kwargs, *targets)
            self._forward(FSSPEC["put"], targets, sources, callback=callback, **asked, **kwargs)

    def put_file(
        self, lpath: Any, rpath: str, callback: Callback = DEFAULT_CALLBACK, mode: str = "overwrite", **kwargs: Any
    ) -> str | None:
        """Upload a local file, or make a directory for a local one; ``mode="create"`` refuses a file that exists.

        Conditions and what is returned are as for ``pipe_file``; for a directory there is nothing to return.
        """
        return etag_in(self._put_by_opening(lpath, rpath, callback, mode, **kwargs))

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> str | None:
        """Make an empty file, or empty one that is there; ``truncate=False`` only stamps it with the time.

        Conditions and what is returned are as for ``pipe_file``.
        """
        asked = self._asked(kwargs, path)
        return etag_in(self._forward(FSSPEC["touch"], path, truncate=truncate, **asked, **kwargs))

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> str | None:
        """Copy one file, or make a directory of the same name.

        ``if_match`` and ``if_none_match`` are conditions of the target, and what is returned is its etag, as for
        ``pipe_file``; ``if_source_match`` is the etag that the source has to have.
        """
        asked = self._asked(kwargs, path2)
        return etag_in(self._forward(FSSPEC["cp_file"], path1, path2, **asked, **kwargs))

    def copy(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        on_error: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy files by fsspec's copying rules; of two lists, each path goes to its counterpart.

        Args:
            path1: a path, a pattern, or a list of them.
            path2: where to; a slash at the end makes it a directory.
            recursive: copy directories with what they hold.
            maxdepth: levels to go down.
            on_error: "ignore" files that vanish meanwhile (the default if ``recursive``), or "raise".
            kwargs: conditions of each file, as for ``cp_file``; others are for the filesystem below.
        """
        pairs = pairs_of(self, "copy", path1, path2, recursive=recursive, maxdepth=maxdepth)
        on_error = on_error or ("ignore" if recursive else "raise")
        asked = self._asked(kwargs, *[target for _, target in pairs])
        if asked:
            vanishing = (FileNotFoundError,) if on_error == "ignore" else ()
            for source, target in pairs:
                with suppress(*vanishing):
                    self.cp_file(source, target, **asked, **kwargs)
        elif pairs:
            sources, targets = map(list, zip(*pairs, strict=True))
            self._forward(FSSPEC["copy"], sources, targets, on_error=on_error, **kwargs)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        self._forward(FSSPEC["mkdir"], path, create_parents=create_parents, **kwargs)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; one that exists is an error unless ``exist_ok``."""
        self._forward(FSSPEC["makedirs"], path, exist_ok=exist_ok)

    # ---- removing and moving

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. OSError ENOTEMPTY, NotADirectoryError."""
        self._forward(FSSPEC["rmdir"], path)

    def rm_file(self, path: str, *, if_match: str | None = None) -> None:
        """Remove a file or link.

        Args:
            path: what is removed.
            if_match: the etag that it has to have, or ``*`` for any.

        Raises:
            OSError: ENOENT, EISDIR for a directory, EINVAL for the etag of a link, ENOTSUP for a condition that the
                filesystem below does not keep.
            PreconditionFailed: with nothing done; also if nothing is there.
        """
        self._forward(FSSPEC["rm_file"], path, **self._asked({"if_match": if_match}, path))

    def rm(self, path: Paths, recursive: bool = False, maxdepth: int | None = None, *, if_match: Etags = None) -> None:
        """Remove files, and directories with all they hold if ``recursive``; links are removed, not followed.

        Args:
            path: a path, a glob pattern, or a list of them.
            recursive: allow directories.
            maxdepth: with ``recursive``, remove only files this many levels down.
            if_match: remove files and links only, each on the condition of ``rm_file``; or a dict from path to etag.

        Raises:
            OSError: ENOENT, EISDIR for a directory without ``recursive`` or with ``if_match``.
            PreconditionFailed: with nothing done, unless the file was changed after the first one was removed.
        """
        paths = matches(self, path)
        if self._asked({"if_match": if_match}, *paths):
            remove_each(self, paths, if_match)
            return
        self._forward(FSSPEC["rm"], paths, recursive=recursive, maxdepth=maxdepth)

    def mv(self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any) -> None:
        """Move files and directories by fsspec's copying rules, each in one step where the filesystem can ``rename``.

        Args:
            path1: what is moved: a path, a pattern, or a list of them.
            path2: where to.
            recursive: allow directories, where the filesystem cannot ``rename``.
            maxdepth: None.
            kwargs: ``if_match``, the etag that the source has to have, or ``*`` for any; ``if_none_match``, the etag
                that the target must not have, or ``*`` if nothing may be there; ``if_target_match``, the etag that it
                has to have; others are for the filesystem below.

        Raises:
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds; ENOTSUP
                for conditions that the filesystem below does not keep.
            PreconditionFailed: with nothing done.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        refuse_depth(maxdepth)
        pairs = move_pairs(self, path1, path2)
        asked = self._asked(kwargs, *[source for source, _ in pairs])
        for source, target in pairs:
            self._move(source, target, recursive, **asked, **kwargs)

    def _move(self, source: str, target: str, recursive: bool, **kwargs: Any) -> None:
        if is_inside(target, source) and self.info(source)["type"] == "directory":
            raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
        if not self.capabilities.rename:
            refuse(taken_from(kwargs), source)
            super().mv(source, target, recursive=recursive, **kwargs)
        elif takes_inside(self, target):
            require_for_directory(self, source, target, kwargs)
            # The target is meant as it is; mv would go inside once more.
            self._forward(POSIX["rename"], source, target, flags=0)
        else:
            self._forward(FSSPEC["mv"], source, target, **kwargs)

    # ---- transactions

    def start_transaction(self) -> Any:
        """Begin a transaction without a ``with`` block; ``end_transaction`` commits it."""
        self.transaction.start()
        return self.transaction

    # ---- conditions

    def _asked(self, options: dict[str, Any], *paths: str) -> dict[str, Any]:
        """Take the conditions of a call out of its options. ENOTSUP if they would be left out for one of the paths."""
        if NAMES.isdisjoint(options):
            return {}
        asked = taken_from(options)
        for path in map(self._normal, paths) if asked else ():
            if not self._keeps_conditions(path):
                refuse(asked, path)
        return asked

    def _keeps_conditions(self, path: str) -> bool:
        """Whether what lies below looks at conditions of a normal path."""
        return self.capabilities.conditional_write

    # ---- how it shows itself
