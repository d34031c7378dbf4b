"""Rules at doors: inode operations show and give no more than the filesystem does, and no less."""

from __future__ import annotations

import errno
import gc
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.paths import join
from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation
from chuk_fsspec.wrappers.security.rules import Action, Rule
from tests.security.test_security_policy import LITERALS, PATTERNS, some_rules

FILES = [f"/{first}/{second}" for first in ("a", "b", "etc") for second in ("a", ".env", "x.exe", "b/a", "etc/b")]


@pytest.fixture(scope="module")
def tree() -> Iterator[MemoryFileSystem]:
    """A tree that nobody changes."""
    fs = MemoryFileSystem(name=uuid.uuid4().hex)
    fs.pipe({path: path.encode() for path in FILES})
    yield fs
    drop_store(fs.name)


def seen_at_a_door(nodes: Any) -> tuple[set[str], dict[str, bytes]]:
    """All names and all bytes that can be had of nodes, by listing and by looking up every name there may be."""
    names: set[str] = set()
    content: dict[str, bytes] = {}
    pending = [("/", nodes.root)]
    while pending:
        path, directory = pending.pop()
        listed = dict(nodes.entries(directory))
        for name in ("a", "b", "etc", ".env", "x.exe"):
            below = join(path, name)
            try:
                node = nodes.lookup(directory, name)
            except SecurityViolation:
                node = None
            assert (node is not None) == (name in listed), below
            if node is None:
                continue
            names.add(below)
            assert nodes.getattr(node).ino == listed[name].ino
            if stat.S_ISDIR(node.mode):
                pending.append((below, node))
                continue
            try:
                content[below] = b"".join(nodes.read(node, 99, 0))
            except SecurityViolation:
                with pytest.raises(SecurityViolation):
                    nodes.open(node, os.O_RDONLY)
    return names, content


def seen_by_path(fs: Any) -> tuple[set[str], dict[str, bytes]]:
    names = {path for path in fs.find("/", withdirs=True) if path != "/"}
    content = {}
    for path in FILES:
        try:
            content[path] = fs.cat_file(path)
        except (SecurityViolation, FileNotFoundError):
            with pytest.raises((SecurityViolation, FileNotFoundError)):
                fs.open(path)
    return names, content


@given(
    rules=some_rules(),
    hidden=LITERALS,
    hidden_patterns=PATTERNS,
    denied=LITERALS,
    denied_patterns=PATTERNS,
    allowed=st.one_of(st.just(("/",)), LITERALS),
    depth=st.sampled_from([0, 0, 2]),
)
def test_no_door_gives_what_another_denies(
    tree: MemoryFileSystem,
    rules: Any,
    hidden: Any,
    hidden_patterns: Any,
    denied: Any,
    denied_patterns: Any,
    allowed: Any,
    depth: int,
) -> None:
    fs = SecureFileSystem(
        tree,
        profile={},
        rules=[*rules, Rule(Action.DENY, ("/b/b",), effects=frozenset())] if rules else (),
        hidden_paths=[path for path in hidden if path != "/"],
        hidden_patterns=hidden_patterns,
        denied_paths=[path for path in denied if path != "/"],
        denied_patterns=denied_patterns,
        allowed_paths=allowed,
        max_path_depth=depth,
    )
    if not fs.exists("/"):
        with pytest.raises((SecurityViolation, FileNotFoundError)):
            _ = fs.posix.nodes
        return
    nodes = fs.posix.nodes
    assert seen_at_a_door(nodes) == seen_by_path(fs)
    nodes.close()


# ---- grants


@pytest.fixture
def secured(chukmem: MemoryFileSystem) -> SecureFileSystem:
    chukmem.pipe({"/pub/f": b"1", "/pub/d/g": b"2", "/noread/f": b"3", "/pub/.env": b"4"})
    rules = [{"action": "deny", "paths": ["/noread"], "effects": ["read"]}]
    return SecureFileSystem(
        chukmem, profile={"rules": rules, "hidden_paths": ["/hidden"], "denied_patterns": [r"\.env"], "max_files": 100}
    )


def door(fs: SecureFileSystem) -> Any:
    """Inode operations whose insides can be looked at."""
    return fs.posix.nodes


def at(nodes: Any, path: str) -> Any:
    node = nodes.root
    for name in path.strip("/").split("/"):
        node = nodes.lookup(node, name)
        assert node is not None, path
    return node


def test_a_node_is_asked_about_once(secured: SecureFileSystem) -> None:
    nodes = door(secured)
    node = at(nodes, "/pub/d/g")
    grant = nodes._grants.known(node).note
    for _ in range(3):
        nodes.read(node, 1, 0)
        nodes.getattr(node)
    assert nodes._grants.known(node).note is grant
    assert grant is nodes._grants.known(at(nodes, "/noread")).note or grant.may_read


