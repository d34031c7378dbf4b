"""What programs cost that work on a mounted bucket: the requests that are made for them."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec.backends.s3.client import Client, Reply
from tests.fuse.test_mount_tools import needs, run
from tests.s3.s3_servers import filesystem

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="this is how Linux mounts"),
]

FILES = 20
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "core.fileMode=false")

Asked = Counter[str]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The requests that were made, by their names."""
    found: Asked = Counter()
    real = Client.__call__

    async def counted(self: Client, operation: str, **parameters: object) -> Reply:
        found[operation] += 1
        return await real(self, operation, **parameters)

    monkeypatch.setattr(Client, "__call__", counted)
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with files."""
    made = tmp_path / "source"
    made.mkdir()
    for number in range(FILES):
        (made / f"file{number}").write_text(f"content of {number}\n")
    return made


@pytest.fixture
def point(s3_url: str, bucket: str, source: Path, tmp_path: Path) -> Iterator[Path]:
    """A bucket with a repository that was made elsewhere, mounted. Names are believed for longer than a test takes."""
    repository = tmp_path / "repository"
    source.rename(repository)
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        run(repository, *GIT, *command)
    fs = filesystem(s3_url, bucket)
    fs.put(f"{repository}/", "/repository/", recursive=True)
    time.sleep(1.1)  # times in a bucket are whole seconds, and git reads again what changed in that of its index
    source.mkdir()
    for number in range(FILES):
        (source / f"file{number}").write_text("content")
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(fs, target, MountOptions(cache_timeout=300)):
        yield target


@needs("cp", "git")
def test_copying_files_in_is_two_requests_for_each(point: Path, source: Path, asked: Asked) -> None:
    run(point, "cp", "-r", str(source), "copied")
    # Each is made, so that no two programs make the same, and written; the directory is made once and looked for twice.
    assert asked == {"put_object": 1 + 2 * FILES, "head_object": 2, "list_objects_v2": 2}


@needs("git")
def test_git_looks_at_files_that_have_not_changed_without_a_request_for_each(point: Path, asked: Asked) -> None:
    repository = point / "repository"
    # The index holds attributes that the files had elsewhere, so all are read this once.
    assert run(repository, *GIT, "status", "--porcelain") == ""
    assert asked["get_object"] >= FILES
    asked.clear()
    assert run(repository, *GIT, "status", "--porcelain") == ""
    assert asked["get_object"] <= 1
    assert asked.total() < FILES, asked


@needs("git")
def test_git_knows_files_again_that_the_kernel_and_the_mount_have_forgotten(
    s3_url: str, bucket: str, point: Path, asked: Asked, tmp_path: Path
) -> None:
    assert run(point / "repository", *GIT, "status", "--porcelain") == ""
    again = tmp_path / "again"
    again.mkdir()
    asked.clear()
    with mount(filesystem(s3_url, bucket), again):
        assert run(again / "repository", *GIT, "status", "--porcelain") == ""
    assert asked["get_object"] < FILES
