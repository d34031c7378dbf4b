"""What the filesystems of this family answer alike, by way of what each answers in its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from fsspec import AbstractFileSystem, filesystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract import globbing
from chuk_fsspec.contract.arguments import open_mode
from chuk_fsspec.contract.conditions import Condition, Etags, condition_of, given, pipe_each, require_change
from chuk_fsspec.contract.display import as_html
from chuk_fsspec.contract.errors import omit_unless_link
from chuk_fsspec.contract.layering import layers_of
from chuk_fsspec.contract.paths import split, strip_protocol
from chuk_fsspec.contract.posix import Buffer


class Surface(AbstractFileSystem):
    """The part of every filesystem here that does not depend on where its files are."""

    root_marker = "/"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return strip_protocol(path, (cls.protocol,) if isinstance(cls.protocol, str) else cls.protocol)

    @classmethod
    def _parent(cls, path: str) -> str:
        parent, _ = split(cls._strip_protocol(path))
        return parent

    def walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> Iterator[Any]:
        """Directory, names of its directories and names of all else, from a path down, as ``os.walk``.

        Args:
            path: where to start.
            maxdepth: levels to go down, at least 1; None for all.
            topdown: a directory before what it holds, or after.
            on_error: "omit" what cannot be listed, unless a link is in the way; "raise"; or a function to call with the
                error.
            kwargs: ``detail=True`` for dicts from name to info instead of names.
        """
        if on_error == "omit":
            on_error = omit_unless_link
        walked: Iterator[Any] = super().walk(path, maxdepth, topdown, on_error, **kwargs)
        return walked

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """What matches a pattern, by fsspec's rules (``contract.globbing``)."""
        return globbing.glob(self, path, maxdepth, **kwargs)

    def stage(self, **options: Any) -> AbstractFileSystem:
        """A stage over this filesystem: what is changed there stays there until it is committed (``chukstage``).

        Args:
            options: of ``StageFileSystem``, for example ``upper="/data/stage.db"`` for one that outlives the process.
        """
        return filesystem("chukstage", fs=self, **options)

    def _pipe_by_opening(self, path: str, value: Buffer, mode: str, **options: Any) -> str | None:
        """``pipe_file`` through ``open``, and so at the end of a transaction that is under way; returns the etag."""
        with self.open(path, open_mode(mode), **options) as file:
            file.write(value)
        etag: str | None = file.etag
        return etag

    def _put_by_opening(self, lpath: Any, rpath: str, callback: Callback, mode: str, **options: Any) -> str | None:
        """``put_file`` through ``open``; returns the etag, None for a directory."""
        if os.path.isdir(lpath):
            self.makedirs(rpath, exist_ok=True)
            return None
        with open(lpath, "rb") as source, self.open(rpath, open_mode(mode), **options) as target:
            callback.set_size(os.fstat(source.fileno()).st_size)
            while data := source.read(self.blocksize):
                callback.relative_update(target.write(data))
        etag: str | None = target.etag
        return etag

    def _rm(self, path: str) -> None:
        self.rm_file(path)

    def _repr_html_(self) -> str:
        """Shown by notebooks."""
        return as_html(self)

    def _get_pyarrow_filesystem(self) -> AbstractFileSystem:
        return self


class LeafSurface(Surface):
    """The same of a filesystem that has files of its own, and is not made of others."""

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Open a file: ``r w a x``, with ``+``, binary (``b``) or text.

        What is written is published when the file is closed: whole, in one step, or not at all if the ``with`` block
        fails. To edit in place and be seen at once, use ``posix.open_handle`` where the filesystem has it.

        Args:
            path: absolute path or URL.
            mode: as Python's ``open``.
            block_size: bytes that are read ahead, where something is fetched; None for those of the filesystem.
            cache_options: ignored.
            compression: a codec's name, or "infer" from the path's ending.
            kwargs: ``encoding``, ``errors`` and ``newline`` for text; ``if_match`` and ``if_none_match`` for writing,
                with ``content_type`` and ``metadata`` on remote filesystems.

        Returns:
            A file object; of what was written, its ``etag`` is known once it is closed.

        Raises:
            OSError: ENOENT, EEXIST for ``x``, EISDIR, ENOTDIR, EINVAL for a FIFO or a device, EROFS; ENOSPC, also when
                closing; while reading, ESTALE if a file that is fetched was replaced.
            PreconditionFailed: now or when closing, with nothing published.
            ValueError: for an unknown mode.
        """
        path = self._strip_protocol(path)
        layers = layers_of(path, mode, compression, kwargs)
        autocommit = kwargs.pop("autocommit", not self._intrans)
        condition = condition_of(kwargs.pop("if_match", None), kwargs.pop("if_none_match", None))
        if condition is not None:
            require_change(layers.mode)
        at_once = condition if autocommit else None
        file = self._open(path, layers.mode, block_size, autocommit, cache_options, condition=at_once, **kwargs)
        if condition is not None:
            file.condition = condition
        if not autocommit and layers.mode != "rb":
            self.transaction.files.append(file)
        return layers.over(file)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        condition: Condition | None = None,
        **kwargs: Any,
    ) -> Any:
        """Open a binary file.

        Args:
            path: absolute and normal.
            mode: one of the binary modes.
            block_size: as for ``open``.
            autocommit: publish when closing; else when the transaction ends.
            cache_options: ignored.
            condition: what has to be there now: what could not be published need not be written.
            kwargs: what is kept with the file, where the filesystem keeps something.
        """
        raise NotImplementedError

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Ranges of files; there is nothing to merge here, so ``max_gap`` changes no result."""
        ranges: list[Any] = super().cat_ranges(paths, starts, ends, on_error=on_error, **kwargs)
        return ranges

    def pipe(
        self,
        path: str | dict[str, Any],
        value: Any = None,
        *,
        if_match: Etags = None,
        if_none_match: Etags = None,
        **kwargs: Any,
    ) -> None:
        """Write one file, or each of a dict from path to content in a step of its own.

        Args:
            path: a path, or a dict.
            value: the content for one path.
            if_match: as for ``pipe_file``; or a dict from path to etag, with None for what is written in any case.
            if_none_match: likewise.
            kwargs: ignored.

        Raises:
            PreconditionFailed: with nothing done, unless the file was changed after the first one was written.
            ValueError: for a path without an etag.
        """
        pipe_each(self, path if isinstance(path, dict) else {path: value}, if_match, if_none_match)

    def put_file(
        self,
        lpath: Any,
        rpath: str,
        callback: Callback = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Upload a local file, or make a directory for a local one; ``mode="create"`` refuses a file that exists.

        Conditions and what is returned are as for ``pipe_file``; for a directory there is nothing to return.
        """
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        return self._put_by_opening(lpath, rpath, callback, mode, **conditions)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; one that exists is an error unless ``exist_ok``."""
        try:
            self.mkdir(path)
        except FileExistsError:
            if not (exist_ok and self.isdir(path)):
                raise
