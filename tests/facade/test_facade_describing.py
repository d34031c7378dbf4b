"""What a facade tells of files, and keeps beside them."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec import VirtualFileSystem
from tests.facade.facade_kinds import PLAIN, error_of, fs, full, open_facade
from tests.wrappers.async_fs import AsyncObjectFileSystem

__all__ = ["fs", "full"]


def test_what_is_known_of_a_file(full: VirtualFileSystem) -> None:
    full.write_file("/d/page.html", "<p>")
    found = full.get_node_info("/d/page.html", sha256=True)
    assert found is not None
    assert (found.get_path(), found.name, found.parent_path, found.is_dir) == (
        *("/d/page.html", "page.html", "/d", False),
    )
    assert (found.size, found.mime_type, found.permissions, len(found.sha256 or "")) == (3, "text/html", "644", 64)
    assert found.modified_at is not None
    assert found.created_at is not None
    assert found.created_at <= found.modified_at
    directory = full.get_node_info("/d")
    assert directory is not None
    assert (directory.is_dir, directory.size, directory.mime_type) == (True, 0, "inode/directory")
    root = full.get_node_info("/")
    assert root is not None
    assert (root.name, root.parent_path) == ("", "/")
    assert full.get_size("/d/page.html") == 3


def test_what_is_known_of_a_plain_file(fs: VirtualFileSystem) -> None:
    fs.write_file("/d/f", "123")
    found = fs.get_node_info("/d/f")
    assert found is not None
    assert (found.size, found.is_dir, found.mime_type) == (3, False, "application/octet-stream")
    assert fs.get_node_info("/missing") is None
    assert fs.get_node_info("/d/f/below") is None


def test_links_are_described(full: VirtualFileSystem) -> None:
    full.mkdir("/d")
    full.fs.posix.symlink("d", "/link")
    full.fs.posix.symlink("nowhere", "/broken")
    link, broken = full.get_node_info("/link"), full.get_node_info("/broken")
    assert link is not None
    assert broken is not None
    assert (link.is_link, link.is_dir, link.target) == (True, True, "d")
    assert (broken.is_link, broken.is_dir, broken.target) == (True, False, "nowhere")


def test_metadata(full: VirtualFileSystem) -> None:
    full.touch("/f")
    noted = {"author": "Ada", "year": 1843, "digits": "1843", "tags": ["a", "b"], "mime_type": "text/x-note"}
    full.set_metadata("/f", noted)
    assert full.get_metadata("/f")["custom_meta"] == noted
    assert full.fs.posix.getxattr("/f", "user.author") == b"Ada"
    full.set_metadata("/f", {"author": None, "never": None, "year": 1852})
    found = full.get_node_info("/f")
    assert found is not None
    assert found.mime_type == "text/x-note"
    assert found.custom_meta == {"year": 1852, "digits": "1843", "tags": ["a", "b"], "mime_type": "text/x-note"}
    with pytest.raises(TypeError, match=r"metadata\['bad'\]"):
        full.set_metadata("/f", {"good": 1, "bad": object()})
    assert "good" not in full.get_metadata("/f")["custom_meta"]
    assert error_of(full.get_metadata, "/missing") == errno.ENOENT
    assert error_of(full.set_metadata, "/missing", {"a": 1}) == errno.ENOENT


@pytest.mark.parametrize("kind", PLAIN)
def test_metadata_where_there_is_no_place_for_it(kind: str, tmp_path: Path) -> None:
    fs = open_facade(kind, tmp_path)
    fs.write_file("/f", "x")
    assert error_of(fs.set_metadata, "/f", {"a": 1}) == errno.ENOTSUP
    assert error_of(fs.stream_write, "/g", [b"x"], author="Ada") == errno.ENOTSUP
    assert not fs.exists("/g")


def test_the_whole_is_described(fs: VirtualFileSystem) -> None:
    fs.write_file("/d/f", "12345")
    stats = fs.get_storage_stats()
    assert (stats["total_size_bytes"], stats["file_count"]) == (5, 1)
    assert stats["total_nodes"] == stats["file_count"] + stats["directory_count"]
    info = fs.get_fs_info()
    assert (info["provider"], info["cwd"], info["mounts"]) == (fs.get_provider_name(), "/", [])
    assert "write" in info["capabilities"]
    assert fs.provider is fs.fs


def test_urls_of_files(fs: VirtualFileSystem) -> None:
    fs.write_file("/f", "x")
    assert error_of(fs.generate_presigned_url, "/f") == errno.ENOTSUP


class SigningObjects(AsyncObjectFileSystem):
    """A store that gives out URLs."""

    protocol = "signingobjects"

    def sign(self, path: str, expiration: int = 100, **kwargs: Any) -> str:
        return f"https://objects.example/{path.lstrip('/')}?seconds={expiration}"


def test_urls_of_files_where_there_are_some() -> None:
    fs = VirtualFileSystem(SigningObjects(name="signing"))
    fs.write_file("/d/f", "x")
    assert fs.generate_presigned_url("/d/f", expires_in=60) == "https://objects.example/d/f?seconds=60"
