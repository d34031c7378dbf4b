"""Reading and writing single files."""

from __future__ import annotations

import io
import shutil
import stat
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from chuk_fsspec.contract.conditions import condition_of
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Operation
from chuk_fsspec.forwarding.files import ForwardingFile
from chuk_fsspec.wrappers.staging.calls import Call, Calls, Options, Paths
from chuk_fsspec.wrappers.staging.content import StageReader

_BUFFER = 256 * 1024


class Files(Calls):
    """Calls of fsspec that read or write one file."""

    def calls(self) -> dict[str, Call]:
        """What answers which operation."""
        return {
            "open": self.open,
            "cat_file": self.cat_file,
            "pipe_file": self.pipe_file,
            "touch": self.touch,
            "cp_file": self.cp_file,
        }

    # ---- reading

    def open(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        mode = options["mode"]
        if mode == "rb":
            self.resolver.target(paths[0])
            return self._open_to_read(operation, paths, arguments, options)
        self.target(paths[0], options)
        if mode in ("r+b", "a+b"):
            self.copy_up(paths[0], options)
        autocommit = options.pop("autocommit", not self.fs.is_in_transaction)
        file = self.above(operation, paths, arguments, {**options, "autocommit": True})
        writer = StageWriter(file, paths[0], mode, self._publisher(file, paths[0], mode), autocommit=autocommit)
        if not autocommit:
            self.fs.transaction.files.append(writer)
        return writer

    def _open_to_read(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        overlay = self.overlay
        with overlay.turns.step():
            file = self.above(operation, paths, arguments, options)
            shown = self.shown(paths[0])
            if shown is None:
                return file
            node, record = shown
            gaps = record.own.gaps(0, record.limit)
        pread = overlay.open_base(overlay.nodes, node, record)
        if record.seen.facts.size != file.size and not record.is_changed:  # it was changed underneath: look again
            file.close()
            return self._open_to_read(operation, paths, arguments, options)
        reader = StageReader(file, gaps, pread, record.origins[0])
        return ForwardingFile(SizedReader(reader), paths[0], "rb")

    def cat_file(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        if self.shown(paths[0]) is None:
            return self.above(operation, paths, arguments, options)
        with self._open_to_read(FSSPEC["open"], paths, (), {"mode": "rb"}) as file:
            start, stop, _ = slice(options.get("start"), options.get("end")).indices(file.size)
            file.seek(start)
            return file.read(max(stop - start, 0))

    # ---- writing

    def _publisher(self, file: Any, path: str, mode: str) -> Callable[[], None]:
        def publish() -> None:
            with self.overlay.turns.step():
                file.close()
                if "a" not in mode:
                    self.replaced(path)
                    return
                node = self.resolver.target(path)
                record = None if node is None else self.overlay.record_of(node.ino)
                if node is not None and record is not None:
                    self.overlay.wrote(self.overlay.nodes, node, record, record.limit, record.limit)

        return publish

    def pipe_file(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        if self.fs.is_in_transaction:
            mode = "wb" if options.pop("mode", "overwrite") == "overwrite" else "xb"
            with self.fs.open(paths[0], mode, **options) as file:
                file.write(arguments[0])
            return None
        self.target(paths[0], options)
        with self.overlay.turns.step():
            etag = self.above(operation, paths, arguments, options)
            self.replaced(paths[0])
        return etag

    def touch(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        truncate = options.pop("truncate")
        node = self.target(paths[0], options)
        if node is None or truncate:
            return self.fs.pipe_file(paths[0], b"", **options)
        return self.above(operation, paths, arguments, {**options, "truncate": False})

    def cp_file(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        self.settle()
        source, target = (self.target(path, options) for path in paths)
        is_another = source is not None and (target is None or source.ino != target.ino)
        with self.overlay.turns.step():
            if source is not None and is_another and self.shown(paths[0]) is not None:
                return self._copy_shown(paths, options, source)
            etag = self.above(operation, paths, arguments, options)
            if is_another:
                self.replaced(paths[1])
        return etag

    def _copy_shown(self, paths: Paths, options: Options, source: Node) -> Any:
        """Copy what is the base's without taking it over, so that the source keeps its etag."""
        wanted = condition_of(options.pop("if_source_match", None))
        if wanted is not None:
            wanted.require(paths[0], self.etag(paths[0]))
        with ExitStack() as stack:
            file = stack.enter_context(self._open_to_read(FSSPEC["open"], paths[:1], (), {"mode": "rb"}))
            options = {**options, "mode": "wb", "autocommit": True}
            copy = stack.enter_context(self.open(FSSPEC["open"], paths[1:], (), options))
            shutil.copyfileobj(file, copy, _BUFFER)
        self.above(POSIX["chmod"], paths[1:], (), {"mode": stat.S_IMODE(source.mode)})
        return copy.etag


class SizedReader(io.BufferedReader):
    """A ``StageReader`` with a buffer."""

    def __init__(self, raw: StageReader) -> None:
        super().__init__(raw, _BUFFER)
        self.size = raw.size


class StageWriter(ForwardingFile):
    """A file that is written: published when it is closed, or when the transaction ends.

    Args:
        file: the file of the upper filesystem; closing it publishes it.
        path: absolute normal path.
        mode: as it was opened.
        publish: closes it and notes what it has replaced.
        autocommit: whether closing publishes.
    """

    def __init__(self, file: Any, path: str, mode: str, publish: Callable[[], None], *, autocommit: bool) -> None:
        super().__init__(file, path, mode)
        self._publish = publish
        self._is_dropped = False
        self.autocommit = autocommit

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        if not self._is_dropped:
            self._is_dropped = True
            super().discard()
            if self.closed:
                self._publish_nothing()

    def commit(self) -> None:
        """Publish a closed file that waited for this. FileExistsError for ``x`` if somebody was faster; ENOSPC."""
        if not self._is_dropped:
            self._publish()

    def close(self) -> None:
        """Publish, or wait for ``commit``."""
        if self.closed:
            return
        try:
            if self._is_dropped:
                self._publish_nothing()
            elif self.autocommit:
                self._publish()
        finally:
            io.BufferedIOBase.close(self)

    def _publish_nothing(self) -> None:
        super().close()
