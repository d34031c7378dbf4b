"""Reading and writing single files."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable
from typing import Any

from chuk_fsspec.contract.operations import FSSPEC, Operation
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
        if mode in ("r+b", "a+b"):
            self.copy_up(paths[0])
        self.resolver.target(paths[0])
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

    def pipe_file(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        if self.fs.is_in_transaction:
            mode = "wb" if options.pop("mode", "overwrite") == "overwrite" else "xb"
            with self.fs.open(paths[0], mode, **options) as file:
                file.write(arguments[0])
            return
        self.resolver.target(paths[0])
        with self.overlay.turns.step():
            self.above(operation, paths, arguments, options)
            self.replaced(paths[0])

    def touch(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        node = self.resolver.target(paths[0])
        if node is None or options["truncate"]:
            self.fs.pipe_file(paths[0], b"")
        else:
            self.above(operation, paths, arguments, options)

    def cp_file(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self.settle()
        source, target = (self.resolver.target(path) for path in paths)
        if source is not None and stat.S_ISREG(source.mode):
            self.copy_up(paths[0])
        with self.overlay.turns.step():
            self.above(operation, paths, arguments, options)
            if source is not None and (target is None or source.ino != target.ino):
                self.replaced(paths[1])


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
