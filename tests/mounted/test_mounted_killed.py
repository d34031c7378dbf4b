"""Moving between mounts, killed on the way: nothing is lost, and the same move finishes it."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import files_below
from tests.local.local_roots import root, tmpfs
from tests.processes import python, started

__all__ = ["root", "tmpfs"]

ROUNDS = 15

WORKER = """
    import json, pathlib, sys
    from chuk_fsspec.mounted import MountedFileSystem

    fs = MountedFileSystem(json.loads(sys.argv[1]))
    last = pathlib.Path(sys.argv[2])
    print("ready", flush=True)
    while True:
        source = last.read_text() if last.exists() else ""
        if not source or not fs.exists(source):
            source = "/a/d" if fs.exists("/a/d") else "/b/d"
            last.write_text(source)
        fs.mv(source, "/b/d" if source == "/a/d" else "/a/d")
"""


@pytest.fixture(params=["chuklocal", "file"])
def mounts(request: pytest.FixtureRequest, root: Path) -> dict[str, Any]:
    for name in "ab":
        (root / name).mkdir()
    if request.param == "file":
        return {f"/{name}": f"file://{root / name}" for name in "ab"}
    return {f"/{name}": {"protocol": "chuklocal", "options": {"root": str(root / name)}} for name in "ab"}


def kill_while_moving(mounts: dict[str, Any], seconds: float, last: Path) -> None:
    """Move to and fro for a while, beginning with the move that was killed before.

    Args:
        mounts: of the tree.
        seconds: until it is killed.
        last: a file of the host that says what is moved.
    """
    with started(python(WORKER, json.dumps(mounts), last)) as (worker, line):
        assert line == "ready"
        time.sleep(seconds)
        worker.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_nothing_is_lost(mounts: dict[str, Any], tmp_path: Path) -> None:
    content = {f"{number // 5}/{number}": os.urandom(30_000) for number in range(20)}
    fs = MountedFileSystem(mounts)
    for path, data in content.items():
        fs.makedirs(f"/a/d/{path.partition('/')[0]}", exist_ok=True)
        fs.pipe_file(f"/a/d/{path}", data)
    chance = random.Random(1)
    for _ in range(ROUNDS):
        kill_while_moving(mounts, chance.random() * 0.1, tmp_path / "last")
        there: dict[str, set[bytes]] = {}
        for side in ("/a/d", "/b/d"):
            for path, data in files_below(fs, side).items():
                there.setdefault(path.removeprefix("d/"), set()).add(data)
        # Where nothing can be renamed into place, a file that was arriving may be there in part.
        assert {path: data in there[path] for path, data in content.items()} == dict.fromkeys(content, True)
        if isinstance(mounts["/a"], dict):
            assert content in (files_below(fs, "/a/d"), files_below(fs, "/b/d"))


@pytest.mark.slow
def test_the_same_move_finishes_it(mounts: dict[str, Any], tmp_path: Path) -> None:
    if not isinstance(mounts["/a"], dict):
        pytest.skip("what arrives in part is gone on with in test_mounted_moving")
    fs = MountedFileSystem(mounts)
    chance = random.Random(2)
    for number in range(ROUNDS):
        content = {str(name): os.urandom(40_000) for name in range(12)}
        for side in ("/a", "/b"):
            for path in fs.ls(side, detail=False):
                fs.rm(path, recursive=True)
        fs.pipe({f"/a/d/{name}": data for name, data in content.items()})
        last = tmp_path / f"last-{number}"
        kill_while_moving(mounts, chance.random() * 0.02, last)
        is_same = not last.exists() or last.read_text() == "/a/d"
        if is_same and files_below(fs, "/a/d") == content and not fs.exists("/b/d"):
            fs.mv("/a/d", "/b/d")
            assert files_below(fs, "/b/d") == content, number
            assert fs.ls("/a") == []
            assert fs.ls("/b", detail=False) == ["/b/d"]
