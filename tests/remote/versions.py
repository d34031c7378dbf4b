"""What is the same of versions on every service that keeps them; each room brings the filesystem."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec import ReadOnlyFileSystem
from chuk_fsspec.contract.capabilities import capabilities_of


class Versions:
    """Tests on ``versioned``, the filesystem of a bucket that keeps versions, which is empty."""

    def test_they_are_listed_the_latest_first(self, versioned: Any) -> None:
        for content in (b"1", b"22", b"333"):
            versioned.pipe_file("/d/f", content)
        versioned.pipe_file("/d/f2", b"another")
        found = versioned.versions.list("/d/f")
        assert [one.size for one in found] == [3, 2, 1]
        assert [one.is_latest for one in found] == [True, False, False]
        assert versioned.info("/d/f")["version_id"] == found[0].version_id
        assert versioned.info("/d/f")["etag"] == found[0].etag

    def test_each_is_read(self, versioned: Any, tmp_path: Path) -> None:
        versioned.pipe_file("/f", b"first of all", content_type="text/x-first")
        first = versioned.info("/f")["version_id"]
        versioned.pipe_file("/f", b"second")
        assert versioned.cat_file("/f", version_id=first) == b"first of all"
        assert versioned.cat_file("/f", -3, version_id=first) == b"all"
        assert versioned.cat_file("/f", 6, 8, version_id=first) == b"of"
        assert versioned.cat_file("/f", 100, 101, version_id=first) == b""
        assert versioned.info("/f", version_id=first)["size"] == 12
        assert versioned.info("/f", version_id=first)["content_type"] == "text/x-first"
        with versioned.open("/f", "rb", version_id=first) as file:
            assert (file.size, file.read()) == (12, b"first of all")
        with versioned.open("/f", "r", version_id=first) as file:
            assert file.read(5) == "first"
        versioned.get_file("/f", str(tmp_path / "f"), version_id=first)
        assert (tmp_path / "f").read_bytes() == b"first of all"
        assert versioned.cat_file("/f") == b"second"

    def test_each_is_awaited(self, versioned: Any) -> None:
        async def read() -> bytes:
            fs: Any = type(versioned)(**{**versioned.storage_options, "asynchronous": True})
            await fs._pipe_file("/f", b"1")
            first = (await fs._info("/f"))["version_id"]
            await fs._pipe_file("/f", b"2")
            async with await fs.open_async("/f", version_id=first) as file:
                data: bytes = await file.read()
            await fs._close()
            return data

        assert asyncio.run(read()) == b"1"

    def test_one_is_restored(self, versioned: Any) -> None:
        etag = versioned.pipe_file("/f", b"1", content_type="text/x-one", metadata={"by": "me"})
        first = versioned.info("/f")["version_id"]
        versioned.pipe_file("/f", b"2")
        assert versioned.versions.restore("/f", first)
        now = versioned.info("/f", version_id=versioned.info("/f")["version_id"])
        assert (now["content_type"], now["metadata"]) == ("text/x-one", {"by": "me"})
        assert versioned.cat_file("/f") == versioned.cat_file("/f", version_id=first) == b"1"
        assert len(versioned.versions.list("/f")) == 3
        assert versioned.info("/f", version_id=first)["etag"] == etag

    def test_a_removed_file_is_restored(self, versioned: Any) -> None:
        versioned.pipe_file("/f", b"1")
        first = versioned.info("/f")["version_id"]
        versioned.rm("/f")
        assert not versioned.exists("/f")
        assert versioned.cat_file("/f", version_id=first) == b"1"
        versioned.versions.restore("/f", first)
        assert versioned.cat_file("/f") == b"1"

    def test_one_is_removed(self, versioned: Any) -> None:
        versioned.pipe_file("/f", b"1")
        first = versioned.info("/f")["version_id"]
        versioned.pipe_file("/f", b"2")
        versioned.versions.remove("/f", first)
        assert [one.size for one in versioned.versions.list("/f")] == [1]
        assert versioned.cat_file("/f") == b"2"
        with pytest.raises(FileNotFoundError, match="version"):
            versioned.cat_file("/f", version_id=first)
        with pytest.raises(FileNotFoundError):
            versioned.info("/f", version_id=first)
        with pytest.raises(FileNotFoundError):
            versioned.versions.restore("/f", first)

    def test_what_never_was_has_none(self, versioned: Any) -> None:
        versioned.pipe_file("/d/f", b"1")
        with pytest.raises(FileNotFoundError):
            versioned.versions.list("/nothing")
        with pytest.raises(IsADirectoryError):
            versioned.versions.list("/d")

    def test_nothing_is_written_to_an_old_one(self, versioned: Any) -> None:
        versioned.pipe_file("/f", b"1")
        with pytest.raises(ValueError, match="version_id"):
            versioned.open("/f", "wb", version_id=versioned.info("/f")["version_id"])

    def test_no_name_is_not_that_of_the_latest(self, versioned: Any) -> None:
        versioned.pipe_file("/f", b"1")
        for act in (versioned.versions.remove, versioned.versions.restore):
            with pytest.raises(ValueError, match="version_id"):
                act("/f", "")
        assert len(versioned.versions.list("/f")) == 1

    def test_they_are_declared(self, versioned: Any) -> None:
        assert capabilities_of(versioned).versions
        assert not capabilities_of(ReadOnlyFileSystem(fs=versioned)).versions