@pytest.mark.parametrize("by", ["this door", "another door", "path", "the filesystem below"])
def test_a_renamed_directory_is_decided_about_anew(
    by: str, secured: SecureFileSystem, chukmem: MemoryFileSystem
) -> None:
    """Also what lies below it, and what is open."""
    nodes = door(secured)
    told: list[Any] = []
    nodes.watch(lambda *change: told.append(change))
    below = at(nodes, "/pub/d/g")
    assert b"".join(nodes.read(below, 9, 0)) == b"2"
    if by == "path":
        secured.mv("/pub/d", "/noread/d")
    elif by == "the filesystem below":
        chukmem.mv("/pub/d", "/noread/d")
    else:
        other = nodes if by == "this door" else door(secured)
        other.rename(at(other, "/pub"), "d", at(other, "/noread"), "d")
    with pytest.raises(SecurityViolation) as caught:
        nodes.read(below, 9, 0)
    assert caught.value.filename == "/noread/d/g"
    assert (None, "", None) in told, "what a kernel has cached of it is no longer for everybody"


def test_a_rename_that_changes_nothing_keeps_what_was_decided(secured: SecureFileSystem) -> None:
    nodes = door(secured)
    below = at(nodes, "/pub/d/g")
    note = nodes._grants.known(below).note
    nodes.rename(at(nodes, "/pub"), "d", nodes.root, "moved")
    assert nodes._grants.known(below).note is note
    assert nodes._grants.known(below).path() == "/moved/g"


def test_of_two_names_the_stricter_one_counts(secured: SecureFileSystem, chukmem: MemoryFileSystem) -> None:
    chukmem.posix.link("/pub/f", "/noread/second")
    nodes = door(secured)
    node = at(nodes, "/pub/f")
    assert nodes.read(node, 9, 0)
    assert at(nodes, "/noread/second").ino == node.ino
    with pytest.raises(SecurityViolation):
        nodes.read(node, 9, 0)
    nodes.unlink(at(nodes, "/noread"), "second")
    assert nodes.read(node, 9, 0)


def test_links_and_moves_give_no_more(secured: SecureFileSystem) -> None:
    nodes = door(secured)
    noread, pub = at(nodes, "/noread"), at(nodes, "/pub")
    for refused in (
        lambda: nodes.link(at(nodes, "/noread/f"), pub, "g"),
        lambda: nodes.rename(noread, "f", pub, "g"),
        lambda: nodes.rename(nodes.root, "noread", pub, "g"),
        lambda: nodes.rename(pub, "f", noread, "f", 2),
        lambda: nodes.rename(pub, "f", pub, "new.env"),
        lambda: nodes.rename(pub, "f", nodes.root, "hidden"),
        lambda: nodes.create(nodes.root, "hidden", stat.S_IFREG, 0, 0),
        lambda: nodes.mkdir(nodes.root, "hidden", 0o755, 0, 0),
        lambda: nodes.unlink(pub, ".env"),
        lambda: nodes.lookup(pub, ".env"),
    ):
        with pytest.raises(SecurityViolation):
            refused()
    assert nodes.lookup(nodes.root, "hidden") is None
    for missing in (lambda: nodes.unlink(nodes.root, "hidden"), lambda: nodes.rename(nodes.root, "hidden", pub, "x")):
        with pytest.raises(FileNotFoundError):
            missing()


def test_what_is_hidden_changes_unheard(secured: SecureFileSystem, chukmem: MemoryFileSystem) -> None:
    nodes = door(secured)
    at(nodes, "/pub/f")
    told: list[str] = []
    stop = nodes.watch(lambda directory, name, node: told.append(name))
    chukmem.pipe({"/hidden": b"1", "/pub/x.env": b"2"})
    chukmem.mv("/pub/x.env", "/pub/y.env")
    assert told == []
    chukmem.pipe_file("/pub/new", b"")
    assert "new" in told
    told.clear()
    stop()
    chukmem.pipe_file("/pub/newer", b"")
    assert told == []


def test_nodes_of_a_listing_can_be_used(secured: SecureFileSystem) -> None:
    nodes = door(secured)
    entries = dict(nodes.entries(nodes.lookup(nodes.root, "pub")))
    assert set(entries) == {"f", "d"}
    assert b"".join(nodes.read(entries["f"], 9, 0)) == b"1"
    assert set(dict(nodes.entries(entries["d"]))) == {"g"}


def test_a_directory_that_was_let_go_of_is_found_again(secured: SecureFileSystem, chukmem: MemoryFileSystem) -> None:
    directory = at(chukmem.posix.nodes, "/noread")
    nodes = door(secured)
    with pytest.raises(SecurityViolation):
        nodes.read(nodes.lookup(directory, "f"), 9, 0)
    with pytest.raises(OSError) as caught:
        nodes.getattr(at(chukmem.posix.nodes, "/pub/f"))
    assert caught.value.errno == errno.ESTALE


def test_what_is_undone_is_not_where_it_was(secured: SecureFileSystem) -> None:
    nodes = door(secured)
    with pytest.raises(RuntimeError), secured.transaction:  # noqa: PT012 - the block is what is undone
        secured.mv("/pub/d", "/noread/d")
        with pytest.raises(SecurityViolation):
            nodes.read(at(nodes, "/noread/d/g"), 9, 0)
        raise RuntimeError
    assert b"".join(nodes.read(at(nodes, "/pub/d/g"), 9, 0)) == b"2"


