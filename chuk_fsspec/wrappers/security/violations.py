"""Refusals: the error that a user gets, and the log in which an operator finds it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from chuk_fsspec.contract import limits
from chuk_fsspec.contract.errors import os_error

DEFAULT_KEPT = 1000

_REASONS = {
    "read_only": "this filesystem is read-only",
    "allowed_paths": "it is outside of what is allowed",
    "what it holds": "something in it may not be removed",
    "where it goes": "there, other things could be done with it, or with something in it",
    **limits.REASONS,
}


class SecurityViolation(PermissionError):  # noqa: N818 - the name that users of chuk-virtual-fs know
    """A rule refused it: EACCES, or EROFS where nothing may be changed. ``rule`` names the rule."""

    rule: str = ""


def violation(path: str, rule: str, path2: str | None = None) -> SecurityViolation:
    """The error for a refusal.

    Args:
        path: absolute path of this filesystem.
        rule: the name of the rule.
        path2: the second path of a rename or a link.
    """
    code = errno.EROFS if rule == "read_only" else errno.EACCES
    message = f"{os.strerror(code)}: {reason_of(rule)}"
    error = SecurityViolation(code, message, path, None, path2) if path2 else SecurityViolation(code, message, path)
    error.rule = rule
    return error


def over_quota(code: int, path: str, rule: str) -> OSError:
    """The error for a quota: EDQUOT, ENOSPC or EFBIG."""
    return os_error(code, path, hint=reason_of(rule))


def reason_of(rule: str) -> str:
    """A rule in words."""
    return _REASONS.get(rule, f"refused by {rule}")


@dataclass(frozen=True)
class Violation:
    """One refusal.

    Attributes:
        time: seconds since the epoch.
        operation: the name of the operation, as in ``contract.operations``.
        path: absolute normal path.
        rule: the name of the rule or limit that refused it.
        effect: what the operation would have done: list, read, write, delete, rename.
        reason: the rule in words.
    """

    time: float
    operation: str
    path: str
    rule: str
    effect: str
    reason: str


class ViolationLog:
    """The last refusals, oldest first. Safe to use from several threads.

    Args:
        kept: how many; older ones are forgotten.
    """

    def __init__(self, kept: int = DEFAULT_KEPT) -> None:
        self._entries: deque[Violation] = deque(maxlen=kept)
        self._lock = threading.RLock()

    def add(self, operation: str, path: str, rule: str, effect: str) -> None:
        """Note a refusal."""
        entry = Violation(time.time(), operation, path, rule, effect, reason_of(rule))
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        """All that are kept, as plain dicts."""
        with self._lock:
            return [asdict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()

    def renew_lock(self) -> None:
        """After a fork: the lock may have been held by a thread that the child does not have."""
        self._lock = threading.RLock()
