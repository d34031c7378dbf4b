"""Rules and quotas over a directory of the host."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec import AbstractFileSystem

if sys.platform != "linux":
    pytest.skip("the deviations of chuklocal are those of Linux", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.checks import in_threads, node_at, same_filesystem
from chuk_fsspec.wrappers.audit import AuditFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation, Usage
from tests.contract.suite_groups import by_day
from tests.local.local_roots import root, tmpfs
from tests.local.test_local_behaviour import DEVIATIONS, CollectedStatVfs
from tests.security.test_security_behaviour import RAISED

__all__ = ["root", "tmpfs"]


@by_day("HardLinks", "Nofollow", "PosixHandles", "PosixNodes", "PosixRename", "Removing", "Renaming", "SymbolicLinks")
class TestOverChuklocal(BehaviourSuite):
    """By day, the groups in which both have a say: where links lead, and which file is meant."""

    deviations: ClassVar[dict[str, str]] = DEVIATIONS
    TestPosixStatVfs = CollectedStatVfs

    @pytest.fixture
    def fs(self, tmpfs: Path) -> AbstractFileSystem:
        return SecureFileSystem(
            target_protocol="chuklocal", target_options={"root": str(tmpfs)}, profile="testing", **RAISED
        )


@pytest.fixture
def canary(root: Path, tmpfs: Path) -> Iterator[Path]:
    """A file beside the root."""
    outside = tmpfs / f"outside-{root.name}"
    outside.write_bytes(b"outside")
    yield outside
    assert outside.read_bytes() == b"outside"
    outside.unlink()


def secured(root: Path, **options: Any) -> SecureFileSystem:
    return SecureFileSystem(target_protocol="chuklocal", target_options={"root": str(root)}, profile={}, **options)


def audited(root: Path) -> AuditFileSystem:
    return AuditFileSystem(target_protocol="chuklocal", target_options={"root": str(root)}, log=f"{root}.jsonl")


def test_two_roots_of_one_name_are_two(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "data").mkdir(parents=True)
        (tmp_path / parent / "data/f").write_text(parent)
    first = SecureFileSystem(LocalFileSystem(str(tmp_path / "a/data")), profile={"max_files": 100})
    second = SecureFileSystem(LocalFileSystem(str(tmp_path / "b/data")), profile={"max_files": 100})
    assert (first.cat_file("/f"), second.cat_file("/f")) == (b"a", b"b")
    first.pipe_file("/g", b"")
    assert (first.usage().files, second.usage().files) == (2, 1)


def test_links_out_of_the_root_lead_nowhere(root: Path, canary: Path) -> None:
    (root / "link").symlink_to(canary)
    (root / "up").symlink_to(f"../{canary.name}")
    os.link(canary, root / "hard")
    fs = secured(root, hidden_paths=["/secret"])
    for path in ("/link", "/up"):
        for use in (fs.cat_file, fs.open, fs.posix.stat):
            with pytest.raises((FileNotFoundError, OSError)):
                use(path)
        assert not fs.exists(path)
    fs.pipe_file("/hard", b"replaced")
    assert fs.cat_file("/hard") == b"replaced"


WRITES: dict[str, Callable[[Any, str], Any]] = {
    "pipe_file": lambda fs, name: fs.pipe_file(f"/{name}", bytes(40)),
    "append": lambda fs, name: fs.open(f"/{name}", "ab").close(),
    "truncate": lambda fs, name: fs.posix.truncate(f"/{name}", 45),
    "open_handle": lambda fs, name: fs.posix.open_handle(f"/{name}", os.O_RDWR).close(),
    "chmod": lambda fs, name: fs.posix.chmod(f"/{name}", 0o600),
    "touch": lambda fs, name: fs.touch(f"/{name}", truncate=False),
    "node open": lambda fs, name: opened_node(fs.posix.nodes, name),
    "node setattr": lambda fs, name: changed_node(fs, name, mode=0o600),
    "node truncate": lambda fs, name: changed_node(fs, name, size=45),
}


def opened_node(nodes: Any, name: str) -> None:
    nodes.open(nodes.lookup(nodes.root, name), os.O_RDWR).close()


def changed_node(fs: Any, name: str, **attributes: int) -> None:
    nodes = fs.posix.nodes
    node = nodes.lookup(nodes.root, name)
    nodes.setattr(node, **attributes)
    nodes.getattr(node)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_files_with_names_elsewhere_are_copied_within_the_quota(
    write: Callable[[Any, str], Any], root: Path, tmpfs: Path
) -> None:
    """The copy that is changed in their place is one more file."""
    outside = tmpfs / f"large-{root.name}"
    outside.write_bytes(bytes(40))
    for number in range(4):
        os.link(outside, root / f"{number}")
    fs = secured(root, max_total_size=135, max_files=10)
    assert fs.usage() == Usage(40, 1)
    outcomes = []
    for number in range(4):
        try:
            write(fs, f"{number}")
            outcomes.append(0)
        except OSError as error:
            outcomes.append(error.errno or 0)
    gc.collect()
    assert outcomes[:2] == [0, 0]
    assert errno.EDQUOT in outcomes
    counted = fs.usage()
    assert fs.recount().size <= counted.size <= 135, "the other name of what was replaced may be anywhere"
    assert outside.read_bytes() == bytes(40)
    outside.unlink()


def test_racing_writers_never_exceed(root: Path) -> None:
    fs = secured(root, max_total_size=10_000, max_files=100)

    def run(number: int) -> int | None:
        try:
            with same_filesystem(fs).open(f"/d{number % 4}/{number}", "wb") as file:
                file.write(bytes(500))
                file.write(bytes(500))
        except OSError as error:
            return error.errno
        return None

    results = Counter(in_threads(20, run))
    assert set(results) <= {None, errno.EDQUOT}
    assert sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) <= 10_000
    assert fs.usage() == fs.recount()


def test_a_host_process_is_not_asked_about_rules_but_they_hold(root: Path) -> None:
    """Somebody on the host moves a directory into a place that may not be read."""
    (root / "pub/d").mkdir(parents=True)
    (root / "pub/d/f").write_bytes(b"1")
    (root / "noread").mkdir()
    fs = secured(root, rules=[{"action": "deny", "paths": ["/noread"], "effects": ["read"]}])
    nodes = fs.posix.nodes
    nodes.open(node_at(nodes, "/pub/d/f"), os.O_RDONLY).close()
    os.rename(root / "pub/d", root / "noread/d")
    with pytest.raises(SecurityViolation):
        fs.cat_file("/noread/d/f")
    with pytest.raises(SecurityViolation):
        nodes.open(node_at(nodes, "/noread/d/f"), os.O_RDONLY)
    nodes.close()


@pytest.mark.parametrize("wrap", [secured, audited])
def test_directories_that_others_moved_into_one_another_do_not_hang(root: Path, wrap: Any) -> None:
    (root / "a/b").mkdir(parents=True)
    fs = wrap(root)
    nodes = fs.posix.nodes
    above = nodes.lookup(nodes.root, "a")
    below = nodes.lookup(above, "b")
    (root / "a/b").rename(root / "b")
    (root / "a").rename(root / "b/a")
    LocalFileSystem(root=str(root)).touch("/b/a/announced")
    with suppress(OSError):  # ESTALE: the way to it is not the one that was known
        nodes.lookup(below, "a")
    moved = nodes.lookup(nodes.root, "b")
    inside = nodes.lookup(moved, "a")
    assert (inside.ino, moved.ino) == (above.ino, below.ino)
    assert nodes.lookup(inside, "announced").size == 0
    nodes.unlink(inside, "announced")
    assert os.listdir(root / "b/a") == []
    nodes.close()


@pytest.mark.parametrize("way", [("a", "b"), ("a", "denied"), ("denied", "b")])
def test_a_change_next_to_what_others_moved_is_no_error(root: Path, way: tuple[str, str]) -> None:
    """What a door knows of the way there is wrong; whoever writes by the API does not have to care."""
    (root / "a/b/c").mkdir(parents=True)
    local = LocalFileSystem(root=str(root))
    fs = SecureFileSystem(fs=local, profile={}, hidden_patterns=["glob:denied"])
    nodes = fs.posix.nodes
    node = node_at(nodes, "a/b/c")
    first, second = way
    (root / "a").rename(root / "old")
    (root / first / second).mkdir(parents=True)
    (root / "old/b/c").rename(root / first / second / "c")
    local.pipe(f"/{first}/{second}/c/f", b"1")
    local.mv(f"/{first}/{second}/c", "/c", recursive=True)
    local.mv("/c", f"/{first}/{second}/c", recursive=True)
    is_shown = "denied" not in way
    assert fs.exists(f"/{first}/{second}/c/f") == is_shown
    with suppress(OSError):
        assert (nodes.lookup(node, "f") is not None) == is_shown
    nodes.close()


def test_a_tree_that_mounts_what_follows_links_by_itself_is_refused(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace.toml"
    workspace.write_text(f'[mounts."/"]\nprotocol = "chukmem"\n[mounts."/host"]\nurl = "file://{tmp_path}"\n')
    with pytest.raises(ValueError, match="chuklocal"):
        SecureFileSystem(target_protocol="chukmount", target_options={"workspace": str(workspace)})
    tree = MountedFileSystem({"/": "chukmem"})
    tree.mount("/host", f"file://{tmp_path}")
    with pytest.raises(ValueError, match="chuklocal"):
        SecureFileSystem(fs=tree)
