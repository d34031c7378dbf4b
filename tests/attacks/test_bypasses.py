"""Ways around a filesystem: objects that lead to what lies below it, and helpers of fsspec that go there."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.core import OpenFile, OpenFiles
from fsspec.mapping import FSMap

from chuk_fsspec.vfs import open_vfs
from tests.attacks.attack import attack, problems
from tests.attacks.doors import ApiDoor
from tests.attacks.stages import Stage

AGAIN: dict[str, Callable[[Any], Any]] = {
    "pickled": lambda fs: pickle.loads(pickle.dumps(fs)),
    "json": lambda fs: AbstractFileSystem.from_json(fs.to_json()),
    "dict": lambda fs: AbstractFileSystem.from_dict(json.loads(json.dumps(fs.to_dict()))),
    "nofollow": lambda fs: fs.posix.nofollow,
    "nofollow twice": lambda fs: fs.posix.nofollow.posix.nofollow,
    "current": lambda fs: type(fs)(*fs.storage_args, **fs.storage_options),
}


def paths(stage: Stage) -> list[str]:
    return [f"/{climb}{place}/file" for place in stage.places for climb in ("", "../", "w/../../")]


@pytest.mark.parametrize("made", AGAIN)
def test_another_instance_of_it_reaches_no_more(stage: Stage, api: ApiDoor, made: str) -> None:
    outcome = api.run(made, AGAIN[made])
    if outcome.error is not None:
        assert not list(problems(stage, outcome, []))
        return
    again = outcome.result
    for path in paths(stage):
        for way in ("cat_file", "find", "pipe_file"):
            assert not list(problems(stage, ApiDoor(again, api.downloads).attempt(way, path), [path]))
    assert not stage.changes()


def test_files_opened_together_are_opened_by_the_filesystem_itself(stage: Stage, api: ApiDoor) -> None:
    """fsspec looks for ``open_many`` along ``.fs``."""
    for mode in ("rb", "wb", "ab"):
        for path in paths(stage):
            files = OpenFiles([OpenFile(stage.fs, path, mode=mode)], mode=mode, fs=stage.fs)

            assert not list(problems(stage, api.run(mode, use_together, files), [path]))
    assert not stage.changes()


def use_together(fs: Any, files: OpenFiles) -> Any:
    with files as opened:
        return [file.read() if files.mode == "rb" else file.write(b"new") for file in opened]


MAPPER_USES: dict[str, Callable[[FSMap, str], Any]] = {
    "get": lambda mapper, key: mapper[key],
    "set": lambda mapper, key: mapper.__setitem__(key, b"new"),
    "del": lambda mapper, key: mapper.__delitem__(key),
    "pop": lambda mapper, key: mapper.pop(key),
    "getitems": lambda mapper, key: mapper.getitems([key], on_error="return"),
    "delitems": lambda mapper, key: mapper.delitems([key]),
    "dirfs": lambda mapper, key: mapper.dirfs.cat_file(key),
}


@pytest.mark.parametrize("root", ["", "/", "/w", "/w/..", "/w/dir/../.."])
def test_a_mapper_climbs_nowhere(stage: Stage, api: ApiDoor, root: str) -> None:
    for place in stage.places:
        for key in [f"{climb}{place}/file" for climb in ("", "../", "../../", "/", "dir/../../")]:
            for way, use in MAPPER_USES.items():
                outcome = api.run(way, lambda fs, use, key: use(FSMap(root, fs), key), use, key)
                assert not list(problems(stage, outcome, [key, root])), (way, key)
    assert not stage.changes()


def test_nothing_is_signed(stage: Stage, api: ApiDoor) -> None:
    """A signed URL would let its holder read past every rule."""
    for path in ("/w/file", *paths(stage)):
        outcome = api.attempt("sign", path)
        assert isinstance(outcome.error, (NotImplementedError, OSError))
        assert not list(problems(stage, outcome, [path]))


def test_no_attribute_leads_to_what_lies_below(stage: Stage, api: ApiDoor) -> None:
    """What filesystems its parts lead to are of its own class: itself, or the view that follows no links."""
    fs = stage.fs
    with fs.open("/w/file") as file, closing(fs.posix.open_handle("/w/file")) as handle:
        for owner in (fs, fs.posix, file, handle):
            for name in [name for name in dir(owner) if not name.startswith("_")]:
                found = api.run(name, lambda fs, *named: getattr(*named), owner, name).result
                assert not isinstance(found, AbstractFileSystem) or type(found) is type(fs), name


@pytest.mark.parametrize("name", ["..", ".", "", "/", "../..", "dir/../..", "/etc", "a/b", "\0", "x" * 256])
def test_inode_operations_take_names_and_no_paths(stage: Stage, api: ApiDoor, name: str) -> None:
    """A kernel never asks for these; another door might."""
    nodes = open_vfs(stage.fs)
    try:
        here = nodes.lookup(nodes.root, "w")
        assert here is not None
        for directory in (here, nodes.root):
            assert api.run("lookup", lambda fs, *named: nodes.lookup(*named), directory, name).result is None
        for act in (
            lambda: nodes.create(here, name, 0o100644, 0, 0),
            lambda: nodes.mkdir(here, name, 0o755, 0, 0),
            lambda: nodes.symlink(here, name, "x", 0, 0),
            lambda: nodes.unlink(here, name),
            lambda: nodes.rmdir(here, name),
            lambda: nodes.rename(here, "file", here, name),
        ):
            with pytest.raises((OSError, ValueError)):
                act()
    finally:
        nodes.close()
    assert not stage.changes()
    assert stage.fs.cat_file("/w/file") == b"inside"


def test_urls_lead_nowhere_else(stage: Stage, api: ApiDoor) -> None:
    """A path in a URL has no more power than a path."""
    protocol = stage.fs.protocol if isinstance(stage.fs.protocol, str) else stage.fs.protocol[0]
    for path in paths(stage):
        attack(stage, api, f"{protocol}://{path}", ways=api.core)
