"""One audit log of this process: every instance that names it writes through the same object."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, fields

from chuk_fsspec.wrappers.audit.chain import Chain
from chuk_fsspec.wrappers.audit.failure import messages, unrecorded, unwritable
from chuk_fsspec.wrappers.audit.guard import Guard
from chuk_fsspec.wrappers.audit.jsonlines import JsonLines
from chuk_fsspec.wrappers.audit.lines import seal_of
from chuk_fsspec.wrappers.audit.naming import is_database
from chuk_fsspec.wrappers.audit.record import Entry
from chuk_fsspec.wrappers.audit.sink import Sink

RESERVE = 256 * 1024

_SYNC_MODES = ("none", "batch", "each")
_BATCH_SECONDS = 1.0


@dataclass(frozen=True)
class LogOptions:
    """How a log is written; the same for all who write it in one process.

    Attributes:
        sync: "none" leaves it to the system when records reach the disk, "batch" asks for it within a second,
            "each" before the operation returns.
        key_env: the environment variable with the key that seals the records; empty for no key.
        rotate_at: bytes from which on a new file is begun; 0 for never.
        reserve: bytes of disk that are set aside, so that the last operations before the disk is full are recorded.
        on_error: "raise" refuses operations that cannot be recorded; "continue" counts them.
    """

    sync: str = "none"
    key_env: str = ""
    rotate_at: int = 0
    reserve: int = RESERVE
    on_error: str = "raise"

    def __post_init__(self) -> None:
        if self.sync not in _SYNC_MODES:
            raise ValueError(f"sync must be one of {', '.join(_SYNC_MODES)}, not {self.sync!r}")
        if self.on_error not in ("raise", "continue"):
            raise ValueError(f"on_error must be 'raise' or 'continue', not {self.on_error!r}")
        for name in ("rotate_at", "reserve"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 (none) or a number of bytes, not {getattr(self, name)}")


class AuditLog:
    """The writing end of a log. Every method may be called from any thread; ``open_log`` gives one."""

    def __init__(self, path: str, options: LogOptions) -> None:
        self.path = path
        self.options = options
        # Reentrant: garbage collection may close a file, which is a record, while another record is being written.
        self._lock = threading.RLock()
        self._sync_lock = threading.RLock()
        self._is_writing = False
        self._deferred: list[Entry] = []
        self._timer: threading.Timer | None = None
        self._is_inherited = False
        self._lost = 0
        self._written = self._durable = -1
        seal = seal_of(options.key_env)
        self._guard = Guard(path, options.reserve, seal)
        with ExitStack() as undo:
            undo.callback(self._guard.abandon)
            with self._guard.locked():
                self._guard.prepare()
                self._sink = undo.enter_context(closing(_open_sink(path, options)))
                self._chain = Chain(self._sink, self._guard, seal)
                self._chain.extend([])
            undo.pop_all()
        self._finalizer = weakref.finalize(self, _close, self._sink, self._guard, options.sync)

    def check_ready(self) -> None:
        """Refuse an operation that could not be recorded, before anything is done. ENOSPC and others."""
        if self.options.on_error == "raise" and (
            self._lost or not self._finalizer.alive or not self._guard.has_reserve
        ):
            try:
                self._recover()
            except OSError as error:
                raise unwritable(error) from error

    def add(self, entries: Sequence[Entry]) -> None:
        """Record what was done.

        Raises:
            OSError: if it cannot be recorded; with ``on_error="continue"`` it is counted and said in the log of Python.
        """
        try:
            self._extend(entries)
            if self.options.sync == "each":
                self._sync(self._written)
            elif self.options.sync == "batch":
                self._sync_soon()
        except OSError as error:
            self._lost += len(entries)
            if self.options.on_error == "raise":
                raise unrecorded(error) from error
            messages.error("%d operations went unrecorded: %s", len(entries), error.strerror)

    def close(self) -> None:
        """Close the files; whoever names this log again opens it again."""
        with _logs_lock:
            if _logs.get(self.path) is self:
                del _logs[self.path]
        if self._timer is not None:
            self._timer.cancel()
        self._finalizer()

    def _extend(self, entries: Sequence[Entry]) -> None:
        with self._alone() as is_outermost:
            self._deferred += entries
            while is_outermost and (self._deferred or self._lost):
                batch, self._deferred = self._deferred, []
                self._written = self._chain.extend(batch, self._lost)
                self._lost = 0

    def _recover(self) -> None:
        """Take the reserve again, and say in the log how much is missing."""
        with self._alone() as is_outermost:
            if is_outermost and not self._guard.has_reserve:
                self._guard.set_reserve_aside()
        self._extend([])

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep out every other thread and process; False if this thread is in here already."""
        with self._lock:
            if self._is_writing:
                yield False
                return
            self._is_writing = True
            try:
                self._reopen_if_closed()
                with self._guard.locked():
                    yield True
            finally:
                self._is_writing = False

    def _reopen_if_closed(self) -> None:
        """What the parent of this process had open is not ours; and at the end of a program files are closed early."""
        if self._is_inherited or not self._finalizer.alive:
            self._guard.reopen()
            self._sink.reopen()
            self._finalizer.detach()
            self._finalizer = weakref.finalize(self, _close, self._sink, self._guard, self.options.sync)
            self._is_inherited = False

    # ---- reaching the disk

    def _sync(self, sequence: int) -> None:
        """Make the records up to a number durable; whoever waits meanwhile is served by the same fsync."""
        with self._sync_lock:
            if self._durable >= sequence:
                return
            with self._lock:
                reached, descriptor = self._written, self._sink.descriptor()
            if descriptor is not None:
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            self._durable = reached

    def _sync_soon(self) -> None:
        if self._timer is not None:
            return
        timer = threading.Timer(_BATCH_SECONDS, self._sync_in_time)
        timer.daemon = True
        self._timer = timer
        try:
            timer.start()
        except RuntimeError:  # there are no threads here (Emscripten)
            self._timer = None
            self._sync(self._written)

    def _sync_in_time(self) -> None:
        self._timer = None
        try:
            self._sync(self._written)
        except OSError as error:
            messages.error("the audit log could not be synced: %s", error.strerror)

    # ---- fork

    def before_fork(self) -> None:
        """Wait until nobody writes, so that no half record and no lock of another process goes into the child."""
        self._lock.acquire()
        self._sink.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Nothing of the parent's may be used, and its locks may be held for ever."""
        self._lock = threading.RLock()
        self._sync_lock = threading.RLock()
        self._is_writing = False
        self._timer = None
        self._is_inherited = True


