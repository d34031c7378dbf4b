"""What the name of a log says, and the names of its files.

``audit.jsonl`` is written; ``audit.000001.jsonl`` and so on were put aside when they were full.
"""

from __future__ import annotations

import os
import re

_LINES_SUFFIXES = (".jsonl", ".ndjson")
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def is_database(log: str) -> bool:
    """Whether a log of this name is a SQLite database, and not a file of lines. ValueError if it is no such name."""
    if log.endswith(_SQLITE_SUFFIXES):
        return True
    if log.endswith(_LINES_SUFFIXES):
        return False
    raise ValueError(f"log: {os.path.basename(log)!r} must end in {' or '.join((*_LINES_SUFFIXES, *_SQLITE_SUFFIXES))}")


def segment_path(log: str, number: int) -> str:
    """Where file ``number`` of a log is put aside."""
    root, suffix = os.path.splitext(log)
    return f"{root}.{number:06d}{suffix}"


def segments_of(log: str) -> list[tuple[int, str]]:
    """Number and path of every file that was put aside, the oldest first."""
    directory, name = os.path.split(log)
    root, suffix = os.path.splitext(name)
    pattern = re.compile(re.escape(root) + r"\.(\d{6,})" + re.escape(suffix))
    found = [match for match in map(pattern.fullmatch, os.listdir(directory or ".")) if match]
    return sorted((int(match[1]), os.path.join(directory, match[0])) for match in found)
