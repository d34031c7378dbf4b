"""What went wrong in chuk-virtual-fs, each on the places for files where it did."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chuk_fsspec import AsyncVirtualFileSystem, SecurityViolation, VirtualFileSystem
from tests.facade.facade_kinds import KINDS, error_of, full

__all__ = ["full"]


def test_an_underscore_is_a_letter(full: VirtualFileSystem) -> None:
    full.batch_write_files({"/axb/f": "1", "/a%/f": "2"})
    full.mkdir("/a_b")
    assert (full.ls("/a_b"), full.find(path="/a_b")) == ([], [])
    full.rmdir("/a_b")
    full.rm("/a%", recursive=True)
    assert full.find() == ["/axb", "/axb/f"]


def test_a_file_has_nothing_below_it(full: VirtualFileSystem) -> None:
    full.write_file("/f", "x")
    for call in (
        lambda: full.write_file("/f/g", "y"),
        lambda: full.mkdir("/f/d"),
        lambda: full.cp("/f", "/f/copy"),
        lambda: full.mv("/f", "/f/moved"),
        lambda: full.stream_write("/f/g", [b"y"]),
    ):
        assert error_of(call) in (errno.ENOTDIR, errno.EINVAL)
    assert (full.find(), full.read_file("/f")) == (["/f"], "x")


def test_what_a_directory_held_goes_with_it(full: VirtualFileSystem) -> None:
    full.batch_write_files({"/d/a": "1", "/d/s/b": "2"})
    full.mkdir("/d/empty")
    full.mv("/d", "/e")
    assert full.find() == ["/e", "/e/a", "/e/empty", "/e/s", "/e/s/b"]
    assert error_of(full.read_file, "/d/a") == errno.ENOENT
    info = full.get_node_info("/e/a")
    assert info is not None
    assert info.get_path() == "/e/a"


def test_no_name_is_taken_for_its_own_use(full: VirtualFileSystem) -> None:
    names = {"/x": "x", "/x.meta": "mine", "/x.tmp": "mine", "/.tmp_x": "mine", "/.meta": "mine"}
    full.batch_write_files(names)
    full.set_metadata("/x", {"k": 1})
    full.stream_write("/x", [b"new"])
    assert full.ls() == sorted(name[1:] for name in names)
    assert full.batch_read_files(names, as_text=True) == {**names, "/x": "new"}


def test_a_stream_keeps_what_is_known_of_the_file(full: VirtualFileSystem) -> None:
    full.write_file("/f", "old")
    full.set_metadata("/f", {"author": "Ada"})
    full.fs.posix.chmod("/f", 0o640)
    full.stream_write("/f", [b"new"])
    info = full.get_node_info("/f")
    assert info is not None
    assert (info.permissions, info.custom_meta) == ("640", {"author": "Ada"})


@pytest.mark.parametrize("kind", ["memory", "sqlite", "filesystem"])
def test_readers_see_the_old_file_or_the_new_one(kind: str, tmp_path: Path) -> None:
    async def halves(number: int) -> AsyncIterator[bytes]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield bytes([number]) * 5000

    async def main() -> None:
        provider, options = KINDS[kind](tmp_path)
        async with AsyncVirtualFileSystem(provider, **options) as fs:
            await fs.write_binary("/f", b"\0" * 10_000)

            async def replace() -> None:
                for number in range(30):
                    await fs.stream_write("/f", halves(number))

            replacing = asyncio.ensure_future(replace())
            while not replacing.done():
                data = await fs.read_binary("/f")
                assert data == data[:1] * 10_000
                await asyncio.sleep(0)
            await replacing

    asyncio.run(main())


def test_links_lead_nowhere_outside(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    fs = VirtualFileSystem("filesystem", root_path=tmp_path / "root")
    os.symlink(tmp_path / "secret", tmp_path / "root" / "link")
    os.symlink(tmp_path, tmp_path / "root" / "up")
    assert error_of(fs.read_file, "/link") == errno.ENOENT
    assert not fs.exists("/up/secret")
    assert error_of(fs.write_file, "/up/secret", "changed") is not None
    assert (tmp_path / "secret").read_text() == "secret"


# ---- rules and quotas


@pytest.mark.parametrize("kind", ["memory", "sqlite", "filesystem"])
def test_a_quota_holds_for_all_at_once(kind: str, tmp_path: Path) -> None:
    async def main() -> None:
        provider, options = KINDS[kind](tmp_path)
        async with AsyncVirtualFileSystem(provider, security_max_total_size=10_000, **options) as fs:
            calls = [fs.write_file(f"/{number}", "x" * 1000) for number in range(40)]
            done = await asyncio.gather(*calls, return_exceptions=True)
            refused = [one for one in done if isinstance(one, OSError)]
            assert len(done) - len(refused) == 10
            assert (await fs.get_storage_stats())["total_size_bytes"] == 10_000
            assert len(await fs.ls("/")) == 10

    asyncio.run(main())


def test_directories_count() -> None:
    fs = VirtualFileSystem(security_max_files=3)
    for number in range(3):
        fs.mkdir(f"/{number}")
    assert error_of(fs.mkdir, "/4") in (errno.EDQUOT, errno.ENOSPC)
    assert len(fs.ls()) == 3


def test_a_pattern_is_of_every_name_in_a_path() -> None:
    fs = VirtualFileSystem(security_profile="default")
    for path in ("/home/.ssh/key", "/.aws/credentials", "/a/.config/b/c"):
        with pytest.raises(SecurityViolation):
            fs.write_file(path, "x")
    assert fs.ls() == []


def test_nothing_mounted_steps_around_the_rules() -> None:
    fs = VirtualFileSystem(enable_mounts=True, security_profile="readonly")
    assert error_of(fs.mount, "/", "memory") == errno.EBUSY
    fs.mount("/m", "memory")
    for call in (lambda: fs.write_file("/m/f", "x"), lambda: fs.mkdir("/m/d"), lambda: fs.set_metadata("/m", {"a": 1})):
        assert error_of(call) == errno.EROFS


def test_a_refused_write_leaves_nothing() -> None:
    fs = VirtualFileSystem(security_max_file_size=100)
    assert error_of(fs.write_file, "/f", "x" * 101) == errno.EFBIG
    assert error_of(fs.stream_write, "/f", [b"x" * 60] * 2) == errno.EFBIG
    assert fs.ls() == []
