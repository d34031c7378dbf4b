"""Where a facade keeps its files: providers by the names of chuk-virtual-fs, their options, mounts and rules."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec import MemoryFileSystem, SecurityViolation, SnapshotManager, SyncVirtualFileSystem, VirtualFileSystem
from chuk_fsspec.backends.memory import drop_store
from chuk_fsspec.facade.providers import PROVIDERS
from chuk_fsspec.registry import PROTOCOLS
from tests.facade.facade_kinds import error_of

# ---- providers


def test_memory_is_private_unless_it_has_a_name() -> None:
    one, other = VirtualFileSystem(), VirtualFileSystem("memory")
    one.write_file("/f", "mine")
    assert other.ls() == []
    try:
        named, same = VirtualFileSystem(name="facade test"), VirtualFileSystem("memory", name="facade test")
        named.write_file("/f", "ours")
        assert same.read_file("/f") == "ours"
    finally:
        drop_store("facade test")


def test_memory_takes_a_capacity() -> None:
    fs = VirtualFileSystem(capacity=1000)
    assert error_of(fs.write_file, "/f", "x" * 2000) == errno.ENOSPC
    assert fs.ls() == []


def test_files_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fs = VirtualFileSystem("filesystem", root_path=tmp_path / "new" / "root")
    fs.write_file("/d/f", "x")
    assert (tmp_path / "new" / "root" / "d" / "f").read_text() == "x"
    monkeypatch.chdir(tmp_path)
    VirtualFileSystem("local").write_file("/f", "x")
    assert (tmp_path / "virtual_fs" / "f").read_text() == "x"
    assert error_of(VirtualFileSystem, "local", root_path="missing", create_root=False) == errno.ENOENT
    assert VirtualFileSystem("local", root_path=".").get_provider_name() == "filesystem"


def test_a_database_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with VirtualFileSystem("sqlite", db_path="w.db") as fs:
        fs.write_file("/f", "x")
    with VirtualFileSystem("sqlite", database=str(tmp_path / "w.db")) as again:
        assert again.read_file("/f") == "x"
    with pytest.raises(ValueError, match="database"):
        VirtualFileSystem("sqlite")


def test_any_filesystem_will_do() -> None:
    opened = MemoryFileSystem.private()
    fs = SyncVirtualFileSystem(opened)
    fs.write_file("/f", "x")
    assert opened.cat_file("/f") == b"x"
    assert fs.fs is opened
    with pytest.raises(ValueError, match="open already and takes no options: name"):
        VirtualFileSystem(opened, name="x")
    assert VirtualFileSystem("chukmem", name="facade protocol").get_provider_name() == "memory"
    drop_store("facade protocol")
    assert VirtualFileSystem(fsspec.filesystem("memory")).get_provider_name() == "memory"


def test_the_past_is_a_place_too() -> None:
    try:
        fs = VirtualFileSystem(name="facade past")
        fs.write_file("/f", "old")
        SnapshotManager(fs).create_snapshot("before")
        fs.write_file("/f", "new")
        assert VirtualFileSystem(name="facade past", at="before").read_file("/f") == "old"
    finally:
        drop_store("facade past")


@pytest.mark.parametrize("name", [name for name, one in PROVIDERS.items() if one.protocol not in PROTOCOLS])
def test_a_provider_that_is_not_there_says_what_to_install(name: str) -> None:
    with pytest.raises(ImportError, match=rf"chuk-fsspec\[{PROVIDERS[name].extra}\]"):
        VirtualFileSystem(name)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="unknown provider 'memry'; did you mean 'memory'"):
        VirtualFileSystem("memry")
    with pytest.raises(ValueError, match="unknown provider 'zzz'; there are memory, sqlite"):
        VirtualFileSystem("zzz")
    with pytest.raises(ValueError, match="unknown option 'capcity' of the provider 'memory'; did you mean 'capacity'"):
        VirtualFileSystem(capcity=5)
    with pytest.raises(ValueError, match="unknown option 'fs'"):
        VirtualFileSystem(fs=5)
    with pytest.raises(ValueError, match="the same option"):
        VirtualFileSystem("sqlite", db_path="a", database="b")
    with pytest.raises(ValueError, match="unknown settings max_fil_size"):
        VirtualFileSystem(security_max_fil_size=5)
    with pytest.raises(ValueError, match="unknown profile 'srict'"):
        VirtualFileSystem(security_profile="srict")


# ---- mounts


@pytest.fixture
def tree(tmp_path: Path) -> VirtualFileSystem:
    fs = VirtualFileSystem(enable_mounts=True)
    fs.mount("/local", "filesystem", root_path=tmp_path / "root")
    return fs


def test_mounts_are_listed_and_seen(tree: VirtualFileSystem, tmp_path: Path) -> None:
    tree.mount("archive", "memory", read_only=True)
    assert [(one["mount_point"], one["provider"], one["read_only"]) for one in tree.list_mounts()] == [
        ("/archive", "memory", True),
        ("/local", "filesystem", False),
    ]
    assert tree.list_mounts()[1]["options"]["root"] == str(tmp_path / "root")
    assert tree.ls("/") == ["archive", "local"]
    assert tree.get_fs_info()["mounts"] == tree.list_mounts()


def test_paths_inside_a_mount_stay_there(tree: VirtualFileSystem, tmp_path: Path) -> None:
    tree.write_file("/local/cache", "x")
    tree.mv("/local/cache", "/local/renamed")
    tree.cp("/local/renamed", "/local/d/")
    tree.batch_write_files({"/local/batch": "y", "/memory": "z"})
    assert sorted(os.listdir(tmp_path / "root")) == ["batch", "d", "renamed"]
    assert tree.find() == ["/local", "/local/batch", "/local/d", "/local/d/renamed", "/local/renamed", "/memory"]
    assert tree.search("/", "y") == [("/local/batch", 1, "y")]


def test_across_mounts(tree: VirtualFileSystem, tmp_path: Path) -> None:
    tree.batch_write_files({"/d/a": "1", "/d/s/b": "2"})
    tree.cp("/d", "/local/copy")
    tree.mv("/d", "/local/moved")
    assert not tree.exists("/d")
    assert (tmp_path / "root" / "copy" / "s" / "b").read_text() == "2"
    assert (tmp_path / "root" / "moved" / "a").read_text() == "1"


def test_a_read_only_mount_takes_nothing(tree: VirtualFileSystem) -> None:
    with VirtualFileSystem() as other:
        other.write_file("/f", "x")
        tree.mount("/archive", other, read_only=True)
        assert tree.read_file("/archive/f") == "x"
        for call in (
            lambda: tree.write_file("/archive/g", ""),
            lambda: tree.rm("/archive/f"),
            lambda: tree.mkdir("/archive/d"),
            lambda: tree.touch("/archive/f"),
            lambda: tree.mv("/archive/f", "/f"),
            lambda: tree.set_metadata("/archive/f", {"a": 1}),
            lambda: tree.stream_write("/archive/g", [b"x"]),
        ):
            assert error_of(call) == errno.EROFS
        other.write_file("/f", "y")
        assert tree.read_file("/archive/f") == "y"


def test_what_cannot_be_mounted(tree: VirtualFileSystem) -> None:
    assert error_of(tree.mount, "/local", "memory") == errno.EBUSY
    assert error_of(tree.mount, "/", "memory") == errno.EBUSY
    assert error_of(tree.unmount, "/") == errno.EBUSY
    assert error_of(tree.unmount, "/nothing") == errno.EINVAL
    with pytest.raises(ValueError, match="unknown provider"):
        tree.mount("/x", "memry")
    with pytest.raises(ImportError, match=r"chuk-fsspec\[pyodide\]"):
        tree.mount("/x", "pyodide")
    assert error_of(VirtualFileSystem().mount, "/x", "memory") == errno.ENOTSUP
    tree.unmount("/local")
    assert tree.list_mounts() == []


def test_plain_filesystems_are_mounted_with_whole_files(tree: VirtualFileSystem) -> None:
    plain = fsspec.filesystem("dir", path="/facade mounts", fs=fsspec.filesystem("memory"))
    tree.mount("/plain", plain)
    file = tree.fs.open("/plain/f", "wb")
    file.write(b"half")
    file.discard()
    file.close()
    assert not tree.exists("/plain/f")
    assert tree.list_mounts()[-1]["provider"] == "dir"


# ---- rules


def test_rules_hold_for_every_method(tmp_path: Path) -> None:
    fs = VirtualFileSystem(security_profile="strict", security_max_file_size=100)
    fs.write_file("/home/f", "x")
    for call in (
        lambda: fs.write_file("/etc/f", "x"),
        lambda: fs.write_file("/home/.secret/key", "x"),
        lambda: fs.mkdir("/var/log"),
        lambda: fs.touch("/home/run.sh"),
        lambda: fs.cp("/home/f", "/usr/f"),
        lambda: fs.mv("/home/f", "/bin/f"),
        lambda: fs.stream_write("/etc/f", [b"x"]),
        lambda: fs.batch_write_files({"/home/ok": "x", "/etc/f": "x"}),
    ):
        with pytest.raises((SecurityViolation, PermissionError)):
            call()
    assert error_of(fs.write_file, "/home/large", "x" * 101) == errno.EFBIG
    assert fs.read_file("/home/f") == "x"
    assert {one["rule"] for one in fs.get_security_violations()} >= {"denied_paths", "denied_patterns"}
    assert VirtualFileSystem().get_security_violations() == []


def test_a_read_only_facade_takes_nothing() -> None:
    below = MemoryFileSystem.private()
    below.pipe_file("/f", b"x")
    fs = VirtualFileSystem(below, security_profile="readonly")
    assert fs.read_file("/f") == "x"
    for call in (
        lambda: fs.mkdir("/d"),
        lambda: fs.rm("/f"),
        lambda: fs.set_metadata("/f", {"a": 1}),
        lambda: fs.fs.posix.chmod("/f", 0),
    ):
        assert error_of(call) == errno.EROFS


def test_rules_hold_in_what_is_mounted_later() -> None:
    fs = VirtualFileSystem(enable_mounts=True, security_profile="testing", security_max_total_size=100)
    other = MemoryFileSystem.private()
    other.pipe_file("/f", b"x" * 90)
    fs.mount("/other", other)
    with pytest.raises(SecurityViolation):
        fs.write_file("/other/virus.malicious", "x")
    assert error_of(fs.write_file, "/g", "x" * 20) in (errno.EDQUOT, errno.ENOSPC)
    fs.unmount("/other")
    fs.write_file("/g", "x" * 20)


def test_settings_replace_those_of_a_profile() -> None:
    fs = VirtualFileSystem(security_denied_patterns=[r"\.key$"])
    with pytest.raises(SecurityViolation):
        fs.write_file("/my.key", "x")
    fs.write_file("/.env", "x")
    own = VirtualFileSystem(security_profile={"profile": "untrusted", "max_files": 3}, security_read_only=True)
    assert error_of(own.mkdir, "/sandbox") == errno.EROFS
