"""``chuk-fsspec edit``."""

from __future__ import annotations

import argparse
import io
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chuk_fsspec.cli.files.location import Location, add_options, open_target
from chuk_fsspec.cli.output import PROGRAM, CommandError, describe, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.conditions import ANY
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.transfer.copying import blocks_of, write_stream

_EXAMPLE = """
chuk-fsspec edit chuksqlite:///notes.md::file://$PWD/work.db
EDITOR='code --wait' chuk-fsspec edit work.toml:/notes.md
"""
_DEFAULT_EDITOR = "vi"


@dataclass(frozen=True)
class _Before:
    """What was there when editing began: its content, and what tells whether it is another one by now."""

    content: bytes
    attributes: Attributes | None


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "edit",
        run,
        details="Open a file in your editor ($VISUAL, $EDITOR, or vi), and write it back when that has ended.\n"
        "If nothing changed, nothing is written. If somebody else changed the file meanwhile, it stays as it is, and\n"
        "your text is kept in a file that is named. Exit code 1 if it was not written.",
        example=_EXAMPLE,
    )
    parser.add_argument("location", metavar="URL", help="the file; one that is missing is made")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Fetch, edit, write back; 1 if that was not possible."""
    location = open_target(args.location, dict(args.option))
    before = _fetch(location)
    directory = Path(tempfile.mkdtemp(prefix="chuk-edit-"))
    draft = directory / (location.name or "file")
    try:
        draft.write_bytes(before.content)
        _edit(draft, before)
        content = draft.read_bytes()
        changed = content != before.content
        etag = _write_back(location, before, content, draft) if changed else None
    except CommandError:
        if not draft.exists() or draft.read_bytes() == before.content:
            shutil.rmtree(directory)
        raise
    shutil.rmtree(directory)
    if args.json:
        say_json({"path": location.text, "changed": changed, **({"etag": etag} if etag else {})})
    elif not changed:
        say("nothing changed")
    return 0


def _fetch(location: Location) -> _Before:
    if not location.fs.exists(location.path):
        return _Before(b"", None)
    attributes = location.attributes()
    if attributes.is_directory:
        raise CommandError(f"{location.text} is a directory; name a file in it")
    content = b"".join(blocks_of(location.fs, location.path, attributes))
    if location.attributes().version != attributes.version:
        raise CommandError(f"{location.text} is being changed just now; try again")
    return _Before(content, attributes)


def _edit(draft: Path, before: _Before) -> None:
    """Run the editor. CommandError if it cannot be started, or fails."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _DEFAULT_EDITOR
    try:
        code = subprocess.call([*shlex.split(editor), str(draft)])
    except OSError as error:
        raise CommandError(f"{describe(error)}; set EDITOR to an editor that is installed") from error
    if code:
        kept = f"; your text is in {draft}" if draft.exists() and draft.read_bytes() != before.content else ""
        raise CommandError(f"{editor} ended with exit code {code}, so nothing is written{kept}")
    if not draft.exists():
        raise CommandError(f"{editor} removed the file it was given, so nothing is written")


def _write_back(location: Location, before: _Before, content: bytes, draft: Path) -> str | None:
    """Write, unless somebody else has; returns the new etag where that is known."""
    again = f"compare, and put it in place with: {PROGRAM} cp {draft} {shlex.quote(location.text)}"
    try:
        return _written(location, before, content)
    except PreconditionFailed:
        raise CommandError(
            f"{location.text} was changed meanwhile, and stays; your text is in {draft}; {again}"
        ) from None
    except OSError as error:
        raise CommandError(f"{describe(error)}; your text is in {draft}; {again}") from error


def _written(location: Location, before: _Before, content: bytes) -> str | None:
    fs, path, attributes = location.fs, location.path, before.attributes
    if location.can.conditional_write:
        condition = {"if_none_match": ANY} if attributes is None else {"if_match": attributes.etag}
        etag: str | None = fs.pipe_file(path, content, **condition)
        return etag
    fs.invalidate_cache(path)
    there = location.attributes() if fs.exists(path) else None
    if (there and there.version) != (attributes and attributes.version):
        raise PreconditionFailed
    write_stream(io.BytesIO(content), fs, path)
    return None
