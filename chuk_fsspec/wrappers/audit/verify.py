"""Is a log what was written? One pass over its lines, in constant memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from chuk_fsspec.wrappers.audit.guard import read_anchor
from chuk_fsspec.wrappers.audit.lines import Seal, is_genuine, read_line, seal_of
from chuk_fsspec.wrappers.audit.reading import Place, snapshot
from chuk_fsspec.wrappers.audit.record import GAP, LOST, NOTHING, REPAIR, START, Entry, Head, Record

PROBLEMS_MAX = 100
"""So many problems are described; the rest is counted."""


@dataclass(frozen=True)
class Problem:
    """Something that was not written so.

    Attributes:
        place: the line, or the end of the log where that is what is wrong; None for the log as a whole.
        what: what is wrong with it.
    """

    place: Place | None
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.place is not None else self.what


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        records: how many records were read.
        first: time of the first one; empty without any.
        last: time of the last one.
        head: the end of the log; None without any record.
        problems: what is wrong, in the order of the lines, at most ``PROBLEMS_MAX``.
        problem_count: how many problems there are in all.
        notes: what is no fault, but should be known.
    """

    records: int
    first: str
    last: str
    head: Head | None
    problems: tuple[Problem, ...]
    problem_count: int
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem_count


def verify(log: str, *, key_env: str = "", expect: str | Head = "", partial: bool = False) -> Report:
    """Check every line of a log against the one before it, and the end against what was remembered of it.

    Args:
        log: path of the log; the files that were put aside before it are checked with it.
        key_env: the environment variable with the key, of a log that has one.
        expect: a head that was kept elsewhere: everything up to it has to be there unchanged.
        partial: the log may begin later than at its beginning: older files were taken away on purpose.

    Returns:
        What was found.

    Raises:
        OSError: if the log cannot be read.
        ValueError: if it is none by its name or as a database; for a missing key; for a text that is no head.
    """
    wanted = Head.parse(expect) if isinstance(expect, str) and expect else expect or None
    seal = seal_of(key_env)
    with snapshot(log) as taken:
        anchor = read_anchor(taken.anchor, seal)
        check = _Check(seal, partial=partial)
        check.watch_for("the guard beside the log", anchor.head)
        check.watch_for("the head that was kept", wanted if isinstance(wanted, Head) else None)
        for place, line in taken.lines:
            check.line(place, line)
        check.end(is_anchored=anchor.head is not None)
    if anchor.is_damaged:
        check.problem(None, "the anchor in the guard beside the log was changed, or made with another key")
    elif anchor.head is None:
        check.note("there is no guard beside the log: records cut off its end would not show")
    return check.report()


class _Check:
    """The state of one pass."""

    def __init__(self, seal: Seal, *, partial: bool) -> None:
        self._seal = seal
        self._partial = partial
        self._head = NOTHING
        self._file = ""
        self._records = 0
        self._first = self._last = ""
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._notes: list[str] = []
        self._torn: tuple[Place, bytes] | None = None
        self._watched: list[tuple[str, Head]] = []

    def watch_for(self, who: str, head: Head | None) -> None:
        """Note that somebody remembers a head, which has to be met."""
        if head is not None:
            self._watched.append((who, head))

    def problem(self, place: Place | None, what: str) -> None:
        """Note a problem."""
        self._problem_count += 1
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(Problem(place, what))

    def note(self, what: str) -> None:
        """Note what is no fault."""
        if len(self._notes) < PROBLEMS_MAX:
            self._notes.append(what)

    def report(self) -> Report:
        """What was found so far."""
        head = self._head if self._records else None
        problems, notes = tuple(self._problems), tuple(self._notes)
        return Report(self._records, self._first, self._last, head, problems, self._problem_count, notes)

    def line(self, place: Place, line: bytes) -> None:
        """Check the next line."""
        try:
            record = read_line(line)
        except ValueError:
            self._settle_torn()
            self._torn = place, line
            return
        if not is_genuine(line, self._seal):
            if not self._records and record.entry.detail.get("keyed") and not self._seal.is_keyed:
                raise ValueError("key_env: this log is sealed with a key; name the environment variable that holds it")
            self.problem(place, "it was changed: its hash is not that of its content")
        self._check_torn(place, record)
        self._check_order(place, record)
        self._check_start(place, record.entry)
        if record.entry.operation == GAP:
            expected = record.entry.detail.get("expected")
            self.problem(place, f"when this was written, the records before it were not as remembered ({expected})")
        elif record.entry.operation == LOST:
            self.note(f"{place}: {record.entry.detail.get('operations')} operations before it went unrecorded")
        self._head = record.head
        self._file = place.file
        self._records += 1
        self._first = self._first or record.entry.time
        self._last = record.entry.time
        self._check_watched(place, record)

    def end(self, *, is_anchored: bool) -> None:
        """Check what can only be told at the end. With an anchor, a torn line is known not to have been whole."""
        if self._torn is not None and is_anchored and not self._watched and not self._torn[1].endswith(b"\n"):
            self.note(f"{self._torn[0]}: it is torn: its writer died; the next one will say so")
        else:
            self._settle_torn()
        if not self._records:
            self.problem(None, "there is no record")
        for who, head in self._watched:
            missing = _missing(head.sequence - self._head.sequence)
            self.problem(None, f"the end was cut off: {who} says that it is {head}; {missing}")
        self._watched = []

    # ---- steps

    def _check_order(self, place: Place, record: Record) -> None:
        head, expected = self._head, self._head.sequence + 1
        if head == NOTHING and self._partial:
            return
        jumps = record.sequence - expected
        if record.entry.operation == GAP and jumps >= 0 and record.previous == head.hash:
            return
        if jumps > 0:
            self.problem(place, f"{_missing(jumps)} before it")
        elif jumps < 0:
            self.problem(place, f"it is number {record.sequence} and stands where {expected} belongs")
        elif record.previous != head.hash:
            self.problem(place, "it does not follow from the line before it: one of the two was replaced")

    def _check_start(self, place: Place, entry: Entry) -> None:
        begins = not self._records or place.file != self._file
        if begins and entry.operation != START:
            self.problem(place, "the beginning is missing")
        elif not begins and entry.operation == START:
            self.problem(place, "a log begins here in the middle of another")

    def _check_torn(self, place: Place, record: Record) -> None:
        """A line that is no record is excused by the record after it, if that says what it was."""
        if self._torn is None:
            return
        torn_place, torn = self._torn
        rest = torn.removesuffix(b"\n")
        digest = hashlib.sha256(rest).hexdigest()
        detail = record.entry.detail
        if record.entry.operation == REPAIR and (detail.get("bytes"), detail.get("sha256")) == (len(rest), digest):
            self.note(f"{torn_place}: it is torn: its writer died, which {place} says")
            self._torn = None
        self._settle_torn()

    def _settle_torn(self) -> None:
        if self._torn is not None:
            self.problem(self._torn[0], "it is no record" if self._torn[1].endswith(b"\n") else "it is torn")
            self._torn = None

    def _check_watched(self, place: Place, record: Record) -> None:
        for who, head in list(self._watched):
            if record.sequence >= head.sequence:
                self._watched.remove((who, head))
                if record.head != head:
                    self.problem(place, f"it is not the record {head.sequence} of which {who} knows")


def _missing(number: int) -> str:
    return "1 record is missing" if number == 1 else f"{number} records are missing"
