"""Rules at work: what is refused, how it is told, and that there is no way around."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem as PlainMemory

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.testing.checks import in_threads, same_filesystem
from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation
from tests.wrappers.async_fs import AsyncObjectFileSystem
from tests.wrappers.passing_fs import PassingFileSystem

Change = Callable[[Any], Any]

CHANGES: dict[str, Change] = {
    "pipe_file": lambda fs: fs.pipe_file("/d/f", b"new"),
    "pipe": lambda fs: fs.pipe({"/d/f": b"new", "/d/g": b"new"}),
    "open w": lambda fs: fs.open("/d/f", "wb"),
    "open a": lambda fs: fs.open("/d/f", "ab"),
    "open +": lambda fs: fs.open("/d/f", "r+b"),
    "open x": lambda fs: fs.open("/d/new", "x"),
    "touch": lambda fs: fs.touch("/d/f"),
    "cp_file": lambda fs: fs.cp_file("/d/f", "/d/g"),
    "copy": lambda fs: fs.copy("/d", "/d/e", recursive=True),
    "mkdir": lambda fs: fs.mkdir("/d/new"),
    "makedirs": lambda fs: fs.makedirs("/d/new/deep"),
    "rm -r": lambda fs: fs.rm("/d", recursive=True),
    "rm": lambda fs: fs.rm("/d/f"),
    "rm_file": lambda fs: fs.rm_file("/d/f"),
    "rmdir": lambda fs: fs.rmdir("/d/empty"),
    "mv": lambda fs: fs.mv("/d/f", "/d/g"),
    "mv directory": lambda fs: fs.mv("/d/empty", "/d/full"),
    "put": lambda fs: fs.put(__file__, "/d/f"),
    "write_text": lambda fs: fs.write_text("/d/f", "new"),
    "get_mapper": lambda fs: fs.get_mapper("/d").__setitem__("f", b"new"),
    "symlink": lambda fs: fs.posix.symlink("/d/f", "/d/l"),
    "link": lambda fs: fs.posix.link("/d/f", "/d/l"),
    "posix mkdir": lambda fs: fs.posix.mkdir("/d/new"),
    "rename": lambda fs: fs.posix.rename("/d/f", "/d/g"),
    "unlink": lambda fs: fs.posix.unlink("/d/f"),
    "posix rmdir": lambda fs: fs.posix.rmdir("/d/empty"),
    "chmod": lambda fs: fs.posix.chmod("/d/f", 0o600),
    "chown": lambda fs: fs.posix.chown("/d/f", 1, 1),
    "utime": lambda fs: fs.posix.utime("/d/f"),
    "truncate": lambda fs: fs.posix.truncate("/d/f", 0),
    "mknod": lambda fs: fs.posix.mknod("/d/new", 0o644),
    "setxattr": lambda fs: fs.posix.setxattr("/d/f", "user.x", b"1"),
    "removexattr": lambda fs: fs.posix.removexattr("/d/f", "user.x"),
    "open_handle": lambda fs: fs.posix.open_handle("/d/f", os.O_RDWR),
    "truncating handle": lambda fs: fs.posix.open_handle("/d/f", os.O_RDONLY | os.O_TRUNC),
    "nofollow": lambda fs: fs.posix.nofollow.pipe_file("/d/f", b"new"),
    "nodes create": lambda fs: fs.posix.nodes.create(node(fs, "/d"), "new", 0o100644, 0, 0),
    "nodes mkdir": lambda fs: fs.posix.nodes.mkdir(node(fs, "/d"), "new", 0o755, 0, 0),
    "nodes unlink": lambda fs: fs.posix.nodes.unlink(node(fs, "/d"), "f"),
}


def node(fs: Any, path: str) -> Any:
    """A node that was found through another view; a new view has to find out by itself where it is."""
    nodes = fs.posix.nodes
    found = nodes.root
    for name in path.strip("/").split("/"):
        found = nodes.lookup(found, name)
    return found


def fill(fs: AbstractFileSystem) -> None:
    fs.pipe({"/d/f": b"old", "/d/full/f": b"old"})
    fs.mkdir("/d/empty")
    fs.posix.setxattr("/d/f", "user.x", b"0")


def state(fs: AbstractFileSystem) -> dict[str, Any]:
    return {path: fs.posix.lstat(path) for path in fs.find("/", withdirs=True)}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_read_only_profile_refuses_every_change(change: Change, chukmem: MemoryFileSystem) -> None:
    fill(chukmem)
    before = state(chukmem)
    fs = SecureFileSystem(chukmem, profile="readonly")
    with pytest.raises(SecurityViolation) as caught:
        change(fs)
    assert (caught.value.errno, caught.value.rule) == (errno.EROFS, "read_only")
    assert fs.get_violations()[-1]["rule"] == "read_only"
    assert state(chukmem) == before
    assert not fs.capabilities.write


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_denied_directory_takes_no_change(change: Change, chukmem: MemoryFileSystem) -> None:
    fill(chukmem)
    before = state(chukmem)
    fs = SecureFileSystem(chukmem, profile={"denied_paths": ["/d"]})
    with pytest.raises((SecurityViolation, FileNotFoundError)):  # what may not be seen cannot be copied from
        change(fs)
    assert state(chukmem) == before
    assert {one["rule"] for one in fs.get_violations()} == {"denied_paths"}


READS: dict[str, Change] = {
    "cat_file": lambda fs: fs.cat_file("/d/f"),
    "cat_file again": lambda fs: refused_once(fs).cat_file("/d/f"),
    "cat": lambda fs: fs.cat(["/d/f", "/other"]),
    "cat_ranges": lambda fs: fs.cat_ranges(["/d/f"], 0, 1, on_error="raise"),
    "open": lambda fs: fs.open("/d/f"),
    "open text": lambda fs: fs.open("/d/f", "r"),
    "open +": lambda fs: fs.open("/d/f", "r+b"),
    "open a+": lambda fs: fs.open("/d/f", "a+b"),
    "head": lambda fs: fs.head("/d/f"),
    "read_block": lambda fs: fs.read_block("/d/f", 0, 1),
    "cp_file": lambda fs: fs.cp_file("/d/f", "/copy"),
    "mv": lambda fs: fs.mv("/d/f", "/moved"),
    "rename": lambda fs: fs.posix.rename("/d", "/moved"),
    "exchange": lambda fs: fs.posix.rename("/other", "/d/f", 2),
    "link": lambda fs: fs.posix.link("/d/f", "/linked"),
    "sign": lambda fs: fs.sign("/d/f"),
    "open_handle": lambda fs: fs.posix.open_handle("/d/f"),
    "open_handle rw": lambda fs: fs.posix.open_handle("/d/f", os.O_RDWR),
    "getxattr": lambda fs: fs.posix.getxattr("/d/f", "user.x"),
    "get_mapper": lambda fs: fs.get_mapper("/d")["f"],
    "through a link": lambda fs: fs.cat_file("/link"),
    "through a directory": lambda fs: fs.cat_file("/directory/f"),
    "nodes read": lambda fs: read_node(fs, os.O_RDONLY),
    "nodes open": lambda fs: read_node(fs, os.O_RDWR),
}


def refused_once(fs: Any) -> Any:
    with pytest.raises(SecurityViolation):
        fs.cat_file("/d/f")
    return fs


def read_node(fs: Any, flags: int) -> Any:
    nodes = fs.posix.nodes
    found = nodes.lookup(nodes.lookup(nodes.root, "d"), "f")
    return nodes.read(found, 9, 0) if flags == os.O_RDONLY else nodes.open(found, flags)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_may_not_be_read_is_not_read_by_any_way(read: Change, chukmem: MemoryFileSystem) -> None:
    """Also not by moving it, linking it, or opening it for something else."""
    chukmem.pipe({"/d/f": b"secret", "/other": b"other"})
    chukmem.posix.setxattr("/d/f", "user.x", b"secret")
    chukmem.posix.symlink("/d/f", "/link")
    chukmem.posix.symlink("d", "/directory")
    rules = [{"action": "deny", "paths": ["/d"], "effects": ["read"]}]
    fs = SecureFileSystem(chukmem, profile={"rules": rules})
    assert fs.info("/d/f")["size"] == 6, "its name and size are no secret"
    with pytest.raises(SecurityViolation):
        read(fs)
    assert fs.get_violations()


def test_writing_blind(chukmem: MemoryFileSystem) -> None:
    """A drop box: what lies there may be written, and neither read nor removed."""
    rules = [{"action": "deny", "paths": ["/box"], "effects": ["read", "delete", "rename"]}]
    fs = SecureFileSystem(chukmem, profile={"rules": rules})
    fs.pipe_file("/box/a", b"1")
    with fs.open("/box/a", "ab") as file:
        file.write(b"2")
    with fs.posix.open_handle("/box/a", os.O_WRONLY) as handle:  # type: ignore[attr-defined]
        handle.pwrite(b"3", 2)
    assert chukmem.cat_file("/box/a") == b"123"
    for refused in (fs.cat_file, fs.rm_file, fs.rm, fs.posix.unlink):
        with pytest.raises(SecurityViolation):
            refused("/box/a")
    with pytest.raises(SecurityViolation):
        fs.rm("/box", recursive=True)


# ---- what the original let through


def test_metadata_of_a_read_only_filesystem_stays(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"")
    fs = SecureFileSystem(chukmem, profile="readonly")
    for change in (lambda: fs.posix.chmod("/f", 0), lambda: fs.posix.utime("/f"), lambda: fs.mkdir("/d")):
        with pytest.raises(SecurityViolation):
            change()


@pytest.mark.parametrize("path", ["/home/.secret/key", "/home/a/.aws/credentials", "/home/run.sh/x", "/home/.hidden"])
def test_patterns_look_at_every_name(path: str, chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file(path, b"secret")
    fs = SecureFileSystem(chukmem, profile="strict")
    for refused in (fs.cat_file, fs.info, fs.rm_file, lambda path: fs.pipe_file(path, b"")):
        with pytest.raises(SecurityViolation):
            refused(path)
    assert fs.find("/") == []


def test_case_folding(chukmem: MemoryFileSystem) -> None:
    fs = SecureFileSystem(chukmem, profile="untrusted", case_fold=True)
    with pytest.raises(SecurityViolation):
        fs.pipe_file("/sandbox/run.SH", b"")
    SecureFileSystem(chukmem, profile="untrusted").pipe_file("/sandbox/run.SH", b"")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "//etc/passwd", "/./etc//passwd", "/a/../etc/passwd", "etc/passwd", "chuksecure://etc/passwd"],
)
def test_a_path_is_the_same_however_it_is_spelled(path: str, chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/etc/passwd", b"root")
    fs = SecureFileSystem(chukmem)
    with pytest.raises(SecurityViolation) as caught:
        fs.cat_file(path)
    assert caught.value.filename == "/etc/passwd"


def test_names_that_only_look_alike_are_others(chukmem: MemoryFileSystem) -> None:
    fs = SecureFileSystem(chukmem, profile={"denied_paths": ["/etc"], "allowed_paths": ["/etcetera", "/data"]})
    fs.pipe({"/etcetera/f": b"1", "/data/%2e%2e/f": b"2", "/data/...": b"3"})
    with pytest.raises(SecurityViolation):
        fs.pipe_file("/data_evil/f", b"")
    assert fs.find("/") == ["/data/%2e%2e/f", "/data/...", "/etcetera/f"]


def test_a_listing_shows_only_what_is_allowed(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/home/a/f": b"1", "/home/b/f": b"2", "/etc/passwd": b"3", "/homer": b"4"})
    fs = SecureFileSystem(chukmem, profile={"allowed_paths": ["/home/a", "/missing/x"]})
    assert fs.ls("/", detail=False) == ["/home"]
    assert fs.ls("/home", detail=False) == ["/home/a"]
    assert fs.find("/") == fs.glob("/**/f") == ["/home/a/f"]
    assert list(fs.walk("/")) == [("/", ["home"], []), ("/home", ["a"], []), ("/home/a", [], ["f"])]
    assert fs.du("/") == 1
    assert fs.get_violations() == []
    assert not fs.exists("/etc/passwd")
    assert [one["path"] for one in fs.get_violations()] == ["/etc/passwd"]
    with pytest.raises(SecurityViolation):
        fs.pipe_file("/home/c", b"")
    fs.pipe_file("/missing/x/y", b"")
    assert chukmem.exists("/missing/x/y"), "what is allowed is made, with the way to it"


# ---- links


def test_links_are_followed_where_the_rules_allow_it(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/sandbox/real/f": b"1", "/outside/f": b"2"})
    links = {
        "in": "real",
        "up": "../outside",
        "absolute": "/outside/f",
        "chain": "in",
        "loop": "loop",
        "back": "real/..",
    }
    for name, target in links.items():
        chukmem.posix.symlink(target, f"/sandbox/{name}")
    fs = SecureFileSystem(chukmem, profile={"allowed_paths": ["/sandbox"]})
    assert fs.cat_file("/sandbox/in/f") == fs.cat_file("/sandbox/chain/f") == fs.cat_file("/sandbox/back/in/f") == b"1"
    for path in ("/sandbox/up/f", "/sandbox/absolute"):
        for refused in (fs.cat_file, lambda path: fs.pipe_file(path, b"3"), fs.open, fs.posix.stat):
            with pytest.raises(SecurityViolation):
                refused(path)
        assert not fs.exists(path)
        assert not fs.isfile(path)
    with pytest.raises(OSError) as caught:
        fs.cat_file("/sandbox/loop")
    assert caught.value.errno == errno.ELOOP
    assert {info["name"]: info["type"] for info in fs.ls("/sandbox")} == {
        **{f"/sandbox/{name}": "link" for name in links},
        "/sandbox/real": "directory",
    }
    assert fs.ls("/sandbox/in", detail=False) == ["/sandbox/in/f"]
    assert chukmem.cat_file("/outside/f") == b"2"
    fs.pipe_file("/sandbox/in/f", b"4")
    assert chukmem.cat_file("/sandbox/real/f") == b"4"
    fs.rm("/sandbox", recursive=True)
    assert chukmem.find("/") == ["/outside/f"]


def test_a_rule_about_the_way_counts_too(chukmem: MemoryFileSystem) -> None:
    """Neither the name that was asked nor any link on the way nor the file at the end may be hidden."""
    chukmem.pipe_file("/data/f", b"1")
    chukmem.posix.symlink("/data", "/secret")
    chukmem.posix.symlink("secret", "/open")
    fs = SecureFileSystem(chukmem, profile={"hidden_paths": ["/secret"]})
    for path in ("/secret/f", "/open/f"):
        with pytest.raises(FileNotFoundError):
            fs.cat_file(path)
    fs = SecureFileSystem(chukmem, profile={"hidden_paths": ["/open/f"]})
    assert fs.ls("/open") == []
    assert fs.cat_file("/data/f") == b"1"


def test_the_view_without_links_has_the_same_rules(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/d/.env", b"secret")
    chukmem.posix.symlink("/d", "/link")
    view = SecureFileSystem(chukmem).posix.nofollow
    with pytest.raises(LinkInTheWay):
        view.cat_file("/link/x")
    with pytest.raises(SecurityViolation):
        view.cat_file("/d/.env")
    assert view.posix.nofollow is view or type(view.posix.nofollow) is SecureFileSystem
    assert view.info("/link")["type"] == "link"


# ---- what it stands on


@pytest.mark.parametrize(
    "make",
    [
        lambda root: SecureFileSystem(LocalFileSystem()),
        lambda root: SecureFileSystem(target_protocol="file"),
        lambda root: SecureFileSystem(DirFileSystem(path=root, fs=LocalFileSystem())),
        lambda root: SecureFileSystem(PassingFileSystem(LocalFileSystem())),
        lambda root: SecureFileSystem(PassingFileSystem(target_protocol="file")),
        lambda root: fsspec.filesystem(
            "chuksecure", target_protocol="simplecache", target_options={"target_protocol": "file"}
        ),
    ],
)
def test_what_follows_links_by_itself_is_refused(make: Callable[[str], Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="chuklocal"):
        make(str(tmp_path))


def test_names_that_look_like_patterns_are_names(chukmem: MemoryFileSystem) -> None:
    """fsspec's own ``rm`` takes them for patterns, and would remove more than was checked."""
    for below in (PlainMemory(skip_instance_cache=True), chukmem):
        root = f"/{id(below)}"
        below.pipe({f"{root}/[s]ecret": b"1", f"{root}/secret": b"2", f"{root}/*/f": b"3", f"{root}/d/.env": b"4"})
        fs = SecureFileSystem(below, profile={"denied_paths": [f"{root}/secret"], "denied_patterns": [r"\.env"]})
        fs.rm(f"{root}/[s]ecret")
        fs.rm(f"{root}/*", recursive=True)
        assert sorted(below.find(root)) == [f"{root}/d/.env", f"{root}/secret"]
        below.rm(root, recursive=True)


