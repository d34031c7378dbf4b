"""The time in an audit log."""

from __future__ import annotations

from datetime import datetime, timezone

LENGTH = len("2026-01-31T23:59:59.123456Z")


def now() -> str:
    """ISO 8601 in UTC with microseconds, always of one length, so that texts sort as times do."""
    return in_utc(datetime.now(timezone.utc))


def in_utc(moment: datetime) -> str:
    """A time with a zone, as logs have it."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")[: LENGTH - 1] + "Z"
