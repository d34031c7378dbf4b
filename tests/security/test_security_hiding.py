"""A hidden path does not exist: every operation answers as on a store in which there is nothing at that path."""

from __future__ import annotations

import inspect
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Kind, Operation
from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation

SECRET = b"the secret"
HIDING: dict[str, dict[str, Any]] = {
    "by path": {"hidden_paths": ["/d/hidden"]},
    "by pattern": {"hidden_patterns": ["^hidden$"]},
    "by rule": {"rules": [{"action": "hide", "patterns": ["glob:/*/hid*"]}]},
}
ARGUMENTS: dict[str, Any] = {
    "block_size": 4,
    "ends": None,
    "flags": os.O_RDONLY,
    "length": 4,
    "mode": "rb",
    "name": "user.x",
    "offset": 0,
    "size": 1,
    "starts": None,
    "target": "elsewhere",
    "uid": 0,
    "gid": 0,
    "value": b"x",
}
SKIPPED = {"transaction", "start_transaction", "end_transaction", "statvfs", "nodes", "nofollow", "get_mapper"}
"""What is about no path, and what has tests of its own."""

ROWS = [
    row
    for table in (FSSPEC, POSIX)
    for row in table.values()
    if row.kind is not Kind.IDENTITY and row.name not in SKIPPED
]


def fill(fs: MemoryFileSystem, kind: str) -> None:
    """A tree, with something at ``/d/hidden`` or nothing."""
    fs.pipe({"/d/seen": b"seen", "/other/file": b"other"})
    if kind == "file":
        fs.pipe_file("/d/hidden", SECRET)
        fs.posix.setxattr("/d/hidden", "user.x", SECRET)
    elif kind == "directory":
        fs.pipe_file("/d/hidden/inside", SECRET)
    elif kind == "link":
        fs.posix.symlink("/other/file", "/d/hidden")


@contextmanager
def worlds(hiding: dict[str, Any], *kinds: str) -> Iterator[list[tuple[MemoryFileSystem, SecureFileSystem]]]:
    """Secured stores that differ in what is hidden, and what is below each."""
    stores = [MemoryFileSystem(name=uuid.uuid4().hex) for _ in kinds]
    for store, kind in zip(stores, kinds, strict=True):
        fill(store, kind)
    yield [(store, SecureFileSystem(store, profile={}, **hiding)) for store in stores]
    for store in stores:
        drop_store(store.name)


def call(fs: AbstractFileSystem, row: Operation, paths: dict[str, str], tmp_path: Path, **given: Any) -> Any:
    """Call a public name, and take what it gives apart until it can be compared."""
    owner = fs.posix if row.posix else fs
    (tmp_path / "local").write_bytes(b"local")
    arguments: dict[str, Any] = dict(given)
    for name, parameter in inspect.signature(getattr(owner, row.name)).parameters.items():
        if name in row.paths:
            arguments[name] = [paths[name]] if name == "paths" else paths[name]
        elif name in row.local:
            arguments[name] = str(tmp_path / "local")
        elif name not in arguments and parameter.default is parameter.empty and name in ARGUMENTS:
            arguments[name] = 0o644 if name == "mode" and row.posix else ARGUMENTS[name]
    result = getattr(owner, row.name)(**arguments)
    if inspect.isgenerator(result):
        result = list(result)
    if hasattr(result, "close"):
        with result:
            result = result.read() if hasattr(result, "read") else result.pread(99, 0)
    if callable(result):
        result = [result(name) for name in ("hidden", "seen", "inside")]
    return result


def outcome(fs: SecureFileSystem, row: Operation, paths: dict[str, str], tmp_path: Path, **given: Any) -> str:
    """What a caller can learn from a call, as text, without what differs between two stores anyway."""
    fs.clear_violations()
    try:
        learned = repr(call(fs, row, paths, tmp_path, **given))
    except Exception as error:  # noqa: BLE001 - each is an answer
        learned = repr(error)
    violations = [{**one, "time": 0} for one in fs.get_violations()]
    text = f"{learned} {violations}"
    text = re.sub(r"'(mtime|created|ctime|atime|mtime_ns|ino|etag|nlink)': [^,}]+", r"'\1'", text)
    return re.sub(r"st_(ino|[amc]time|nlink)=\d+|<[^>]*at 0x[^>]*>|datetime\([^)]*\)|\b\d{15,}\b", "", text)


def cases(row: Operation) -> list[dict[str, str]]:
    """The hidden path, and one below it, in the place of each path."""
    everywhere = []
    for hidden in ("/d/hidden", "/d/hidden/inside"):
        for parameter in row.paths:
            others = dict.fromkeys(row.paths, "/other/new")
            first = row.paths[0]
            if len(row.paths) > 1 and parameter != first:
                others[first] = "/other/file"
            everywhere.append({**others, parameter: hidden})
    return everywhere


@pytest.mark.parametrize("row", ROWS, ids=lambda row: ("posix." if row.posix else "") + row.name)
def test_no_operation_tells_whether_something_is_hidden(row: Operation, tmp_path: Path) -> None:
    for number in range(len(cases(row))):
        with worlds(HIDING["by path"], "nothing", "file", "directory", "link") as made:
            answers = []
            for store, fs in made:
                before = hidden_content(store)
                answers.append(outcome(fs, row, cases(row)[number], tmp_path))
                assert hidden_content(store) == before
            assert len(set(answers)) == 1, (cases(row)[number], answers)
            assert repr(SECRET)[1:] not in answers[0]


