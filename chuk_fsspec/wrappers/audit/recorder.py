"""From calls to entries: who, what, to which paths, from which state to which, and how it ended."""

from __future__ import annotations

import errno
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.wrappers.audit.context import identity, process_session
from chuk_fsspec.wrappers.audit.log import AuditLog
from chuk_fsspec.wrappers.audit.moment import now
from chuk_fsspec.wrappers.audit.record import ALLOWED, BEGUN, FAILED, REFUSED, Detail, Entry

CHANGES = frozenset({Effect.WRITE, Effect.DELETE, Effect.RENAME})

_REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
_numbers = itertools.count(1)


@dataclass(frozen=True)
class State:
    """The content of a file at one moment.

    Attributes:
        etag: what changes with it; None where it is not known, or there is no file.
        size: in bytes, likewise.
        ino: the number of the file, where the filesystem tells it.
    """

    etag: str | None = None
    size: int | None = None
    ino: int | None = None


UNKNOWN = State()


@dataclass
class Target:
    """One file of a call, and what the call did to it.

    Attributes:
        path: what it is about; None for the filesystem as a whole.
        path2: where it leads to.
        before: the state before the call.
        after: the state after it.
        bytes_read: handed out.
        bytes_written: taken.
        error: why this file failed though the call went on.
    """

    path: str | None = None
    path2: str | None = None
    before: State = UNKNOWN
    after: State = UNKNOWN
    bytes_read: int | None = None
    bytes_written: int | None = None
    error: BaseException | None = None


@dataclass
class Call:
    """A call that is under way.

    Attributes:
        operation: its name in the log.
        effect: what it does.
        targets: its files, at least one.
        detail: arguments that are no content.
        name: ties several records together; empty for a call with one.
        began: when.
        clock: the same in seconds, by a clock that is never set back.
    """

    operation: str
    effect: Effect
    targets: Sequence[Target]
    detail: Detail = field(default_factory=dict)
    name: str = ""
    began: str = field(default_factory=now)
    clock: float = field(default_factory=time.monotonic)


class Recorder:
    """What an instance of the filesystem, its files and its nodes record with.

    Args:
        log: where to.
        actor: who acts, unless ``audit_context`` says otherwise.
        session: during which run; empty for that of the process.
        effects: what of is recorded, besides refusals.
        intents: whether the beginning of each change is recorded too.
        state_of: looks at the content of a path.
        note_change: is told of each path that was changed.
    """

    def __init__(
        self,
        log: AuditLog,
        actor: str,
        session: str,
        effects: frozenset[Effect],
        intents: bool,
        state_of: Callable[[str | None], State],
        note_change: Callable[[str | None], None],
    ) -> None:
        self.log = log
        self.state_of = state_of
        self._actor = actor
        self._session = session
        self._effects = effects
        self._intents = intents
        self._note_change = note_change

    def with_effects(self, effects: frozenset[Effect]) -> Recorder:
        """The same for what is recorded of a door."""
        return Recorder(self.log, self._actor, self._session, effects, self._intents, self.state_of, self._note_change)

    def state_of_node(self, path: str | None, ino: int) -> State:
        """The state of a node's content, if the path by which it was reached still leads to it."""
        state = self.state_of(path)
        return state if state.ino == ino else UNKNOWN

    def wants(self, effect: Effect) -> bool:
        """Whether what has this effect is recorded when it is not refused."""
        return effect in self._effects

    def begin(self, call: Call) -> Call:
        """Before anything is done: refuse what could not be recorded, and record the intent if that is asked for."""
        self.log.check_ready()
        if self._intents and call.effect in CHANGES and self.wants(call.effect):
            call.name = call.name or new_call_name()
            self.log.add([self._entry(call, target, BEGUN, None) for target in call.targets])
        return call

    def end(self, call: Call, error: BaseException | None = None) -> None:
        """After it: record how it ended for each of its files.

        Args:
            call: what ``begin`` was given.
            error: why the call failed as a whole; that stands in the records of all of its files.
        """
        if len(call.targets) > 1:
            call.name = call.name or new_call_name()
        entries = []
        for target in call.targets:
            decision, name = _decision(error or target.error)
            if decision == ALLOWED and call.effect in CHANGES:
                self._note_change(target.path2 or target.path)
            if decision == REFUSED or self.wants(call.effect):
                entries.append(self._entry(call, target, decision, name))
        if entries:
            self.log.add(entries)

    def _entry(self, call: Call, target: Target, decision: str, error: str | None) -> Entry:
        actor, session = identity(self._actor, self._session)
        return Entry(
            time=call.began,
            actor=actor,
            session=session or process_session(),
            operation=call.operation,
            effect=call.effect.value,
            decision=decision,
            duration=round(time.monotonic() - call.clock, 6),
            path=target.path,
            path2=target.path2,
            etag_before=target.before.etag,
            etag_after=target.after.etag,
            bytes_read=target.bytes_read,
            bytes_written=target.bytes_written,
            error=error,
            call=call.name or None,
            detail=call.detail,
        )


def new_call_name() -> str:
    """A name that no other call of any process has, as good as certainly."""
    return f"{process_session()}-{next(_numbers)}"


def _decision(error: BaseException | None) -> tuple[str, str | None]:
    if error is None:
        return ALLOWED, None
    if not isinstance(error, OSError):
        return FAILED, type(error).__name__
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    refused = isinstance(error, PermissionError) or error.errno in _REFUSALS
    return REFUSED if refused else FAILED, name
