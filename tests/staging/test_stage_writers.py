"""Two processes, one stage each, overlapping files: the second commit is refused, with the paths named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

COMMITTING = Path(__file__).with_name("stage_committing.py")

STACKS: dict[str, Callable[[Path], tuple[str, dict[str, Any]]]] = {
    "chuklocal": lambda parent: ("chuklocal", {"root": str(parent)}),
    "chuksqlite": lambda parent: ("chuksqlite", {"database": str(parent / "w.db")}),
    "a tree of mounts": lambda parent: (
        "chukmount",
        {
            "mounts": {
                "/": {"protocol": "chuklocal", "options": {"root": str(parent)}},
                "/db": {"protocol": "chuksqlite", "options": {"database": str(parent.with_suffix(".db"))}},
            }
        },
    ),
}

Writer = Callable[[str, str, str], "subprocess.Popen[str]"]


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    parent = tmp_path / "base"
    parent.mkdir()
    return STACKS[request.param](parent)


@pytest.fixture
def fs(stack: tuple[str, dict[str, Any]]) -> AbstractFileSystem:
    made = fsspec.filesystem(stack[0], **stack[1])
    made.pipe({"/shared": b"old", "/db/shared": b"old", "/untouched": b"old"})
    return made


@pytest.fixture
def staging(stack: tuple[str, dict[str, Any]]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process that has staged a text in some files, and waits."""
    with ExitStack() as running:

        def start(text: str, *paths: str) -> subprocess.Popen[str]:
            command = [sys.executable, str(COMMITTING), stack[0], json.dumps(stack[1]), text, *paths]
            process = running.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            running.callback(process.kill)
            assert answer(process) == "staged"
            return process

        yield start


def answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_the_second_commit_is_refused(fs: AbstractFileSystem, staging: Callable[..., subprocess.Popen[str]]) -> None:
    first = staging("first", "/shared", "/db/shared", "/new", "/first")
    second = staging("second", "/shared", "/db/shared", "/new", "/second")
    go(first)
    assert answer(first) == "committed"
    go(second)
    assert answer(second) == {"/shared": "was changed", "/db/shared": "was changed", "/new": "appeared"}
    assert fs.cat(["/shared", "/db/shared", "/new", "/first", "/untouched"]) == {
        **dict.fromkeys(["/shared", "/db/shared", "/new", "/first"], b"first"),
        "/untouched": b"old",
    }
    assert fs.find("/") == ["/db/shared", "/first", "/new", "/shared", "/untouched"]


def test_both_at_once(fs: AbstractFileSystem, staging: Callable[..., subprocess.Popen[str]]) -> None:
    """One of them, or where they meet half-way none; never a part of one."""
    both = [staging(text, "/shared", "/db/shared", f"/{text}") for text in ("first", "second")]
    for process in both:
        go(process)
    told = [answer(process) for process in both]
    assert told.count("committed") <= 1
    if fs.capabilities.isolated_transactions:
        assert told.count("committed") == 1
    for text, what in zip(("first", "second"), told, strict=True):
        assert fs.exists(f"/{text}") is (what == "committed")
        assert what == "committed" or what.keys() <= {"/shared", "/db/shared"}
    winner = [text for text, what in zip((b"first", b"second"), told, strict=True) if what == "committed"]
    assert fs.cat_file("/shared") == fs.cat_file("/db/shared") == (winner or [b"old"])[0]
