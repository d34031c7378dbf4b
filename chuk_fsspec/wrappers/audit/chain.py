"""What comes after what in a log: entries become records, and the log tells what happened to itself."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence

from chuk_fsspec.wrappers.audit.context import identity, process_session, user_name
from chuk_fsspec.wrappers.audit.guard import Guard
from chuk_fsspec.wrappers.audit.lines import Seal, is_genuine, read_line, write_line
from chuk_fsspec.wrappers.audit.moment import now
from chuk_fsspec.wrappers.audit.record import ALLOWED, GAP, LOST, NOTHING, REPAIR, START, Detail, Entry, Head
from chuk_fsspec.wrappers.audit.sink import Sink, Tail

FORMAT_VERSION = 1

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class Chain:
    """The records of a log, for its writer. Every call is made under the log's lock.

    Args:
        sink: where the lines are kept.
        guard: where the head is remembered.
        seal: what makes the hashes.
    """

    def __init__(self, sink: Sink, guard: Guard, seal: Seal) -> None:
        self._sink = sink
        self._guard = guard
        self._seal = seal
        self._head: Head | None = None
        first = sink.first_line()
        if first:
            _check_key(first, seal)

    def extend(self, entries: Sequence[Entry], lost: int = 0) -> int:
        """Add entries, after whatever the state of the log asks to be said first.

        Args:
            entries: what was done.
            lost: how many operations went unrecorded before.

        Returns:
            The number of the last record.

        Raises:
            OSError: if they could not be added, or only the first of them.
        """
        tail = self._sink.tail()
        head, pending = self._opening(tail)
        if lost:
            pending.append(_about_the_log(LOST, {"operations": lost}))
        pending += entries
        before = head
        try:
            while pending:
                lines = self._chained(pending, head)
                try:
                    kept = self._sink.append(lines)
                except OSError as error:
                    if error.errno not in _NO_ROOM or not self._guard.give_up_reserve():
                        raise
                    kept = 0
                head = lines[kept - 1][1] if kept else head
                pending = pending[kept:]
                if pending:
                    pending = [*_repair(self._sink.tail()), *pending]
        finally:
            if head != before:
                self._guard.write_anchor(head)
            self._head = head
        return head.sequence

    def _opening(self, tail: Tail) -> tuple[Head, list[Entry]]:
        """Where the next record follows, and what has to be said before it."""
        head, said = tail.head, _repair(tail)
        if head != self._head:
            anchor = self._guard.anchor()
            if head == NOTHING and anchor.head is not None:
                head = anchor.head  # the whole log is gone; its numbers are not given again
            elif head != NOTHING and (anchor.head is None or not _leads_to(anchor.head, head)):
                expected = "damaged" if anchor.is_damaged else str(anchor.head or "missing")
                said.append(_about_the_log(GAP, {"expected": expected}))
                if anchor.head is not None:
                    head = Head(max(anchor.head.sequence, head.sequence), head.hash)
        if tail.is_new:
            start: Detail = {
                "version": FORMAT_VERSION,
                "segment": tail.segment,
                "keyed": self._seal.is_keyed,
                "log": os.urandom(8).hex(),
            }
            said.insert(0, _about_the_log(START, start))
        return head, said

    def _chained(self, entries: Sequence[Entry], head: Head) -> list[tuple[bytes, Head]]:
        lines = []
        for entry in entries:
            line, head = write_line(entry, head, self._seal)
            lines.append((line, head))
        return lines


def _leads_to(anchor: Head, head: Head) -> bool:
    """Whether the end of a log may be the one that was remembered, or a later one."""
    return anchor.sequence < head.sequence or anchor == head


def _repair(tail: Tail) -> list[Entry]:
    if not tail.torn:
        return []
    detail: Detail = {"bytes": len(tail.torn), "sha256": hashlib.sha256(tail.torn).hexdigest()}
    return [_about_the_log(REPAIR, detail)]


def _about_the_log(operation: str, detail: Detail) -> Entry:
    actor, session = identity(user_name(), process_session())
    return Entry(now(), actor, session, operation, "none", ALLOWED, detail=detail)


def _check_key(line: bytes, seal: Seal) -> None:
    """Refuse to go on with another key than the one that a log was begun with. ValueError."""
    try:
        keyed = bool(read_line(line).entry.detail.get("keyed"))
    except ValueError:
        return
    if keyed != seal.is_keyed:
        raise ValueError(f"key_env: this log was begun {'with' if keyed else 'without'} a key")
    if not is_genuine(line, seal):
        raise ValueError("key_env: the key does not fit the first record of this log")
