"""A mount and the filesystem object behind it are two views of the same files: what one changes, the other sees."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec import MemoryFileSystem
from tests.waiting import wait_until
from tests.wrappers.passing_fs import PassingFileSystem

pytestmark = pytest.mark.mount


@pytest.fixture(params=[False, True], ids=["plain", "writeback"])
def point(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[Path]:
    """A mounted chukmem, with and without the kernel's write-back cache."""
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(chukmem, target, MountOptions(writeback=request.param)):
        yield target


def run(*command: str) -> str:
    """What another process sees."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_file_made_by_a_tool_shows_in_the_api(chukmem: MemoryFileSystem, point: Path) -> None:
    run("sh", "-c", f"echo hello > {point}/a.txt; mkdir {point}/d; ln -s a.txt {point}/l")
    assert chukmem.cat_file("/a.txt") == b"hello\n"
    assert chukmem.isdir("/d")
    assert chukmem.posix.readlink("/l") == "a.txt"


def test_a_new_file_shows_although_the_kernel_remembers_that_it_was_missing(
    chukmem: MemoryFileSystem, point: Path
) -> None:
    assert not (point / "late").exists()
    chukmem.pipe_file("/late", b"now")
    assert run("cat", str(point / "late")) == "now"


def test_new_content_and_size_show_although_the_kernel_holds_the_old(chukmem: MemoryFileSystem, point: Path) -> None:
    chukmem.pipe_file("/f", b"old and long content")
    assert run("cat", str(point / "f")) == "old and long content"
    for content in (b"short", b"something much longer than it ever was before", b""):
        chukmem.pipe_file("/f", content)
        assert (point / "f").stat().st_size == len(content)
        assert run("cat", str(point / "f")).encode() == content


def test_a_file_that_a_tool_wrote_can_be_replaced_and_written_again(chukmem: MemoryFileSystem, point: Path) -> None:
    (point / "f").write_text("from the mount")
    chukmem.pipe_file("/f", b"from the api, longer")
    assert (point / "f").read_text() == "from the api, longer"
    with (point / "f").open("a") as file:
        file.write("!")
    assert chukmem.cat_file("/f") == b"from the api, longer!"


def test_both_names_of_a_hard_linked_file_show_new_content(chukmem: MemoryFileSystem, point: Path) -> None:
    (point / "one").write_text("old")
    os.link(point / "one", point / "two")
    assert (point / "one").read_text() == (point / "two").read_text() == "old"
    chukmem.pipe_file("/one", b"new and longer")
    assert (point / "one").read_text() == (point / "two").read_text() == "new and longer"
    assert (point / "two").stat().st_nlink == 2


def test_removal_and_rename_show(chukmem: MemoryFileSystem, point: Path) -> None:
    chukmem.pipe_file("/d/e/f", b"x")
    assert run("cat", str(point / "d/e/f")) == "x"
    chukmem.mv("/d/e", "/moved")
    assert not (point / "d/e").exists()
    assert (point / "moved/f").read_text() == "x"
    assert os.listdir(point / "d") == []
    chukmem.rm("/moved", recursive=True)
    assert sorted(os.listdir(point)) == ["d"]


def test_attributes_show(chukmem: MemoryFileSystem, point: Path) -> None:
    chukmem.pipe_file("/f", b"x")
    assert (point / "f").stat().st_mode & 0o777 == 0o644
    chukmem.posix.chmod("/f", 0o600)
    chukmem.posix.utime("/f", ns=(1_000_000_001, 2_000_000_002))
    status = (point / "f").stat()
    assert status.st_mode & 0o777 == 0o600
    assert status.st_mtime_ns == 2_000_000_002


def test_a_rolled_back_transaction_leaves_no_trace_on_the_mount(chukmem: MemoryFileSystem, point: Path) -> None:
    chukmem.pipe_file("/keep", b"keep")
    assert os.listdir(point) == ["keep"]

    def transact() -> None:
        with chukmem.transaction:
            chukmem.mv("/keep", "/gone")
            chukmem.mkdir("/new")
            assert sorted(os.listdir(point)) == ["gone", "new"]
            raise RuntimeError("undo")

    with pytest.raises(RuntimeError, match="undo"):
        transact()
    assert os.listdir(point) == ["keep"]
    assert (point / "keep").read_text() == "keep"
    assert not (point / "gone").exists()


def test_in_place_edits_through_a_handle_show(chukmem: MemoryFileSystem, point: Path) -> None:
    (point / "f").write_bytes(b"0123456789")
    with chukmem.posix.open_handle("/f", os.O_RDWR) as handle:
        handle.pwrite(b"AB", 4)
        assert (point / "f").read_bytes() == b"0123AB6789"
        handle.truncate(3)
        assert (point / "f").read_bytes() == b"012"


def test_two_mounts_of_one_store_see_each_other(chukmem: MemoryFileSystem, point: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with mount(chukmem, other):
        assert not (other / "a").exists()
        (point / "a").write_text("one")
        wait_until(lambda: (other / "a").exists() and (other / "a").read_text() == "one")
        (other / "a").write_text("two, longer")
        wait_until(lambda: (point / "a").read_text() == "two, longer")


def test_mounts_and_api_change_one_tree_at_once_without_a_deadlock(
    chukmem: MemoryFileSystem, point: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    failures: list[BaseException] = []

    def work(directory: Path) -> None:
        try:
            for i in range(150):
                (directory / f"{threading.get_ident()}-{i}").write_text("x")
                (directory / f"{threading.get_ident()}-{i}").unlink()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    def call(number: int) -> None:
        for i in range(150):
            chukmem.pipe_file(f"/api-{number}-{i}", b"x")
            chukmem.rm_file(f"/api-{number}-{i}")

    with mount(chukmem, other):
        threads = [threading.Thread(target=work, args=(p,)) for p in (point, other, point, other)]
        threads += [threading.Thread(target=call, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
    assert failures == []
    assert chukmem.ls("/", detail=False) == []


class PathsOnly(PassingFileSystem):
    """Offers no inode operations, so that the VFS remembers what was said of paths."""

    passes_nodes = False


def test_who_wants_nothing_believed_is_shown_what_is_there(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    with mount(PathsOnly(chukmem), tmp_path, MountOptions(cache_timeout=0)):
        for _ in range(3):
            chukmem.pipe_file("/f", b"x")
            assert (tmp_path / "f").exists()
            chukmem.rm_file("/f")
            assert not (tmp_path / "f").exists()
