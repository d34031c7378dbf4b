"""What the tests of audit logs share: entries, logs written in other processes, and records as short tuples."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chuk_fsspec.wrappers.audit import AuditFileSystem, Report, read_records
from chuk_fsspec.wrappers.audit.guard import SUFFIX
from chuk_fsspec.wrappers.audit.log import AuditLog, LogOptions, open_log
from chuk_fsspec.wrappers.audit.record import ABOUT_THE_LOG, Entry
from tests.processes import python

SUFFIXES = (".jsonl", ".db")
LINES = 9
"""Of the log that is tampered with."""

Make = Callable[..., AuditFileSystem]


def entry(number: int = 0, path: str | None = None) -> Entry:
    return Entry(
        time="2026-01-31T12:00:00.000000Z",
        actor="tester",
        session="run",
        operation="pipe_file",
        effect="write",
        decision="allowed",
        path=path or f"/f{number}",
    )


def write_log(path: Path, number: int, **options: object) -> AuditLog:
    """A log with ``number`` entries after its start, still open."""
    log = open_log(str(path), LogOptions(**options))  # type: ignore[arg-type]
    for index in range(number):
        log.add([entry(index)])
    return log


def copied(log: Path, directory: Path) -> Path:
    """A copy of a log, its guard with it."""
    for name in (log.name, log.name + SUFFIX):
        shutil.copy(log.with_name(name), directory / name)
    return directory / log.name


def problems(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


def operations(path: Path) -> list[str]:
    return [record.entry.operation for record in read_records(str(path))]


def start_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs some code."""
    return subprocess.Popen(python(code, *arguments), stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def run_python(code: str, *arguments: str) -> str:
    """What some code prints that runs in a process of its own."""
    process = start_python(code, *arguments)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output


def entries(fs: AuditFileSystem, **filters: str) -> list[Entry]:
    records = [record.entry for record in fs.records(**filters)]
    return [entry for entry in records if entry.operation not in ABOUT_THE_LOG]


def said(fs: AuditFileSystem, *names: str) -> list[tuple[Any, ...]]:
    """Some fields of every record."""
    return [tuple(getattr(entry, name) for name in names) for entry in entries(fs)]
