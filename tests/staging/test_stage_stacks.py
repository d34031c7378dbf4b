"""Stages over other wrappers and over trees of mounts: they show and keep all, and every rule holds at the commit."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.audit import AuditFileSystem
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
from chuk_fsspec.wrappers.staging import StageConflict, StageFileSystem, stage
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.staging.stage_bases import POSIX, change, fill, seen

LEAVES = {name: POSIX[name] for name in ("chukmem", "chuklocal", "chuksqlite")}

Over = Callable[[AbstractFileSystem, Path], AbstractFileSystem]

STACKS: dict[str, Over] = {
    "chuksecure": lambda fs, parent: SecureFileSystem(fs, max_total_size=10**6, denied_paths=["/secret"]),
    "chukaudit": lambda fs, parent: AuditFileSystem(fs, log=str(parent / "log.jsonl")),
    "chukstream": lambda fs, parent: StreamFileSystem(fs),
    "chuksnap": lambda fs, parent: SnapshotFileSystem(fs, store=f"file://{parent}/snapshots"),
    "all of them": lambda fs, parent: AuditFileSystem(
        SecureFileSystem(StreamFileSystem(fs), max_files=100), log=str(parent / "log.jsonl")
    ),
    "mounts": lambda fs, parent: MountedFileSystem({"/": fs, "/mem": MemoryFileSystem(f"mounted-{parent}")}),
}


@pytest.fixture(params=LEAVES)
def leaf(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractFileSystem:
    fs = LEAVES[request.param](tmp_path)
    fill(fs)
    return fs


@pytest.fixture(params=STACKS)
def base(request: pytest.FixtureRequest, leaf: AbstractFileSystem, tmp_path: Path) -> AbstractFileSystem:
    return STACKS[request.param](leaf, tmp_path)


def test_reading_diff_commit_and_abort(base: AbstractFileSystem, leaf: AbstractFileSystem) -> None:
    staged = stage(base)
    before = seen(leaf)
    assert staged.cat_file("/a/x") == b"hello"
    change(staged)
    staged.abort()
    assert not staged.diff()
    change(staged)
    assert str(staged.diff()).endswith("6 added, 6 removed, 3 modified, 2 renamed, 1 with other attributes")
    assert seen(leaf) == before
    shown = seen(staged)
    staged.commit()
    assert seen(base) == shown
    assert not staged.diff()


def test_a_stage_of_a_stage(base: AbstractFileSystem, leaf: AbstractFileSystem) -> None:
    outer = stage(base)
    inner = outer.stage()
    change(inner)
    shown = seen(inner)
    before = seen(leaf)
    inner.commit()
    assert seen(outer) == shown
    assert seen(leaf) == before
    outer.commit()
    assert seen(base) == shown


def test_two_writers(base: AbstractFileSystem) -> None:
    first, second = stage(base), stage(base)
    first.pipe({"/z": b"first", "/only/first": b"1"})
    second.pipe({"/z": b"second", "/only/second": b"2"})
    first.commit()
    with pytest.raises(StageConflict) as caught:
        second.commit()
    assert "/z" in caught.value.paths
    assert base.cat_file("/z") == b"first"
    assert not base.exists("/only/second")


# ---- rules and quotas


def refused(staged: StageFileSystem, leaf: AbstractFileSystem, number: int, path: str) -> None:
    """Commit, which must fail about a path, with nothing done and nothing lost."""
    before, shown = seen(leaf), seen(staged)
    with pytest.raises(OSError, match=path) as caught:
        staged.commit()
    assert caught.value.errno == number
    assert {path: facts for path, facts in seen(leaf).items() if path != "/"} == {
        path: facts for path, facts in before.items() if path != "/"
    }
    assert seen(staged) == shown


RULES: dict[str, tuple[dict[str, Any], Callable[[AbstractFileSystem], Any], int, str]] = {
    "a denied path": (
        {"denied_paths": ["/r"]},
        lambda fs: fs.pipe_file("/r/new", b"1"),
        errno.EACCES,
        "/r",
    ),
    "a denied pattern": (
        {"denied_patterns": ["glob:*.exe"]},
        lambda fs: fs.pipe_file("/a/bad.exe", b"1"),
        errno.EACCES,
        "/a/bad.exe",
    ),
    "the size of a file": (
        {"max_file_size": 100},
        lambda fs: fs.pipe_file("/a/big", bytes(101)),
        errno.EFBIG,
        "/a/big",
    ),
    "the size of all files": (
        {"max_total_size": 1000},
        lambda fs: fs.pipe({"/a/one": bytes(600), "/a/two": bytes(600)}),
        errno.EDQUOT,
        "/a/(one|two)",
    ),
    "how many files": (
        {"max_files": 20},
        lambda fs: fs.pipe({f"/m/{number}": b"" for number in range(10)}),
        errno.EDQUOT,
        "/m/",
    ),
    "a path that is too deep": (
        {"max_path_depth": 3},
        lambda fs: fs.pipe_file("/b/c/d/e", b""),
        errno.EACCES,
        "/b/c/d/e",
    ),
    "a file that is only read": (
        {"rules": [{"action": "deny", "paths": ["/k"], "effects": ["write"]}]},
        lambda fs: fs.pipe_file("/k", b"new"),
        errno.EACCES,
        "/k",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_holds_at_the_commit(leaf: AbstractFileSystem, rule: str) -> None:
    settings, act, number, path = RULES[rule]
    staged = stage(SecureFileSystem(leaf, **settings))
    staged.pipe_file("/z", b"fine")
    staged.mv("/a/d", "/d", recursive=True)
    act(staged)
    refused(staged, leaf, number, path)


def test_what_is_denied_above_leaves_room_for_a_commit(leaf: AbstractFileSystem) -> None:
    """What is replaced is taken aside where that is allowed."""
    staged = stage(SecureFileSystem(leaf, allowed_paths=["/a"]))
    staged.pipe_file("/a/x", b"new")
    staged.rm_file("/a/d/y")
    staged.mv("/a/d", "/a/e", recursive=True)
    staged.commit()
    assert leaf.find("/a") == ["/a/x"]
    assert leaf.cat_file("/a/x") == b"new"
    assert leaf.ls("/a", detail=False) == ["/a/e", "/a/x"]


def test_hidden_paths_stay_hidden_and_where_they_are(leaf: AbstractFileSystem) -> None:
    staged = stage(SecureFileSystem(leaf, hidden_paths=["/r/e"]))
    assert staged.find("/r") == ["/r/1"]
    staged.rm("/r", recursive=True)
    with pytest.raises(OSError, match="/r"):
        staged.commit()
    assert leaf.find("/r") == ["/r/1", "/r/e/2"]


# ---- the audit


def test_what_a_commit_does_is_recorded(leaf: AbstractFileSystem, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    staged = stage(AuditFileSystem(leaf, log=str(log), effects=["write", "delete", "rename"]))
    staged.pipe_file("/a/x", b"new")
    staged.pipe_file("/new", b"1")
    staged.mv("/k", "/k2")
    staged.rm_file("/r/1")
    staged.abort()
    recorded = log.read_text().splitlines() if log.exists() else []
    assert not [line for line in recorded if json.loads(line).get("path")]
    staged.pipe_file("/a/x", b"new")
    staged.pipe_file("/new", b"1")
    staged.mv("/k", "/k2")
    staged.rm_file("/r/1")
    staged.commit()
    records = [json.loads(line) for line in log.read_text().splitlines()]
    about = {path for record in records for path in _paths(record)}
    assert about >= {"/a/x", "/new", "/k", "/k2", "/r/1"}
    assert not [record for record in records if record.get("errno")]


def _paths(record: dict[str, Any]) -> list[str]:
    return [value for value in record.values() if isinstance(value, str) and value.startswith("/")]


# ---- several filesystems


@pytest.fixture
def tree(tmp_path: Path) -> MountedFileSystem:
    """Three mounts of different kinds, each with the same files."""
    mounts: dict[str, AbstractFileSystem] = {"/": POSIX["chuklocal"](tmp_path)}
    mounts |= {"/mem": POSIX["chukmem"](tmp_path), "/data/db": POSIX["chuksqlite"](tmp_path)}
    for fs in mounts.values():
        fill(fs)
    return MountedFileSystem(mounts)


def test_changes_in_each_mount(tree: MountedFileSystem) -> None:
    staged = stage(tree)
    for top in ("", "/mem", "/data/db"):
        staged.pipe_file(f"{top}/a/x", b"new")
        staged.rm(f"{top}/r", recursive=True)
        staged.mv(f"{top}/k", f"{top}/n/k")
        staged.mv(f"{top}/a/d", f"{top}/d", recursive=True)
        staged.posix.unlink(f"{top}/l")
    shown = seen(staged)
    staged.commit()
    del shown["/data"]  # it is only there for what is mounted below
    assert {path: facts for path, facts in seen(tree).items() if path in shown} == shown
    assert not staged.diff()


def test_from_one_mount_to_another(tree: MountedFileSystem) -> None:
    staged = stage(tree)
    staged.mv("/a", "/mem/moved", recursive=True)
    staged.mv("/mem/k", "/data/db/n/k")
    staged.pipe_file("/mem/moved/x", b"new")
    contents = {path: facts[4:6] for path, facts in seen(staged).items()}
    staged.commit()
    assert {path: facts[4:6] for path, facts in seen(tree).items()} == contents
    assert not staged.diff()


def test_one_mount_is_refused_and_all_is_taken_back(tree: MountedFileSystem) -> None:
    staged = stage(tree)
    for top in ("", "/mem", "/data/db"):
        staged.pipe_file(f"{top}/a/x", b"new")
        staged.rm(f"{top}/r", recursive=True)
    tree.pipe_file("/data/db/a/x", b"theirs")
    before = seen(tree)
    with pytest.raises(StageConflict) as caught:
        staged.commit()
    assert caught.value.conflicts == {"/data/db/a/x": "was changed"}
    assert seen(tree) == before
    staged.commit(["/a", "/r", "/mem"])
    assert tree.cat(["/a/x", "/mem/a/x", "/data/db/a/x"]) == {
        "/a/x": b"new",
        "/mem/a/x": b"new",
        "/data/db/a/x": b"theirs",
    }


def test_a_mount_that_is_only_read(tmp_path: Path) -> None:
    memory = POSIX["chukmem"](tmp_path)
    fill(memory)
    tree = MountedFileSystem({"/": ReadOnlyFileSystem(memory), "/out": POSIX["chukmem"](tmp_path)})
    staged = stage(tree)
    staged.cp_file("/k", "/out/k")
    staged.commit("/out")
    assert tree.cat_file("/out/k") == b"keep"
