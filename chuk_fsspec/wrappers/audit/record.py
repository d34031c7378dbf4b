"""What an audit log says: one record for each operation, and a few about the log itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ALLOWED, REFUSED, FAILED, BEGUN = "allowed", "refused", "failed", "begun"
"""Decisions: it was done; a rule forbade it; it went wrong; it is about to be done (only with ``intents``)."""

START = "audit.start"
"""First record of each file of a log; ``detail`` has the version of the format, and which file of the log it is."""
REPAIR = "audit.repair"
"""The line before this one is the torn rest of a writer that died; ``detail`` has its length and SHA-256."""
GAP = "audit.gap"
"""When this record was written, the log ended earlier than it once had: ``detail`` has the end that it should have."""
LOST = "audit.lost"
"""So many operations went unrecorded, because the log could not be written."""

ABOUT_THE_LOG = frozenset({START, REPAIR, GAP, LOST})

_HASH = re.compile(r"[0-9a-f]{64}")

Detail = Mapping[str, str | int | bool]


@dataclass(frozen=True)
class Entry:
    """One operation, before it has its place in a log.

    Attributes:
        time: when it began, ISO 8601 in UTC with microseconds.
        actor: who did it.
        session: during which run.
        operation: a name of ``contract.operations``; ``node.…`` for a door's; ``audit.…`` for the log's own records.
        effect: what it does to the path, a value of ``contract.operations.Effect``.
        decision: "allowed", "refused", "failed" or "begun".
        duration: seconds that it took, by a clock that is never set back.
        path: what it was about, in normal form; None for the filesystem as a whole.
        path2: where a move, copy or link led to.
        etag_before: the state of the content before it, where the filesystem has etags.
        etag_after: the state after a change.
        bytes_read: bytes of content that were handed out.
        bytes_written: bytes of content that were taken.
        error: errno name or exception class of what was refused or failed.
        call: the same for all records of one call, and for the opening and closing of one file.
        detail: arguments that are no content: a mode, a size, the target of a link.
    """

    time: str
    actor: str
    session: str
    operation: str
    effect: str
    decision: str
    duration: float = 0.0
    path: str | None = None
    path2: str | None = None
    etag_before: str | None = None
    etag_after: str | None = None
    bytes_read: int | None = None
    bytes_written: int | None = None
    error: str | None = None
    call: str | None = None
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """An entry in its place in a log.

    Attributes:
        sequence: 0 for the first record of a log, then one more for each.
        entry: what happened.
        previous: the hash of the record before; empty for the first.
        hash: the hash of this one.
    """

    sequence: int
    entry: Entry
    previous: str
    hash: str

    @property
    def head(self) -> Head:
        """The state of the log up to this record."""
        return Head(self.sequence, self.hash)


@dataclass(frozen=True)
class Head:
    """The end of a log: whoever keeps it elsewhere can tell later that everything up to it is unchanged."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read what ``str`` gave. ValueError."""
        sequence, _, digest = text.partition(":")
        if not (sequence.isascii() and sequence.isdecimal() and _HASH.fullmatch(digest)):
            raise ValueError(f"{text!r} is not the head of an audit log; `chuk-fsspec audit head` prints one")
        return cls(int(sequence), digest)


NOTHING = Head(-1, "")
"""The head of an empty log."""
