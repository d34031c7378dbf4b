"""What people do with chuks3: URLs, mounts, several filesystems as one tree."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.request import urlopen

import pandas as pd
import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec import MemoryFileSystem
from chuk_fsspec.backends.s3 import S3FileSystem
from chuk_fsspec.backends.s3.client import Client, Reply
from chuk_fsspec.mounted import MountedFileSystem
from tests.fuse.test_mount_tools import needs
from tests.remote.programs import work_with_git_and_pytest
from tests.s3.s3_servers import SECRET, filesystem, options
from tests.waiting import wait_until


def test_secrets_are_not_shown(s3_url: str, bucket: str) -> None:
    fs = filesystem(s3_url, bucket)
    wrong = filesystem(s3_url, "no-such-bucket")
    with pytest.raises(FileNotFoundError) as caught:
        wrong.pipe_file("/f", b"x")
    for text in (repr(fs), str(caught.value), repr(vars(fs)), fs._repr_html_()):
        assert SECRET not in text.replace(repr(fs.storage_options), "")


def test_a_signed_url_needs_nobody(s3_url: str, bucket: str) -> None:
    fs = filesystem(s3_url, bucket)
    fs.pipe_file("/a b.txt", b"content")
    with urlopen(fs.sign("/a b.txt", expiration=60)) as reply:
        assert reply.read() == b"content"


def test_a_write_is_one_request_and_so_is_a_read(s3_url: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fs = filesystem(s3_url, bucket)
    asked: list[str] = []
    real = Client.__call__

    async def counted(self: Client, operation: str, **parameters: object) -> Reply:
        asked.append(operation)
        return await real(self, operation, **parameters)

    monkeypatch.setattr(Client, "__call__", counted)
    fs.pipe_file("/a/b/c.txt", b"content")
    assert fs.cat_file("/a/b/c.txt") == b"content"
    assert fs.info("/a/b/c.txt")["size"] == 7
    assert asked == ["put_object", "get_object", "head_object"]
    fs.info("/a/b")
    assert asked[3:] == ["head_object", "list_objects_v2"]


def test_a_copy_in_parts(s3_url: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chuk_fsspec.backends.s3.store._LARGEST_COPY", 5 << 20)
    fs = S3FileSystem(bucket, skip_instance_cache=True, **options(s3_url))
    data = bytes(range(256)) * (48 << 10)
    fs.pipe_file("/large", data)
    fs.cp_file("/large", "/copy")
    fs.mv("/copy", "/moved")
    assert fs.cat_file("/moved") == data
    assert not fs.exists("/copy")
    fs.close()


def test_several_filesystems_as_one_tree(s3_url: str, bucket: str) -> None:
    tree = MountedFileSystem({"/": MemoryFileSystem.private(), "/cloud": filesystem(s3_url, bucket)})
    tree.pipe_file("/cloud/d/f", b"1")
    tree.cp("/cloud/d", "/here", recursive=True)
    tree.mv("/here", "/cloud/back", recursive=True)
    assert tree.cat_file("/cloud/back/f") == b"1"
    assert not tree.exists("/here")


def test_pandas(s3_url: str, bucket: str) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    url = f"chuks3://{bucket}/frames/a.csv"
    frame.to_csv(url, index=False, storage_options=options(s3_url))
    assert pd.read_csv(url, storage_options=options(s3_url)).equals(frame)


@pytest.mark.mount
@needs("git")
def test_git_and_pytest_on_a_mount(s3_url: str, bucket: str, tmp_path: Path) -> None:
    fs = filesystem(s3_url, bucket, posix=True)
    work_with_git_and_pytest(fs, tmp_path / "point")


@pytest.mark.mount
def test_directories_that_nobody_made_are_moved_emptied_and_removed_on_a_mount(
    s3_url: str, bucket: str, tmp_path: Path
) -> None:
    fs = filesystem(s3_url, bucket)
    fs.pipe({f"/tree/{number % 3}/deep/{number}": b"content" for number in range(9)})
    with mount(fs, tmp_path, MountOptions(cache_timeout=0.01)):
        (tmp_path / "tree").rename(tmp_path / "moved")
        assert sorted(os.listdir(tmp_path)) == ["moved"]
        for number in (0, 3, 6):
            (tmp_path / "moved" / "0" / "deep" / str(number)).unlink()
        assert os.listdir(tmp_path / "moved" / "0" / "deep") == []
        shutil.rmtree(tmp_path / "moved")
        assert os.listdir(tmp_path) == []
        fs.pipe({f"/tree/{number}/file": b"content" for number in range(3)})
        wait_until((tmp_path / "tree").exists)  # what is made beside the mount is seen after the time of belief
        for number in range(3):
            (tmp_path / "tree" / str(number) / "file").unlink()
        (tmp_path / "tree" / "2" / "new" / "newer").mkdir(parents=True)
        assert sorted(os.listdir(tmp_path / "tree")) == ["0", "1", "2"]
        shutil.rmtree(tmp_path / "tree")
    assert fs.find("/", withdirs=True) == ["/"]
