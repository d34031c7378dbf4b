"""Running the command line: in this process where that will do, and as a program where it matters."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.cli.main import build_parser, main

PROGRAM = [sys.executable, "-m", "chuk_fsspec"]
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}


def outcome(*arguments: str) -> int:
    """The exit code, however the command ends."""
    try:
        return main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Standard output of a command that has to end with an exit code; standard error if that is not 0."""
    assert outcome(*arguments) == code, capsys.readouterr().err
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def said_json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    """The same, as the objects of its lines."""
    return [json.loads(line) for line in said(capsys, *arguments, "--json", code=code).splitlines()]


def program(*arguments: str, cwd: Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, check=False, timeout=100, **options
    )


def bash(script: str, cwd: Path, *, check: bool = True) -> str:
    """Standard output of a script."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, timeout=100, check=False)
    assert not check or done.returncode == 0, f"{script}\n{done.stdout!r}\n{done.stderr!r}"
    return os.fsdecode(done.stdout)


def all_commands() -> dict[str, argparse.ArgumentParser]:
    """Every command that does something, by its name, with the name of its group before it."""
    return dict(_leaves(build_parser(), ""))


def _leaves(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for word, below in group.choices.items():
            yield from _leaves(below, f"{name} {word}".strip())


def example_lines(parser: argparse.ArgumentParser) -> list[str]:
    """The lines of a command's example."""
    _, _, text = (parser.epilog or "").partition("example:\n")
    return [line.strip() for line in text.splitlines()]
