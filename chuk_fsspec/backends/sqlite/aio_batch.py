"""Operations that wait together: run in order, in one transaction, committed once."""

from __future__ import annotations

import copy
import errno
from asyncio import Future
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from chuk_fsspec.backends.sqlite.session import Session

BATCH_SECONDS = 0.05
"""How long a batch goes on with what waits, so that it keeps others from writing only for so long."""


class Operation:
    """One call that somebody awaits.

    Attributes:
        future: where its outcome is awaited.
        session: of the database that it is for.
        work: the call.
        writes: whether it may change something.
        result: what came of it.
        error: what went wrong.
        announcements: what watchers are to be told of it once it is committed.
    """

    __slots__ = ("announcements", "error", "future", "result", "session", "work", "writes")

    def __init__(self, future: Future[Any], session: Session, work: Callable[[], Any], writes: bool) -> None:
        self.future = future
        self.session = session
        self.work = work
        self.writes = writes
        self.result: Any = None
        self.error: BaseException | None = None
        self.announcements: Sequence[Callable[[], None]] = ()

    def run(self) -> None:
        """Make the call."""
        self.result = self.error = None
        self.announcements = ()
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the call is awaited
            self.error = error

    def announce(self) -> None:
        """Tell the watchers; an error of theirs is one of the call, as it is for a call that is not awaited."""
        try:
            for tell in self.announcements:
                tell()
        except BaseException as error:  # noqa: BLE001 - as above
            self.error = error


class _HalfDone(Exception):  # noqa: N818 - a signal within this file
    """Something failed after it had changed a part of what it was to change."""


def run_some(operations: Sequence[Operation]) -> int:
    """Run operations in order, those in front at least; what they changed is committed on return.

    Args:
        operations: at least one, all for the same database.

    Returns:
        How many have their outcome.
    """
    first = operations[0]
    session = first.session
    if len(operations) == 1:
        first.run()
        return 1
    if session.options.read_only or not any(operation.writes for operation in operations):
        return _run_reading(session, operations)
    return _run_writing(session, operations)


def _run_reading(session: Session, operations: Sequence[Operation]) -> int:
    """As of one moment; others may write meanwhile."""
    try:
        return _run_as_of_now(session, operations)
    except OSError as error:
        refuse(operations, error)
        return len(operations)


def _run_writing(session: Session, operations: Sequence[Operation]) -> int:
    """In one transaction. One that fails half-way takes it along, and then each has its own, as without a batch."""
    done: list[Operation] = []
    try:
        with session.batch:
            _run_in_batch(session, operations, done)
    except _HalfDone:
        _run_singly(done)
    except OSError as error:
        if error.errno == errno.EBUSY:
            done = done or list(operations)
            refuse([operation for operation in done if operation.writes], error)
            _run_singly([operation for operation in done if not operation.writes])
        else:
            done = done or [operations[0]]
            _run_singly(done)
    else:
        for operation in done:
            operation.announce()
    return len(done)


def _run_in_batch(session: Session, operations: Sequence[Operation], done: list[Operation]) -> None:
    until = monotonic() + BATCH_SECONDS
    for operation in operations:
        operation.run()
        done.append(operation)
        if session.is_broken:
            raise _HalfDone
        if session.announcements:
            operation.announcements = session.take_announcements()
        if monotonic() > until:
            return


def _run_as_of_now(session: Session, operations: Sequence[Operation]) -> int:
    until = monotonic() + BATCH_SECONDS
    with session.reading:
        for number, operation in enumerate(operations, 1):
            operation.run()
            if monotonic() > until:
                return number
    return len(operations)


def _run_singly(operations: Sequence[Operation]) -> None:
    for operation in operations:
        operation.run()


def refuse(operations: Sequence[Operation], error: BaseException) -> None:
    """Give the same error to all of them: they have waited together for what did not come."""
    for operation in operations:
        operation.result, operation.announcements = None, ()
        operation.error = copy.copy(error)  # each is raised in a task of its own, and takes its traceback there
        operation.error.__cause__ = error
