"""How commands that carry whole trees say what they have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from chuk_fsspec.cli.output import complain, is_json, printable, say, say_json

if TYPE_CHECKING:
    from chuk_fsspec.contract.reports import Report


def name_left_out(report: Report) -> int:
    """Complain about each entry that was left out; returns the exit code."""
    for entry in report.left_out:
        complain(f"{printable(entry.path)}: left out: {printable(entry.reason)}")
    if report.left_out_count > len(report.left_out):
        complain(f"{report.left_out_count} entries are left out; only the first {len(report.left_out)} are shown")
    return 1 if report.left_out_count else 0


def tell(done: str, report: Report, notes: Sequence[str]) -> int:
    """Print what happened.

    Args:
        done: what happened to the entries, such as "imported".
        report: how many there were.
        notes: what is worth a line besides.

    Returns:
        The exit code: 1 if something was left out.
    """
    if is_json():
        say_json(asdict(report))
        return 1 if report.left_out_count else 0
    code = name_left_out(report)
    for note in notes:
        say(f"note: {printable(note)}")
    counts = (
        (report.files, "files"),
        (report.directories, "directories"),
        (report.symlinks, "symbolic links"),
        (report.hard_links, "hard links"),
        (report.special_files, "special files"),
    )
    shown = ", ".join(f"{count} {what}" for count, what in counts if count) or "nothing"
    say(f"{done} {shown}; {report.bytes} bytes")
    return code
