"""Directories that lie in one another, whichever filesystems show them, are not synchronised."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.contract.whereabouts import overlap, ways_of
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.transfer.sync import SyncOptions, sync

End = tuple[AbstractFileSystem, str]
"""A filesystem, and a directory in it."""

SEEN_AS: dict[str, Callable[[Path], End]] = {
    "file": lambda path: (fsspec.filesystem("file"), str(path)),
    "dir": lambda path: (fsspec.filesystem("dir", path=str(path.parent), target_protocol="file"), path.name),
    "chuklocal": lambda path: (LocalFileSystem(root=str(path)), "/"),
    "chuklocal of a parent": lambda path: (LocalFileSystem(root=str(path.parent)), f"/{path.name}"),
    "chuklocal of all": lambda path: (LocalFileSystem(root="/"), str(path)),
    "chukreadonly": lambda path: (fsspec.filesystem("chukreadonly", fs=LocalFileSystem(root=str(path))), "/"),
    "mount": lambda path: (MountedFileSystem({"/a/b": LocalFileSystem(root=str(path))}), "/a/b"),
    "above a mount": lambda path: (MountedFileSystem({"/a/b": LocalFileSystem(root=str(path))}), "/a"),
    "in a mount": lambda path: (MountedFileSystem({"/m": LocalFileSystem(root=str(path.parent))}), f"/m/{path.name}"),
    "mount of a directory": lambda path: (
        MountedFileSystem({"/m": {"filesystem": LocalFileSystem(root="/"), "root": str(path)}}),
        "/m",
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with one in it, and one beside it."""
    (tmp_path / "project" / "src").mkdir(parents=True)
    (tmp_path / "project" / "src" / "app.py").write_text("run()")
    (tmp_path / "project-2").mkdir()
    (tmp_path / "project-2" / "app.py").write_text("go()")
    return tmp_path / "project"


def names(top: Path) -> list[str]:
    return sorted(os.path.join(where, file) for where, _, files in os.walk(top) for file in files)


@pytest.mark.parametrize("shown", SEEN_AS)
@pytest.mark.parametrize("other", ["file", "chuklocal", "mount"])
def test_overlaps_are_found_through_any_two(shown: str, other: str, project: Path) -> None:
    before = names(project.parent)
    for source, target in (("", ""), ("src", ""), ("", "src"), ("src", "src")):
        ends = SEEN_AS[shown](project / source), SEEN_AS[other](project / target)
        for one, two in (ends, ends[::-1]):
            with pytest.raises(ValueError, match="lie in one another"):
                sync(one, two, SyncOptions(delete=True))
    assert names(project.parent) == before


@pytest.mark.parametrize("shown", [one for one in SEEN_AS if one not in ("chukreadonly", "above a mount")])
@pytest.mark.parametrize("other", SEEN_AS)
def test_directories_beside_one_another_lie_apart(shown: str, other: str, project: Path) -> None:
    target = SEEN_AS[shown](project.parent / "project-2")
    sync(SEEN_AS[other](project / "src"), target)
    assert (
        project.parent / "project-2" / ("b/app.py" if other == "above a mount" else "app.py")
    ).read_text() == "run()"


@pytest.mark.parametrize("shown", ["file", "chuklocal of all", "in a mount"])
def test_a_target_that_is_missing(shown: str, project: Path) -> None:
    source = SEEN_AS["chuklocal"](project)
    fs, path = SEEN_AS[shown](project)
    with pytest.raises(ValueError, match="lie in one another"):
        sync(source, (fs, f"{path}/new"))
    sync(source, (fs, f"{path}-new"))
    assert names(project.parent / "project-new") == [str(project.parent / "project-new" / "src" / "app.py")]


@pytest.mark.parametrize("shown", ["file", "chuklocal of all", "in a mount"])
def test_a_link_is_what_it_leads_to(shown: str, project: Path) -> None:
    (project.parent / "link").symlink_to("project/src")
    assert overlap(ways_of(*SEEN_AS[shown](project.parent / "link")), ways_of(*SEEN_AS["chuklocal"](project)))
    assert not overlap(
        ways_of(*SEEN_AS[shown](project.parent / "link")), ways_of(*SEEN_AS["file"](project.parent / "project-2"))
    )


def test_a_stage_is_apart_from_its_base(project: Path) -> None:
    base = LocalFileSystem(root=str(project))
    with base.stage() as stage:
        stage.pipe_file("/new", b"new")
        sync((stage, "/"), (LocalFileSystem(root=str(project.parent / "project-2")), "/"), SyncOptions(delete=True))
    assert (project.parent / "project-2" / "new").read_bytes() == b"new"
    assert not overlap(ways_of(stage, "/"), ways_of(base, "/"))


def test_what_a_policy_does_not_show_is_not_told(project: Path) -> None:
    secure = fsspec.filesystem("chuksecure", fs=LocalFileSystem(root=str(project.parent)), hidden_paths=["/project-2"])
    with pytest.raises(FileNotFoundError):
        secure.ways("/project-2")
    assert len(ways_of(secure, "/project-2")) == len(ways_of(secure, "/missing")) == 1
