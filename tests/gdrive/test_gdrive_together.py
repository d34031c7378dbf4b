"""A Drive as a part of larger things: under the facade, beside other filesystems, mounted, behind MCP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_adapters.fuse import mount
from chuk_fsspec import MountedFileSystem, VirtualFileSystem
from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.fuse.test_mount_tools import run
from tests.gdrive.owner import Owner
from tests.gdrive.server.running import DriveServer


@pytest.fixture
def environment(server: DriveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the commands and URLs of a user find their Drive."""
    monkeypatch.setenv("GOOGLE_DRIVE_CREDENTIALS", json.dumps(server.credentials))
    monkeypatch.setenv("GOOGLE_DRIVE_ENDPOINT_URL", server.address)


@pytest.mark.usefixtures("environment")
def test_urls_and_commands_find_the_drive() -> None:
    with fsspec.open("chukgdrive://reports/a.csv", "w", root_folder="urls") as file:
        file.write("a,b\n1,2\n")
    with fsspec.open("chukgdrive://reports/a.csv", root_folder="urls") as file:
        assert file.read() == b"a,b\n1,2\n"
    command = [sys.executable, "-m", "chuk_fsspec", "cat", "chukgdrive:///reports/a.csv"]
    done = subprocess.run([*command, "-o", "root_folder=urls"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "a,b\n1,2\n"), done.stderr


def test_the_facade(server: DriveServer) -> None:
    options: dict[str, Any] = {
        "credentials": server.credentials,
        "root_folder": "facade",
        "endpoint_url": server.address,
    }
    with VirtualFileSystem("google_drive", **options) as fs:
        fs.mkdir("/projects/demo")
        fs.write_file("/projects/demo/a.txt", "text")
        fs.cp("/projects/demo/a.txt", "/projects/b.txt")
        fs.mv("/projects/b.txt", "/projects/c.txt")
        assert fs.find("*.txt", path="/") == ["/projects/c.txt", "/projects/demo/a.txt"]
        assert fs.get_provider_name() == "google_drive"
        assert fs.get_storage_stats()["file_count"] == 2
        fs.rm("/projects", recursive=True)
        assert fs.ls("/") == []


def test_beside_other_filesystems(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    mounted = MountedFileSystem({"/": MemoryFileSystem.private(), "/drive": drive})
    mounted.pipe({"/d/a": b"a", "/d/e/b": b"b"})
    mounted.cp("/d", "/drive/copied", recursive=True)
    assert owner.one("/copied/e/b").content == b"b"
    mounted.mv("/drive/copied/e", "/moved", recursive=True)
    assert mounted.cat_file("/moved/b") == b"b"
    assert owner.at("/copied/e") == []
    assert mounted.find("/drive") == ["/drive/copied/a"]
    mounted.mv("/d/a", "/drive/copied/a")
    assert owner.one("/copied/a").content == b"a"
    assert not mounted.exists("/d/a")


@pytest.mark.mount
def test_programs_work_in_a_mounted_drive(drive: GoogleDriveFileSystem, owner: Owner, tmp_path: Path) -> None:
    point = tmp_path / "mnt"
    point.mkdir()
    project = point / "project"

    with mount(drive, point):
        project.mkdir()
        (project / "test_sum.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")
        run(project, "git", "init", "-q", ".")
        run(project, "git", "add", "test_sum.py")
        run(project, "git", "commit", "-qm", "first")
        run(project, "git", "gc", "-q")
        assert run(project, "git", "status", "--porcelain") == ""
        assert "1 passed" in run(project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_sum.py")
    assert owner.one("/project/test_sum.py").content == b"def test_sum():\n    assert 1 + 1 == 2\n"
    assert b"first" in (owner.one("/project/.git/logs/HEAD").content or b"")


def test_without_its_library_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['pydrive2'] = None; import fsspec; fsspec.filesystem('chukgdrive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "pip install 'chuk-fsspec[google-drive]'" in done.stderr


def test_the_family_alone_needs_none_of_its_libraries() -> None:
    code = (
        "import sys, chuk_fsspec; print([name for name in sys.modules if name.startswith(('pydrive2', 'googleapi'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