def hidden_content(store: MemoryFileSystem) -> dict[str, Any]:
    return {path: store.posix.lstat(path) for path in store.find("/d", withdirs=True) if "hidden" in path}


@pytest.mark.parametrize(
    "flags", [os.O_RDONLY, os.O_RDWR, os.O_WRONLY | os.O_CREAT, os.O_RDWR | os.O_CREAT | os.O_EXCL]
)
@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_handles_tell_nothing(flags: int, kind: str, tmp_path: Path) -> None:
    with worlds(HIDING["by path"], "nothing", kind) as made:
        row = POSIX["open_handle"]
        answers = {outcome(fs, row, {"path": "/d/hidden"}, tmp_path, flags=flags) for _, fs in made}
        assert len(answers) == 1


@pytest.mark.parametrize("mode", ["rb", "wb", "ab", "xb", "r+b", "w+b", "a+b", "x+b", "r", "w"])
@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_open_files_tell_nothing(mode: str, kind: str, tmp_path: Path) -> None:
    with worlds(HIDING["by path"], "nothing", kind) as made:
        answers = {outcome(fs, FSSPEC["open"], {"path": "/d/hidden"}, tmp_path, mode=mode) for _, fs in made}
        assert len(answers) == 1
        assert ("SecurityViolation" in answers.pop()) == (mode[0] != "r")


LISTINGS = [
    row
    for row in FSSPEC.values()
    if row.effect is Effect.LIST and row.kind is not Kind.IDENTITY and row.paths == ("path",) and row.name != "ukey"
]


@pytest.mark.parametrize("hiding", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("row", LISTINGS, ids=lambda row: row.name)
def test_listings_leave_it_out(row: Operation, hiding: dict[str, Any], tmp_path: Path) -> None:
    """Above it too: names, sizes, sums, trees and patterns."""
    for path in ("/", "/d", "/d/*", "/**", "/*/hid*", "/d/h?dden", "/d/[h]idden"):
        with worlds(hiding, "nothing", "file", "directory", "link") as made:
            given: list[dict[str, Any]] = [{}]
            given += [{"detail": True}] if row.name in ("find", "ls", "glob", "walk") else []
            given += [{"withdirs": True}] if row.name in ("find", "du") else []
            for options in given:
                answers = {outcome(fs, row, {"path": path}, tmp_path, **options) for _, fs in made}
                assert len(answers) == 1, (path, answers)
                assert "hidden" not in answers.pop().replace(path, "")


@pytest.mark.parametrize("read", ["cat", "get", "copy"])
def test_recursion_leaves_it_out(read: str, tmp_path: Path) -> None:
    with worlds(HIDING["by path"], "nothing", "file", "directory", "link") as made:
        for number, (_, fs) in enumerate(made):
            if read == "cat":
                assert fs.cat("/d", recursive=True) == {"/d/seen": b"seen"}
            elif read == "get":
                fs.get("/d", str(tmp_path / f"{number}"), recursive=True)
                assert sorted(os.listdir(tmp_path / f"{number}")) == ["seen"]
            else:
                fs.copy("/d", "/copied", recursive=True)
                assert fs.find("/copied") == ["/copied/seen"]


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_it_is_not_removed_with_its_directory(kind: str) -> None:
    with worlds(HIDING["by path"], kind) as [(store, fs)]:
        with pytest.raises(SecurityViolation):
            fs.rm("/d", recursive=True)
        assert store.cat_file("/d/seen") == b"seen", "nothing was removed before it was refused"
        assert store.lexists("/d/hidden")


def test_it_is_not_carried_to_where_it_would_show() -> None:
    with worlds(HIDING["by path"], "file") as [(store, fs)]:
        for move in (fs.mv, fs.posix.rename):
            with pytest.raises(SecurityViolation):
                move("/d", "/e")
        assert store.cat_file("/d/hidden") == SECRET
    with worlds(HIDING["by pattern"], "file") as [(store, fs)]:
        fs.mv("/d", "/e")  # there it is hidden alike
        assert fs.find("/e") == ["/e/seen"]
        assert store.cat_file("/e/hidden") == SECRET


def test_links_to_it_lead_nowhere() -> None:
    with worlds(HIDING["by path"], "file") as [(store, fs)]:
        store.posix.symlink("hidden", "/d/link")
        store.posix.symlink("/d/hidden/inside", "/d/deeper")
        assert fs.info("/d/link")["type"] == "link"
        assert fs.info("/d/link")["size"] == 0
        assert not fs.exists("/d/link")
        assert fs.lexists("/d/link")
        for path in ("/d/link", "/d/deeper"):
            with pytest.raises(FileNotFoundError):
                fs.cat_file(path)
        with pytest.raises(SecurityViolation):
            fs.pipe_file("/d/link", b"overwritten")
        assert fs.get_violations()[-1]["path"] == "/d/hidden"
        assert store.cat_file("/d/hidden") == SECRET
        assert [one["operation"] for one in fs.get_violations()] == ["pipe_file"], "looking is no violation"


def test_a_second_name_that_shows_is_a_file_like_others() -> None:
    with worlds(HIDING["by path"], "file") as [(store, fs)]:
        store.posix.link("/d/hidden", "/d/second")
        assert fs.cat_file("/d/second") == SECRET
        with pytest.raises(FileNotFoundError):
            fs.posix.link("/d/hidden", "/d/third")