def test_what_moves_by_copying_is_checked_before_it_is_copied() -> None:
    below = AsyncObjectFileSystem(name="secured-moves")
    below.pipe({"d/f": b"1", "d/.env": b"2"})
    for rules in ({"denied_patterns": [r"\.env"]}, {"hidden_patterns": [r"\.env"]}, {"hidden_paths": ["/d/.env"]}):
        fs = SecureFileSystem(below, profile=rules)
        for move in (fs.mv, fs.rename, fs.move):
            with pytest.raises(SecurityViolation):
                move("/d", "/e", recursive=True)
        assert sorted(below.find("")) == ["d/.env", "d/f"]


def test_a_copy_is_checked_before_it_begins(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/d/a": b"1", "/d/key": b"2"})
    fs = SecureFileSystem(chukmem, profile={"denied_patterns": ["glob:/e/key"]})
    with pytest.raises(SecurityViolation):
        fs.copy("/d", "/e", recursive=True)
    assert chukmem.find("/") == ["/d/a", "/d/key"]


def test_asynchronous_filesystems_are_read_together() -> None:
    below = AsyncObjectFileSystem(name="secured-reads", latency=0.01)
    below.pipe({f"d/{number}": b"%d" % number for number in range(40)} | {"d/.env": b"secret"})
    fs = SecureFileSystem(below)
    below.service.most_running = 0
    assert fs.cat("/d", recursive=True) == {f"/d/{number}": b"%d" % number for number in range(40)}
    assert below.service.most_running > 20
    results = fs.cat_ranges(["/d/1", "/d/.env"], 0, 1)
    assert results[0] == b"1"
    assert isinstance(results[1], SecurityViolation)
    with pytest.raises(SecurityViolation):
        asyncio.run(fs.open_async("/d/.env"))


def test_open_files_finds_no_way_around(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/s/.env", b"secret")
    url = "chuksecure::simplecache::chukmem://s/.env"
    files = fsspec.open_files([url], chukmem={"name": chukmem.name}, expand=False)
    with pytest.raises(SecurityViolation), files:
        pass


def test_transactions_are_checked_like_everything_else(chukmem: MemoryFileSystem) -> None:
    fs = SecureFileSystem(chukmem)
    with pytest.raises(SecurityViolation), fs.transaction:  # noqa: PT012 - the first one is undone with the second
        fs.pipe_file("/ok", b"1")
        fs.pipe_file("/.env", b"2")
    assert chukmem.find("/") == []
    with pytest.raises(SecurityViolation):
        SecureFileSystem(chukmem, profile={"allowed_paths": []}).start_transaction()


def test_with_nothing_allowed_nothing_answers(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"1")
    fs = SecureFileSystem(chukmem, profile={"allowed_paths": []})
    for ask in (fs.ls, fs.find, fs.info, fs.cat_file):
        with pytest.raises(SecurityViolation):
            ask("/")
    assert not fs.exists("/")
    with pytest.raises(SecurityViolation):
        fs.posix.statvfs()
    with pytest.raises(SecurityViolation):
        _ = fs.posix.nodes


# ---- how it is told


def test_a_refusal_says_what_and_why(chukmem: MemoryFileSystem) -> None:
    fs = SecureFileSystem(chukmem)
    with pytest.raises(PermissionError) as caught:
        fs.pipe_file("/a/.env", b"")
    error = caught.value
    assert isinstance(error, SecurityViolation)
    assert (error.errno, error.filename, error.rule) == (errno.EACCES, "/a/.env", "denied_patterns")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is SecurityViolation
    assert (copy.errno, copy.filename, copy.rule) == (error.errno, error.filename, error.rule)
    with pytest.raises(SecurityViolation) as caught:
        fs.posix.rename("/a", "/.env")
    both = pickle.loads(pickle.dumps(caught.value))
    assert both.filename == "/.env"


def test_the_log_is_structured_bounded_and_shared(chukmem: MemoryFileSystem) -> None:
    options: dict[str, Any] = {"target_protocol": "chukmem", "target_options": {"name": chukmem.name}}
    fs = SecureFileSystem(**options, violations_kept=100)

    def refuse(number: int) -> None:
        mine = same_filesystem(fs)
        for attempt in range(30):
            with pytest.raises(SecurityViolation):
                mine.cat_file(f"/{number}/{attempt}/.env")

    in_threads(8, refuse)
    violations = fs.get_violations()
    assert len(violations) == 100
    assert set(violations[0]) == {"time", "operation", "path", "rule", "effect", "reason"}
    assert [one["time"] for one in violations] == sorted(one["time"] for one in violations)
    assert violations[0]["operation"] == "cat_file"
    assert violations[0]["effect"] == "read"
    assert SecureFileSystem(**options).get_violations() == [], "another configuration has a log of its own"
    same_filesystem(fs).clear_violations()
    assert fs.get_violations() == []
    json.dumps(violations)


def test_questions_have_no_errors(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/d/.env", b"")
    fs = SecureFileSystem(chukmem)
    assert not any(ask("/d/.env") for ask in (fs.exists, fs.lexists, fs.isfile, fs.isdir))
    assert [one["operation"] for one in fs.get_violations()] == ["exists", "lexists", "isfile", "isdir"]


# ---- how it travels


def test_pickles_and_json(chukmem: MemoryFileSystem) -> None:
    fs = SecureFileSystem(
        target_protocol="chukmem",
        target_options={"name": chukmem.name},
        profile="strict",
        rules=[{"action": "hide", "patterns": ["glob:*.key"]}],
        max_files=7,
    )
    for copy in (pickle.loads(pickle.dumps(fs)), AbstractFileSystem.from_json(fs.to_json())):
        assert copy == fs
        copy.pipe_file("/home/x", b"1")
        with pytest.raises(SecurityViolation):
            copy.pipe_file("/home/x.key", b"1")


def test_urls(chukmem: MemoryFileSystem) -> None:
    options: dict[str, Any] = {"chukmem": {"name": chukmem.name}, "chuksecure": {"denied_paths": ["/secret"]}}
    with fsspec.open("chuksecure::chukmem://d/f", "wb", **options) as file:
        file.write(b"1")
    assert chukmem.cat_file("/d/f") == b"1"
    with pytest.raises(SecurityViolation):
        fsspec.open("chuksecure::chukmem://secret/f", "wb", **options).open()
    fs, path = fsspec.url_to_fs("chuksecure::chukmem://d/f", **options)
    assert (type(fs), path) == (SecureFileSystem, "/d/f")


def test_pandas_passes_the_refusal_on(chukmem: MemoryFileSystem) -> None:
    pandas = pytest.importorskip("pandas", minversion="3", reason="older ones know no chained URLs")
    options = {"chukmem": {"name": chukmem.name}, "chuksecure": {"profile": "readonly"}}
    with pytest.raises(PermissionError):
        pandas.DataFrame({"a": [1]}).to_csv("chuksecure::chukmem://d/f.csv", storage_options=options)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_after_a_fork_locks_are_free() -> None:
    below = AsyncObjectFileSystem(name="secured-fork")
    fs = SecureFileSystem(below, profile="testing")
    fs.pipe_file("/f", b"1")
    with fs._books.ledger.changing():
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if fs.get_violations() == [] and fs._books.ledger.used.size == 1 else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
