"""Inode operations on record, by themselves and through a mount."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from chuk_adapters.fuse import Mount, MountOptions
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from chuk_fsspec.testing.checks import node_at
from chuk_fsspec.vfs import open_vfs
from chuk_fsspec.wrappers.audit import AuditFileSystem, Entry
from chuk_fsspec.wrappers.audit.nodes import AuditNodes
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.audit.audit_logs import Make

EVERYTHING = tuple(effect.value for effect in Effect)


@pytest.fixture
def make(chukmem: MemoryFileSystem, tmp_path: Path) -> Make:
    def make(**options: Any) -> AuditFileSystem:
        return AuditFileSystem(**{"fs": chukmem, "log": str(tmp_path / "audit.jsonl"), "reserve": 0, **options})

    return make


@pytest.fixture
def nodes(fs: AuditFileSystem) -> NodeOperations:
    view: NodeOperations = fs.posix.nodes
    return view


def entries(fs: AuditFileSystem) -> list[Entry]:
    return [record.entry for record in fs.records() if record.entry.operation.startswith("node.")]


def said(fs: AuditFileSystem, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(entry, name) for name in names) for entry in entries(fs)]


def make_file(nodes: NodeOperations, directory: Node, name: str) -> Node:
    return nodes.create(directory, name, stat.S_IFREG | 0o644, 1, 2)


def test_opening_the_door_is_on_record(fs: AuditFileSystem) -> None:
    _ = fs.posix.nodes
    assert [record.entry.operation for record in fs.records()] == ["audit.start", "posix.nodes"]


def test_changes_are_on_record_with_their_paths(fs: AuditFileSystem, nodes: NodeOperations) -> None:
    top = nodes.mkdir(nodes.root, "d", 0o755, 1, 2)
    deep = nodes.mkdir(top, "e", 0o755, 1, 2)
    file = make_file(nodes, deep, "f")
    nodes.symlink(top, "l", "e/f", 1, 2)
    nodes.link(file, top, "g")
    nodes.setattr(file, mode=0o600, mtime_ns=5)
    nodes.setxattr(file, "user.x", b"SECRET")
    nodes.removexattr(file, "user.x")
    nodes.rename(top, "e", nodes.root, "moved")
    nodes.unlink(deep, "f")
    nodes.setattr(file, size=3)
    nodes.rmdir(nodes.root, "moved")
    assert said(fs, "operation", "effect", "path", "path2") == [
        ("node.mkdir", "write", "/d", None),
        ("node.mkdir", "write", "/d/e", None),
        ("node.create", "write", "/d/e/f", None),
        ("node.symlink", "write", "/d/l", None),
        ("node.link", "write", "/d/e/f", "/d/g"),
        ("node.setattr", "write", "/d/e/f", None),
        ("node.setxattr", "write", "/d/e/f", None),
        ("node.removexattr", "write", "/d/e/f", None),
        ("node.rename", "rename", "/d/e", "/moved"),
        ("node.unlink", "delete", "/moved/f", None),
        ("node.setattr", "write", "/d/g", None),
        ("node.rmdir", "delete", "/moved", None),
    ]
    assert [entry.detail for entry in entries(fs)][3:6] == [
        {"target": "e/f", "uid": 1, "gid": 2},
        {},
        {"mode": "0o600", "mtime_ns": 5},
    ]
    assert "SECRET" not in Path(fs.audit_log).read_text()


def test_two_that_are_swapped_are_known_by_their_new_names(fs: AuditFileSystem, nodes: NodeOperations) -> None:
    first, second = (nodes.mkdir(nodes.root, name, 0o755, 0, 0) for name in "ab")
    nodes.rename(nodes.root, "a", nodes.root, "b", RENAME_EXCHANGE)
    make_file(nodes, first, "in-first")
    make_file(nodes, second, "in-second")
    assert said(fs, "path")[-2:] == [("/b/in-first",), ("/a/in-second",)]


def test_looking_is_recorded_only_if_asked_for(make: Make, fs: AuditFileSystem, nodes: NodeOperations) -> None:
    fs.pipe_file("/f", b"1")

    def look(nodes: NodeOperations) -> None:
        file = node_at(nodes, "/f")
        nodes.getattr(file)
        nodes.entries(nodes.root)
        nodes.listxattr(file)
        nodes.getxattr(file, "security.capability")
        nodes.statvfs()

    look(nodes)
    assert entries(fs) == []
    look(make(node_effects=EVERYTHING).posix.nodes)
    assert said(fs, "operation", "path", "effect") == [
        ("node.lookup", "/f", "list"),
        ("node.getattr", "/f", "list"),
        ("node.entries", "/", "list"),
        ("node.listxattr", "/f", "list"),
        ("node.statvfs", None, "list"),
    ]


def test_a_listing_tells_paths_too(fs: AuditFileSystem, nodes: NodeOperations) -> None:
    fs.pipe({"/d/a": b"1", "/d/b": b"2"})
    top = node_at(nodes, "/d")
    for _, node in nodes.entries(top):
        nodes.setattr(node, mode=0o600)
    assert said(fs, "path") == [("/d/a",), ("/d/b",)]


# ---- content without open files


def test_the_first_write_is_recorded_at_once_and_the_rest_in_one(fs: AuditFileSystem, nodes: NodeOperations) -> None:
    file = make_file(nodes, nodes.root, "f")
    before = fs.info("/f")["etag"]
    for number in range(50):
        nodes.write(file, b"12345", 5 * number)
    for _ in range(50):
        nodes.append(file, b"12345")
    assert said(fs, "operation", "bytes_written") == [("node.create", None), ("node.write", 5)]
    nodes.forget(file)
    _, first, rest = entries(fs)
    assert (rest.operation, rest.path, rest.bytes_written) == ("node.write", "/f", 495)
    assert (first.etag_before, first.etag_after, rest.etag_after) == (before, rest.etag_before, fs.info("/f")["etag"])
    nodes.forget(file)
    nodes.close()
    assert len(entries(fs)) == 3


def test_reads_are_summed_up_until_the_door_closes(fs: AuditFileSystem, nodes: NodeOperations) -> None:
    fs.pipe_file("/f", bytes(100))
    file = node_at(nodes, "/f")
    for number in range(10):
        assert len(b"".join(nodes.read(file, 10, 10 * number))) == 10
    nodes.close()
    assert said(fs, "operation", "path", "bytes_read", "etag_after") == [
        ("node.read", "/f", 10, None),
        ("node.read", "/f", 90, None),
    ]


def test_what_goes_on_for_long_is_recorded_meanwhile(fs: AuditFileSystem, chukmem: MemoryFileSystem) -> None:
    recorder = fs._node_recorder
    nodes = AuditNodes(chukmem.posix.nodes, recorder, interval=0.05)
    file, other = (make_file(nodes, nodes.root, name) for name in "fg")
    nodes.write(file, b"1", 0)
    nodes.write(file, b"23", 1)
    assert [entry.bytes_written for entry in entries(fs)[2:]] == [1]
    time.sleep(0.06)
    nodes.write(other, b"4", 0)
    assert said(fs, "path", "bytes_written")[2:] == [("/f", 1), ("/f", 2), ("/g", 1)]


def test_a_write_that_fails_is_on_record(chukmem: MemoryFileSystem, make: Make) -> None:
    fs = make(fs=MemoryFileSystem(name=f"{chukmem.name}-small", capacity=10))
    nodes = fs.posix.nodes
    file = make_file(nodes, nodes.root, "f")
    with pytest.raises(OSError, match="No space"):
        nodes.write(file, bytes(100), 0)
    with pytest.raises(OSError, match="No space"):
        nodes.append(file, bytes(100))
    assert said(fs, "operation", "decision", "error")[-2:] == [("node.write", "failed", "ENOSPC")] * 2


def test_the_state_is_that_of_the_node_and_not_of_another_under_its_name(
    fs: AuditFileSystem, nodes: NodeOperations, chukmem: MemoryFileSystem
) -> None:
    file = make_file(nodes, nodes.root, "f")
    chukmem.mv("/f", "/elsewhere")
    chukmem.pipe_file("/f", b"another")
    nodes.write(file, b"1", 0)
    assert entries(fs)[-1].etag_after is None


# ---- open files


def test_open_files_are_counted(fs: AuditFileSystem, nodes: NodeOperations) -> None:
    file = make_file(nodes, nodes.root, "f")
    handle = nodes.open(file, os.O_RDWR)
    handle.pwrite(b"12345", 0)
    handle.pread(3, 0)
    nodes.setattr(file, size=2, handle=handle)
    handle.close()
    assert said(fs, "operation", "path", "bytes_read", "bytes_written") == [
        ("node.create", "/f", None, None),
        ("node.open", "/f", None, None),
        ("node.setattr", "/f", None, None),
        ("node.close", "/f", 3, 5),
    ]
    with pytest.raises(OSError, match="Is a directory"):
        nodes.open(nodes.root, os.O_RDONLY)
    assert said(fs, "operation", "path", "decision", "error")[-1] == ("node.open", "/", "failed", "EISDIR")


# ---- what cannot be recorded


def test_what_cannot_be_recorded_is_not_done(
    fs: AuditFileSystem, nodes: NodeOperations, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(nodes, nodes.root, "f")

    def refuse() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fs._log, "check_ready", refuse)
    before = listing(nodes)
    for change in (
        lambda: nodes.write(file, b"1", 0),
        lambda: nodes.setattr(file, size=3),
        lambda: nodes.unlink(nodes.root, "f"),
        lambda: nodes.rename(nodes.root, "f", nodes.root, "g"),
        lambda: make_file(nodes, nodes.root, "h"),
        lambda: nodes.open(file, os.O_WRONLY),
    ):
        with pytest.raises(OSError, match="No space"):
            change()
    assert listing(nodes) == before


def listing(nodes: NodeOperations) -> list[tuple[str, int, int]]:
    return [(name, node.ino, node.size) for name, node in nodes.entries(nodes.root)]


# ---- a mount


@pytest.mark.mount
def test_programs_on_a_mount_are_on_record(fs: AuditFileSystem, tmp_path: Path) -> None:
    place = tmp_path / "mnt"
    place.mkdir()
    fs.pipe_file("/old.txt", b"from before")
    with Mount(open_vfs(fs), place, MountOptions()):
        script = "cat old.txt; mkdir -p a/b; echo hello > a/b/new.txt; mv a/b/new.txt c.txt; ln -s c.txt l; rm old.txt"
        done = subprocess.run(["sh", "-euc", script], cwd=place, capture_output=True, check=True)
        assert done.stdout == b"from before"
        with pytest.raises(FileNotFoundError):
            (place / "none").read_bytes()
    found = [row for row in said(fs, "operation", "path", "path2", "decision") if row[0] != "node.setattr"]
    assert found == [
        ("node.read", "/old.txt", None, "allowed"),
        ("node.mkdir", "/a", None, "allowed"),
        ("node.mkdir", "/a/b", None, "allowed"),
        ("node.create", "/a/b/new.txt", None, "allowed"),
        ("node.write", "/a/b/new.txt", None, "allowed"),
        ("node.rename", "/a/b/new.txt", "/c.txt", "allowed"),
        ("node.symlink", "/l", None, "allowed"),
        ("node.unlink", "/old.txt", None, "allowed"),
    ]
    assert fs.cat_file("/c.txt") == b"hello\n"


@pytest.mark.mount
def test_what_a_policy_refuses_on_a_mount_is_on_record(make: Make, chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    place = tmp_path / "mnt"
    place.mkdir()
    chukmem.pipe({"/denied/f": b"1", "/free/f": b"2"})
    fs = make(fs=SecureFileSystem(chukmem, denied_paths=["/denied"]))
    with Mount(open_vfs(fs), place, MountOptions()):
        for change in (
            (place / "denied" / "f").read_bytes,
            lambda: (place / "denied" / "g").write_bytes(b""),
        ):
            with pytest.raises(PermissionError):
                change()
        (place / "free" / "f").unlink()
    refused = [entry for entry in entries(fs) if entry.decision == "refused"]
    assert refused
    assert all((entry.path or "").startswith("/denied") for entry in refused)
    assert said(fs, "operation", "path", "decision")[-1] == ("node.unlink", "/free/f", "allowed")


@pytest.mark.mount
def test_a_large_file_on_a_mount_costs_few_records(fs: AuditFileSystem, tmp_path: Path) -> None:
    place = tmp_path / "mnt"
    place.mkdir()
    size = 8 * 1024 * 1024
    with Mount(open_vfs(fs), place, MountOptions()):
        (place / "large").write_bytes(bytes(size))
    written = [entry.bytes_written or 0 for entry in entries(fs) if entry.operation == "node.write"]
    assert sum(written) == size
    assert len(written) <= 3
