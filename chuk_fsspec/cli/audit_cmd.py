"""``chuk-fsspec audit``: check an audit log, read it, and take its head."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from chuk_fsspec.cli.output import complain, printable, say, say_json
from chuk_fsspec.cli.parsing import add_command, add_group

if TYPE_CHECKING:
    from chuk_fsspec.wrappers.audit import Head, Record

_EXAMPLE = """
chuk-fsspec audit verify audit.jsonl
chuk-fsspec audit show audit.jsonl --path /reports --since 2h
chuk-fsspec audit head audit.jsonl
"""
_VERIFY_EXAMPLE = """
chuk-fsspec audit verify audit.jsonl
chuk-fsspec audit verify audit.jsonl --expect "$(cat /safe/place/head)" --key-env AUDIT_KEY
"""
_SHOW_EXAMPLE = """
chuk-fsspec audit show audit.jsonl --actor agent-7 --decision refused
chuk-fsspec audit show audit.db --path /reports --since 2026-11-01 --json
"""
_HEAD_EXAMPLE = """
chuk-fsspec audit head audit.jsonl > /safe/place/head
"""

_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def add_parser(commands: Any) -> None:
    """Add the command, with its own commands, to the command line."""
    own = add_group(
        commands,
        "audit",
        details="Work with the log of a chukaudit filesystem: a file of lines (.jsonl) or a SQLite database (.db).",
        example=_EXAMPLE,
    )
    _add_verify(own)
    _add_show(own)
    _add_head(own)


def _add_verify(commands: Any) -> None:
    parser = add_command(
        commands,
        "verify",
        _verify,
        group="audit",
        summary="check that nothing was changed, removed, reordered or inserted",
        details="Check every line against the one before it, and the end against what is remembered of it.\n"
        "Exit code 0 if nothing is wrong; otherwise 1, with one line for each problem.",
        example=_VERIFY_EXAMPLE,
    )
    _add_log(parser)
    parser.add_argument(
        "--expect", type=_head, metavar="HEAD", help="what `audit head` said earlier: it must still hold"
    )
    parser.add_argument(
        "--key-env", default="", metavar="NAME", help="the environment variable that holds the log's key"
    )
    parser.add_argument("--partial", action="store_true", help="older files of the log were taken away on purpose")


def _add_show(commands: Any) -> None:
    parser = add_command(
        commands,
        "show",
        _show,
        group="audit",
        summary="list records, one line each",
        details="List the records of a log, the oldest first. Whether they are genuine, only verify tells.\n"
        "A TIME is one like 2026-11-22T18:30, in UTC unless it says otherwise, or an age like 90s, 5m, 2h or 1d.",
        example=_SHOW_EXAMPLE,
    )
    _add_log(parser)
    parser.add_argument("--path", type=_path, help="only what is about this path, or about one below it")
    for name, what in (("actor", "who did it"), ("session", "the run"), ("operation", "its name, such as pipe_file")):
        parser.add_argument(f"--{name}", default="", metavar="NAME", help=what)
    parser.add_argument(
        "--decision", default="", choices=("allowed", "refused", "failed", "begun"), help="how it ended"
    )
    parser.add_argument("--since", type=_time, metavar="TIME", help="only what began then or later")
    parser.add_argument("--until", type=_time, metavar="TIME", help="only what began earlier")


def _add_head(commands: Any) -> None:
    parser = add_command(
        commands,
        "head",
        _print_head,
        group="audit",
        summary="print the head, to keep it elsewhere",
        details="Print the number and the hash of the last record. Kept where writers of the log cannot reach it,\n"
        "it proves later, with `verify --expect`, that everything up to it is unchanged.",
        example=_HEAD_EXAMPLE,
    )
    _add_log(parser)


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", metavar="LOG", help="path of the log, as it was given to chukaudit")


def _verify(args: argparse.Namespace) -> int:
    from chuk_fsspec.wrappers.audit import verify

    report = verify(args.log, key_env=args.key_env, expect=args.expect or "", partial=args.partial)
    for problem in report.problems:
        complain(f"{args.log}: {printable(str(problem))}")
    if report.problem_count > len(report.problems):
        complain(f"{args.log}: there are more problems; only the first {len(report.problems)} are shown")
    if args.json:
        say_json({**asdict(report), "ok": report.ok})
        return 0 if report.ok else 1
    for note in report.notes:
        say(f"note: {printable(note)}")
    number = report.problem_count
    found = "nothing is wrong" if report.ok else "1 problem" if number == 1 else f"{number} problems"
    say(f"{report.records} records from {report.first or '-'} to {report.last or '-'}: {found}")
    if report.ok and report.head is not None:
        say(f"head {report.head}")
    return 0 if report.ok else 1


def _show(args: argparse.Namespace) -> int:
    from chuk_fsspec.wrappers.audit.reading import Filters, read_lines

    names = ("path", "actor", "session", "operation", "decision", "since", "until")
    filters = Filters(**{name: getattr(args, name) or "" for name in names})
    for line, record in read_lines(args.log, filters):
        sys.stdout.write(line.decode("ascii") if args.json else f"{_summary(record)}\n")
    return 0


def _print_head(args: argparse.Namespace) -> int:
    from chuk_fsspec.wrappers.audit import read_head

    head = read_head(args.log)
    if args.json:
        say_json({"head": str(head)})
    else:
        say(str(head))
    return 0


def _summary(record: Record) -> str:
    entry = record.entry
    paths = " -> ".join(path for path in (entry.path, entry.path2) if path is not None) or "-"
    outcome = f"{entry.decision} ({entry.error})" if entry.error else entry.decision
    more = [f"{name}={value}" for name, value in entry.detail.items()]
    if entry.bytes_read is not None:
        more.append(f"{entry.bytes_read} bytes read")
    if entry.bytes_written is not None:
        more.append(f"{entry.bytes_written} bytes written")
    if entry.etag_before or entry.etag_after:
        more.append(f"etag {entry.etag_before or 'none'} -> {entry.etag_after or '?'}")
    parts = [entry.time, f"{entry.actor}/{entry.session}", entry.operation, paths, outcome, ", ".join(more)]
    return printable("  ".join([str(record.sequence), *parts]).rstrip())


def _head(text: str) -> Head:
    from chuk_fsspec.wrappers.audit import Head

    try:
        return Head.parse(text.strip())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _path(text: str) -> str:
    from chuk_fsspec.contract.paths import normalise

    try:
        return normalise(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error.strerror)) from None


def _time(text: str) -> str:
    from chuk_fsspec.wrappers.audit.moment import in_utc

    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return in_utc(datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time such as 2026-11-22T18:30 and no age such as 2h"
        ) from None
    return in_utc(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
