"""Times as text: HTTP dates (RFC 9110, 5.6.7) and those of ``creationdate`` (RFC 3339)."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> str:
    """A time as ``Last-Modified`` has it.

    Args:
        seconds: whole seconds since the epoch.
    """
    return formatdate(_in_range(seconds), usegmt=True)


@lru_cache(maxsize=4096)
def internet_date(seconds: int) -> str:
    """A time as ``creationdate`` has it.

    Args:
        seconds: whole seconds since the epoch.
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_in_range(seconds)))


def seconds_of(text: str) -> int | None:
    """Whole seconds since the epoch of an HTTP date; None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
        return int(aware.timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def seconds_of_any(text: str) -> float | None:
    """Seconds since the epoch of an HTTP date, an RFC 3339 date or a plain number; None for anything else."""
    text = text.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        seconds: float | None = float(text)
    else:
        seconds = seconds_of(text)
        if seconds is None:
            seconds = _seconds_of_internet_date(text)
    return seconds if seconds is not None and -_LAST < seconds < _LAST else None


_LAST = 253402300799  # the end of the year 9999


def _in_range(seconds: int) -> int:
    """A time that has four digits for the year."""
    return min(max(seconds, -62135596800), _LAST)


def _seconds_of_internet_date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
