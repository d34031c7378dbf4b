"""The error for an archive that is not taken: which member, and by which rule."""

from __future__ import annotations

import errno

CORRUPT = getattr(errno, "EBADMSG", errno.EIO)
"""What a damaged archive is answered with."""


class ArchiveRefused(OSError):  # noqa: N818 - what happened, as with SecurityViolation
    """An archive was not imported, and nothing of it is left.

    ``filename`` is the member as the archive names it, None if it is the archive as a whole; ``rule`` names the rule:
    a field of ``ArchiveLimits``, ``links``, ``names``, ``special``, ``duplicate``, ``format`` or ``damage``.
    """

    rule: str = ""


def refused(rule: str, why: str, member: str | None = None, code: int = errno.EINVAL) -> ArchiveRefused:
    """Build the error.

    Args:
        rule: the name of the rule.
        why: the rule in words, and what to do if the archive is trusted.
        member: the member as the archive names it.
        code: the errno.
    """
    return _error(rule, f"the archive is refused: {why}", member, code)


def damaged(why: str, member: str | None = None) -> ArchiveRefused:
    """The error for an archive that is not what its format says."""
    return _error("damage", f"the archive is damaged: {why}", member, CORRUPT)


def _error(rule: str, text: str, member: str | None, code: int) -> ArchiveRefused:
    error = ArchiveRefused(code, text) if member is None else ArchiveRefused(code, text, member)
    error.rule = rule
    return error
