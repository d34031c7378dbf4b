"""``chuk-fsspec mount workspace.toml``."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.urls import is_volatile, is_workspace, open_url
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with

WORKSPACE = """
[mounts."/"]
protocol = "chukmem"
options.name = "cli"

[mounts."/host"]
protocol = "chuklocal"
options.root = "${workspace}/host"

[mounts."/ro"]
url = "file://${workspace}/host"
read_only = true
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "host").mkdir()
    (tmp_path / "work.toml").write_text(WORKSPACE)
    (tmp_path / "mnt").mkdir()
    return tmp_path / "work.toml"


def chuk(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chuk_fsspec", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def mounted(workspace: Path) -> Iterator[Path]:
    point = workspace.parent / "mnt"
    done = chuk("mount", workspace, point)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"mounted work.toml on {point} (process ")
    assert "its files end with the unmount" in done.stdout
    yield point
    assert chuk("umount", point).returncode == 0


@pytest.mark.mount
def test_a_workspace_is_mounted(mounted: Path) -> None:
    (mounted / "f").write_text("in memory")
    (mounted / "host/f").write_text("on the disk")
    assert (mounted.parent / "host/f").read_text() == "on the disk"
    assert (mounted / "ro/f").read_text() == "on the disk"
    with fails_with(errno.EROFS):
        (mounted / "ro/g").write_text("")


@pytest.mark.mount
def test_what_is_wrong_is_one_line(workspace: Path) -> None:
    point = workspace.parent / "mnt"
    workspace.write_text(WORKSPACE.replace("options.root", "optoins.root"))
    done = chuk("mount", workspace, point)
    assert done.returncode == 1
    assert done.stderr == "chuk-fsspec: mounts['/host']: unknown key 'optoins'; did you mean 'options'?\n"
    done = chuk("mount", workspace.parent / "missing.toml", point)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "missing.toml" in done.stderr


def test_a_workspace_is_opened_by_its_name(workspace: Path) -> None:
    fs, path = open_url(str(workspace), {})
    assert isinstance(fs, MountedFileSystem)
    assert path == "/"
    assert is_workspace("work.toml")
    assert not is_workspace("file:///work.toml")
    assert is_volatile(str(workspace))
    workspace.write_text(WORKSPACE.partition('[mounts."/host"]')[2].join(['[mounts."/host"]', ""]))
    assert not is_volatile(str(workspace))
    with pytest.raises(CommandError, match="write the options into it"):
        open_url(str(workspace), {"capacity": 1})