def test_what_is_known_has_an_end(secured: SecureFileSystem, chukmem: MemoryFileSystem) -> None:
    nodes = door(secured)
    table: dict[int, Any] = {}
    end = nodes.hold(table)
    for number in range(300):
        chukmem.pipe_file(f"/many/{number}", b"")
    many = at(nodes, "/many")
    table[many.ino] = many
    for number in range(300):
        node = nodes.lookup(many, str(number))
        table[node.ino] = node
    assert len(nodes._known) > 300
    for node in list(table.values()):
        del table[node.ino]
        nodes.forget(node)
    assert len(nodes._known) == 1
    end()


def test_of_what_no_door_holds_only_the_latest_is_known(
    secured: SecureFileSystem, chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chuk_fsspec.forwarding.node_paths.KNOWN_MAX", 50)
    chukmem.pipe({f"/noread/{number}": b"1" for number in range(500)})
    nodes = door(secured)
    noread, held = at(nodes, "/noread"), at(nodes, "/pub/f")
    nodes.hold({held.ino})
    found = [nodes.lookup(noread, str(number)) for number in range(500)]
    assert len(nodes._known) <= 60
    assert nodes.read(held, 9, 0)
    with pytest.raises(SecurityViolation):
        nodes.read(found[-1], 9, 0)
    with pytest.raises(OSError) as caught:
        nodes.read(found[0], 9, 0)
    assert caught.value.errno == errno.ESTALE
    with pytest.raises(SecurityViolation):
        nodes.read(nodes.lookup(noread, "0"), 9, 0)


def test_a_door_that_is_gone_is_told_nothing(secured: SecureFileSystem, chukmem: MemoryFileSystem) -> None:
    watchers = chukmem.inodes.shared.watchers
    before = len(watchers)
    nodes = door(secured)
    assert len(watchers) == before + 1
    del nodes
    gc.collect()
    assert len(watchers) == before
    nodes = door(secured)
    nodes.close()
    assert len(watchers) == before


# ---- a mount


@pytest.mark.mount
@pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="needs /dev/fuse")
def test_a_mount_has_the_same_rules(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    from chuk_adapters.fuse.mounting import mount

    chukmem.pipe({"/d/f": b"1", "/d/.env": b"2", "/d/hidden": b"3", "/noread/f": b"4", "/d/sub/g": b"5"})
    rules = [{"action": "deny", "paths": ["/noread"], "effects": ["read"]}]
    fs = SecureFileSystem(
        chukmem,
        profile={"rules": rules, "hidden_paths": ["/d/hidden"], "denied_patterns": [r"\.env"]},
        max_total_size=100_000,
        max_files=20,
        max_file_size=60_000,
    )
    with mount(fs, tmp_path):
        assert sorted(os.listdir(tmp_path / "d")) == ["f", "sub"]
        assert (tmp_path / "d/f").read_bytes() == b"1"
        assert not (tmp_path / "d/hidden").exists()
        for refused in (
            (tmp_path / "d/.env").read_bytes,
            lambda: (tmp_path / "d/.env").write_bytes(b""),
            lambda: (tmp_path / "d/hidden").write_bytes(b""),
            (tmp_path / "noread/f").read_bytes,
            lambda: os.rename(tmp_path / "noread/f", tmp_path / "d/g"),
            lambda: os.link(tmp_path / "noread/f", tmp_path / "d/g"),
            lambda: os.rename(tmp_path / "d/f", tmp_path / "d/x.env"),
        ):
            with pytest.raises(PermissionError):
                refused()
        with pytest.raises(FileNotFoundError):
            os.unlink(tmp_path / "d/hidden")
        (tmp_path / "d/large").write_bytes(bytes(50_000))
        with pytest.raises(OSError) as caught:
            os.truncate(tmp_path / "d/large", 60_001)
        assert caught.value.errno == errno.EFBIG
        with pytest.raises(OSError) as caught:
            write_through(tmp_path / "d/more", 55_000)
        assert caught.value.errno == errno.ENOSPC
        (tmp_path / "d/more").unlink()
        with pytest.raises(OSError) as caught:
            touch_many(tmp_path / "d")
        assert caught.value.errno == errno.EDQUOT
        assert os.statvfs(tmp_path).f_favail == 0
        assert (tmp_path / "d/sub/g").read_bytes() == b"5"
        chukmem.mv("/d/sub", "/noread/sub")
        with pytest.raises(PermissionError):
            (tmp_path / "noread/sub/g").read_bytes()
        fs.pipe_file("/d/f", b"changed")
        assert (tmp_path / "d/f").read_bytes() == b"changed"
    assert chukmem.cat_file("/d/.env") == b"2"
    assert fs.usage() == fs.recount()
    assert fs.usage().size <= 100_000
    assert {one["rule"] for one in fs.get_violations()} >= {"denied_patterns", "hidden_paths", "max_files"}


def touch_many(directory: Path) -> None:
    for number in range(20):
        (directory / f"{number}").touch()


def write_through(path: Path, size: int) -> None:
    """Write, and wait until it has arrived."""
    with path.open("wb") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())
