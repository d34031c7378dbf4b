"""Open files on record: counted while they are used, recorded when they are closed, at once where something fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.forwarding.files import ForwardingFile, ForwardingHandle, ForwardingStream
from chuk_fsspec.wrappers.audit.recorder import CHANGES, Call, Recorder, Target


class Tally:
    """What was done with one open file, from the call that opened it to its end.

    Args:
        recorder: where it is recorded.
        opening: the call that opened it; its one target is the file.
    """

    def __init__(self, recorder: Recorder, opening: Call) -> None:
        self._recorder = recorder
        self._opening = opening
        self._detail = dict(opening.detail)
        self.changes = opening.effect in CHANGES
        self.read = 0
        self.written = 0

    def check_ready(self) -> None:
        """Refuse a change that could not be recorded."""
        if self.changes:
            self._recorder.log.check_ready()

    def note(self, name: str, value: str | int | bool) -> None:
        """Have something stand in the last record."""
        self._detail[name] = value

    def step(self, operation: str) -> Step:
        """A block in which one step is done; if it fails, that is recorded at once."""
        return Step(self, operation)

    def failed(self, operation: str, error: BaseException) -> None:
        """Record a step that failed."""
        self._recorder.end(self._call(operation), error)

    @contextmanager
    def recorded(self, operation: str) -> Iterator[None]:
        """A block that closes or publishes the file: recorded, with what there was."""
        call = self._call(operation)
        error: BaseException | None = None
        try:
            yield
        except BaseException as problem:
            error = problem
            raise
        finally:
            self._count(call.targets[0])
            self._recorder.end(call, error)

    def _count(self, target: Target) -> None:
        target.bytes_read = self.read if self.read or not self.changes else None
        if self.changes:
            target.bytes_written = self.written
            target.after = self._recorder.state_of(target.path)

    def _call(self, operation: str) -> Call:
        opening = self._opening
        prefix = opening.operation[: opening.operation.find(".") + 1]
        target = Target(opening.targets[0].path, before=opening.targets[0].before)
        return Call(f"{prefix}{operation}", opening.effect, [target], self._detail, opening.name)


class Step:
    """One step of an open file."""

    __slots__ = ("_operation", "_tally")

    def __init__(self, tally: Tally, operation: str) -> None:
        self._tally = tally
        self._operation = operation

    def __enter__(self) -> None:
        pass

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._tally.failed(self._operation, error)


class AuditFile(ForwardingFile):
    """A binary file of ``open``."""

    def __init__(self, file: Any, path: str, mode: str, tally: Tally) -> None:
        super().__init__(file, path, mode)
        self._tally = tally
        self._is_discarded = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes, counted."""
        with self._tally.step("read"):
            data = super().read(size)
        self._tally.read += len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """As ``read``."""
        with self._tally.step("read"):
            data = super().read1(size)
        self._tally.read += len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer, counted."""
        with self._tally.step("read"):
            number = super().readinto(buffer)
        self._tally.read += number or 0
        return number

    def readinto1(self, buffer: Any, /) -> int:
        """As ``readinto``."""
        return self.readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line, counted once, however it is read."""
        before = self._tally.read
        with self._tally.step("read"):
            line = super().readline(size)
        self._tally.read = before + len(line)
        return line

    def write(self, data: Buffer, /) -> int:  # type: ignore[override]
        """Write all of ``data``, counted."""
        with self._tally.step("write"):
            number = super().write(data)
        self._tally.written += number
        return number

    def truncate(self, size: int | None = None, /) -> int:
        """Cut, which the last record says."""
        with self._tally.step("truncate"):
            number = super().truncate(size)
        self._tally.note("size", number)
        return number

    def discard(self) -> None:
        """Drop what was written, which the last record says."""
        self._is_discarded = True
        self._tally.note("discarded", True)
        super().discard()

    def commit(self) -> None:
        """Publish a closed file that was opened with ``autocommit=False``, and record it."""
        self._tally.check_ready()
        with self._tally.recorded("commit"):
            super().commit()

    def close(self) -> None:
        """Close the file, and record it. What could not be recorded is not published."""
        if self.closed:
            return
        try:
            if not self._is_discarded:
                self._tally.check_ready()
        except OSError:
            self.discard()
            super().close()
            raise
        with self._tally.recorded("close"):
            super().close()


class AuditHandle(ForwardingHandle):
    """A handle of ``posix.open_handle``. Its writes are seen at once: each is refused if it could not be recorded."""

    def __init__(self, handle: Handle, tally: Tally) -> None:
        super().__init__(handle)
        self._tally = tally
        self._is_open = True

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``, counted."""
        with self._tally.step("pread"):
            data = super().pread(size, offset)
        self._tally.read += len(data)
        return data

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, counted."""
        self._tally.check_ready()
        with self._tally.step("pwrite"):
            number = super().pwrite(data, offset)
        self._tally.written += number
        return number

    def truncate(self, size: int) -> None:
        """Cut or grow, which the last record says."""
        self._tally.check_ready()
        with self._tally.step("truncate"):
            super().truncate(size)
        self._tally.note("size", size)

    def flush(self) -> None:
        """Hand on what was written."""
        with self._tally.step("flush"):
            super().flush()

    def fsync(self) -> None:
        """Make it durable where the filesystem can."""
        with self._tally.step("fsync"):
            super().fsync()

    def close(self) -> None:
        """Let go, and record it; a second close does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        with self._tally.recorded("close"):
            super().close()


class AuditStream(ForwardingStream):
    """An asynchronous file of ``open_async``."""

    def __init__(self, stream: Any, path: str, mode: str, tally: Tally) -> None:
        super().__init__(stream, path, mode)
        self._tally = tally
        self._is_open = True

    async def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, counted."""
        with self._tally.step("read"):
            data = await super().read(size)
        self._tally.read += len(data)
        return data

    async def write(self, data: Buffer) -> int:
        """Write all of ``data``, counted."""
        self._tally.check_ready()
        with self._tally.step("write"):
            number = await super().write(data)
        self._tally.written += memoryview(data).nbytes
        return number

    async def close(self) -> None:
        """Close, and record it; a second close does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        with self._tally.recorded("close"):
            await super().close()


def abandon(opened: Any, call: Call) -> None:
    """Close what was opened below and cannot be handed out, with nothing published."""
    if call.operation == "posix.open_handle":
        opened.close()
        return
    file = ForwardingFile(opened, call.targets[0].path or "/", str(call.detail["mode"]))
    if call.effect in CHANGES:
        file.discard()
    file.close()