_logs: weakref.WeakValueDictionary[str, AuditLog] = weakref.WeakValueDictionary()
_logs_lock = threading.RLock()


def open_log(path: str, options: LogOptions) -> AuditLog:
    """The log of a path, opened once in a process.

    Args:
        path: a local path that ends in ``.jsonl`` (a file of lines) or ``.db`` (a SQLite database).
        options: how to write it.

    Raises:
        ValueError: for another ending, for a file that is no log, for another key than it was begun with, and for
            options that differ from those with which it is open.
        OSError: if it cannot be written.
    """
    path = os.path.realpath(path)
    with _logs_lock:
        log = _logs.get(path)
        if log is None:
            log = _logs[path] = AuditLog(path, options)
        for field in fields(LogOptions):
            mine, others = getattr(options, field.name), getattr(log.options, field.name)
            if mine != others:
                raise ValueError(f"{field.name}: this process has this log open with {others!r}, not {mine!r}")
        return log


def _open_sink(path: str, options: LogOptions) -> Sink:
    if not is_database(path):
        return JsonLines(path, options.rotate_at)
    if options.rotate_at:
        raise ValueError("rotate_at: a database is not rotated; use a log of lines (.jsonl)")
    from chuk_fsspec.wrappers.audit.sqlite import SqliteLines  # not every Python has SQLite

    return SqliteLines(path, durable=options.sync == "each")


def _close(sink: Sink, guard: Guard, sync: str) -> None:
    descriptor = sink.descriptor() if sync != "none" else None
    if descriptor is not None:
        os.fsync(descriptor)
        os.close(descriptor)
    sink.close()
    guard.close()


_forking: list[AuditLog] = []
"""The logs that wait for the fork which goes on."""


def _before_fork() -> None:
    for log in list(_logs.values()):
        log.before_fork()
        _forking.append(log)


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()


def _after_fork_in_child() -> None:
    global _logs_lock  # noqa: PLW0603 - the child is a process of its own
    _logs_lock = threading.RLock()
    while _forking:
        _forking.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
