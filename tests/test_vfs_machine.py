"""PathVFS against chukmem's own tree: the same operations, the same answers, on whatever it stands."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.posix import RENAME_NOREPLACE
from tests.object_fs import ObjectFileSystem
from tests.vfs_kinds import GID, KINDS, UID

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=300 if NIGHTLY else 15, stateful_step_count=60, deadline=None)

names = st.sampled_from(["a", "b", "*"])
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
offsets = st.integers(0, 20)
data = st.binary(min_size=1, max_size=12)
flags = st.sampled_from(
    [
        os.O_RDONLY,
        os.O_WRONLY,
        os.O_RDWR,
        os.O_RDWR | os.O_TRUNC,
        os.O_WRONLY | os.O_APPEND,
        os.O_RDWR | os.O_APPEND | os.O_TRUNC,
    ]
)

Path_ = tuple[str, ...]
_numbers = itertools.count()


class Side:
    """Operations by path on one ``NodeOperations``."""

    def __init__(self, nodes: NodeOperations) -> None:
        self.nodes = nodes

    def find(self, path: Path_) -> Any:
        node = self.nodes.root
        for name in path:
            found = self.nodes.lookup(node, name)
            if found is None:
                raise FileNotFoundError(2, "no such file", "/".join(path))
            node = found
        return node

    def place(self, path: Path_) -> tuple[Any, str]:
        return self.find(path[:-1]), path[-1]

    def create(self, path: Path_, mode: int) -> None:
        self.nodes.create(*self.place(path), stat.S_IFREG | mode, UID, GID)

    def mkdir(self, path: Path_, mode: int) -> None:
        self.nodes.mkdir(*self.place(path), mode, UID, GID)

    def unlink(self, path: Path_) -> None:
        self.nodes.unlink(*self.place(path))

    def rmdir(self, path: Path_) -> None:
        self.nodes.rmdir(*self.place(path))

    def rename(self, path: Path_, new_path: Path_, how: int) -> None:
        self.nodes.rename(*self.place(path), *self.place(new_path), how)

    def truncate(self, path: Path_, size: int) -> None:
        self.nodes.setattr(self.find(path), size=size)

    def chmod(self, path: Path_, mode: int) -> None:
        self.nodes.setattr(self.find(path), mode=mode)

    def utime(self, path: Path_, seconds: int) -> int:
        node = self.find(path)
        self.nodes.setattr(node, mtime_ns=seconds * 10**9)
        return self.nodes.getattr(node).mtime_ns

    def open(self, path: Path_, how: int) -> Any:
        return self.nodes.open(self.find(path), how)

    def tree(self) -> dict[str, Any]:
        return self._below(self.nodes.root, "")

    def _below(self, directory: Any, prefix: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, listed in self.nodes.entries(directory):
            node = self.nodes.getattr(listed)
            path = f"{prefix}/{name}"
            if stat.S_ISDIR(node.mode):
                found[path] = node.mode
                found.update(self._below(node, path))
            else:
                handle = self.nodes.open(node, os.O_RDONLY)
                content = handle.pread(1000, 0)
                handle.close()
                found[path] = node.mode, content
                assert node.size == len(content)
        return found


class VfsMachine(RuleBasedStateMachine):
    """Everything is done twice, and must come to the same: results, errors, and what is there afterwards."""

    kind = "objects"

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="vfs-machine-"))
        self.name = f"vfs-machine-{next(_numbers)}"
        self.reference = Side(MemoryFileSystem(name=self.name).posix.nodes)
        (self.directory / "spool").mkdir()
        self.world = KINDS[self.kind](self.directory / "spool")
        self.subject = Side(self.world.vfs)
        self.handles: list[tuple[Any, Any]] = []

    @initialize(timeout=st.sampled_from([0.0, 60.0]))
    def begin(self, timeout: float) -> None:
        self.world.options["cache_timeout"] = timeout
        self.subject = Side(self.world.another_vfs())

    def same(self, operation: str, *args: Any) -> tuple[Any, Any]:
        results = [outcome(getattr(side, operation), *args) for side in (self.subject, self.reference)]
        assert results[0] == results[1] or operation == "open", (operation, args, results)
        assert results[0][0] == results[1][0], (operation, args, results)
        return results[0][1], results[1][1]

    def chosen(self, index: int) -> tuple[Any, Any]:
        return self.handles[index % len(self.handles)]

    def same_on_handles(self, index: int, operation: str, *args: Any) -> None:
        results = [outcome(getattr(handle, operation), *args) for handle in self.chosen(index)]
        assert results[0] == results[1], (operation, args, results)

    @rule(path=paths, mode=st.sampled_from([0o644, 0o755]))
    def create(self, path, mode):
        self.same("create", path, mode)

    @rule(path=paths, mode=st.sampled_from([0o755, 0o700]))
    def mkdir(self, path, mode):
        self.same("mkdir", path, mode)

    @rule(path=paths)
    def unlink(self, path):
        self.same("unlink", path)

    @rule(path=paths)
    def rmdir(self, path):
        self.same("rmdir", path)

    @rule(path=paths, new_path=paths, how=st.sampled_from([0, 0, 0, RENAME_NOREPLACE]))
    def rename(self, path, new_path, how):
        self.same("rename", path, new_path, how)

    @rule(path=paths, size=offsets)
    def truncate(self, path, size):
        self.same("truncate", path, size)

    @rule(path=paths, mode=st.sampled_from([0o600, 0o777]))
    def chmod(self, path, mode):
        self.same("chmod", path, mode)

    @rule(path=paths, seconds=st.integers(1, 1000))
    def utime(self, path, seconds):
        self.same("utime", path, seconds)

    @rule(path=paths, how=flags)
    def open(self, path, how):
        if len(self.handles) < 6:
            mine, theirs = self.same("open", path, how)
            if not isinstance(mine, str):
                self.handles.append((mine, theirs))

    @precondition(lambda self: self.handles)
    @rule(index=offsets, content=data, offset=offsets)
    def write(self, index, content, offset):
        self.same_on_handles(index, "pwrite", content, offset)

    @precondition(lambda self: self.handles)
    @rule(index=offsets, size=offsets, offset=offsets)
    def read(self, index, size, offset):
        self.same_on_handles(index, "pread", size, offset)

    @precondition(lambda self: self.handles)
    @rule(index=offsets, size=offsets)
    def truncate_handle(self, index, size):
        self.same_on_handles(index, "truncate", size)

    @precondition(lambda self: self.handles)
    @rule(index=offsets, operation=st.sampled_from(["flush", "fsync"]))
    def store(self, index, operation):
        self.same_on_handles(index, operation)

    @precondition(lambda self: self.handles)
    @rule(index=offsets)
    def stat(self, index):
        mine, theirs = self.chosen(index)
        assert mine.stat().st_size == theirs.stat().st_size
        assert bool(mine.stat().st_nlink) == bool(theirs.stat().st_nlink)

    @precondition(lambda self: self.handles)
    @rule(index=offsets)
    def close(self, index):
        self.same_on_handles(index, "close")
        self.handles.pop(index % len(self.handles))

    @precondition(lambda self: self.handles and isinstance(self.world.fs, ObjectFileSystem))
    @rule(index=offsets, operation=st.sampled_from(["flush", "fsync", "close"]))
    def fail_to_store(self, index, operation):
        """It may fail, if there is anything to store; then all must be as if it had not been tried."""
        mine, theirs = self.chosen(index)
        self.world.fs.fail_puts = 1
        failed = outcome(getattr(mine, operation))[0] == "error"
        assert failed == (self.world.fs.fail_puts == 0)
        self.world.fs.fail_puts = 0
        getattr(theirs, operation)()
        if operation == "close":
            self.handles.pop(index % len(self.handles))

    @rule()
    def sync(self):
        self.subject.nodes.sync()

    @invariant()
    def the_trees_are_the_same(self):
        assert self.subject.tree() == self.reference.tree()

    def teardown(self) -> None:
        for mine, theirs in self.handles:
            mine.close()
            theirs.close()
        self.subject.nodes.close()
        expected = {path: found[1] for path, found in self.reference.tree().items() if isinstance(found, tuple)}
        assert self.stored() == expected
        assert not list((self.directory / "spool").iterdir())
        drop_store(self.name)
        shutil.rmtree(self.directory)

    def stored(self) -> dict[str, bytes]:
        """All files that the filesystem really has."""
        found: dict[str, bytes] = {}
        pending = [""]
        for path in pending:
            try:
                infos = self.world.fs.ls(self.world.base + path, detail=True)
            except FileNotFoundError:
                continue
            for info in infos:
                below = f"{path}/{info['name'].rpartition('/')[2]}"
                if info["type"] == "directory":
                    pending.append(below)
                else:
                    found[below] = self.world.stored(below)
        return found


def outcome(operation: Callable[..., Any], *args: Any) -> tuple[str, Any]:
    try:
        return "result", operation(*args)
    except OSError as error:
        assert error.errno is not None
        return "error", os.strerror(error.errno)


@pytest.mark.parametrize("kind", KINDS)
def test_path_vfs_behaves_like_the_tree(kind):
    machine = type(f"Machine_{kind}", (VfsMachine,), {"kind": kind})
    run_state_machine_as_test(machine, settings=STEPS)
