"""PathVFS against chukmem's own tree: the same operations, the same answers, on whatever it stands."""

from __future__ import annotations

import gc
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
from chuk_fsspec.vfs import open_vfs
from tests.vfs.vfs_kinds import GID, KINDS, UID
from tests.wrappers.object_fs import ObjectFileSystem

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=300 if NIGHTLY else 10, stateful_step_count=50, deadline=None)

names = st.sampled_from(["a", "b", "*"])
indexes = st.integers(0, 1000)
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

    def link(self, path: Path_, new_path: Path_) -> None:
        self.nodes.link(self.find(path), *self.place(new_path))

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
        """The mode of each directory; mode, number of names and content of each file, by path."""
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
                found[path] = node.mode, node.nlink, content
                assert node.size == len(content)
        return found


class VfsMachine(RuleBasedStateMachine):
    """Everything is done twice, and must come to the same: results, errors, and what is there afterwards."""

    kind = "objects"

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="vfs-machine-"))
        self.name = f"vfs-machine-{next(_numbers)}"
        self.reference = Side(open_vfs(MemoryFileSystem(name=self.name)))
        (self.directory / "spool").mkdir()
        self.world = KINDS[self.kind](self.directory / "spool")
        self.subject = Side(self.world.vfs)
        self.handles: list[tuple[Any, Any]] = []
        self.known: dict[str, Any] = {}

    @initialize(timeout=st.sampled_from([0.0, 60.0]))
    def begin(self, timeout: float) -> None:
        self.world.options["cache_timeout"] = timeout
        self.subject = Side(self.world.another_vfs())
        self.same("mkdir", ("a",), 0o755)
        for path in (("b",), ("a", "b")):
            self.same("create", path, 0o644)
            self.keep_open(path, os.O_RDWR)

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

    def keep_open(self, path: Path_, how: int) -> bool:
        mine, theirs = self.same("open", path, how)
        opened = not isinstance(mine, str)
        if opened:
            self.handles.append((mine, theirs))
        return opened

    def there(self, index: int, kinds: str) -> Path_:
        """Something that is there, if anything is: a file, a directory but the root, or either."""
        found = [
            path
            for path, content in self.known.items()
            if kinds == "any" or (kinds == "directory") == isinstance(content, int)
        ]
        return tuple(found[index % len(found)].split("/")[1:]) if found else ("a",)

    def place(self, index: int, name: str) -> Path_:
        """A name in some directory, or now and then in a file."""
        above = [(), *(tuple(path.split("/")[1:]) for path, content in self.known.items() if isinstance(content, int))]
        if index % 20 == 0:
            above = [self.there(index, "file")]
        return (*above[index % len(above)], name)

    @rule(index=indexes, name=names, mode=st.sampled_from([0o644, 0o755]))
    def create(self, index, name, mode):
        self.same("create", self.place(index, name), mode)

    @rule(index=indexes, name=names, mode=st.sampled_from([0o755, 0o700]))
    def mkdir(self, index, name, mode):
        self.same("mkdir", self.place(index, name), mode)

    @rule(index=indexes, kinds=st.sampled_from(["file", "file", "any"]))
    def unlink(self, index, kinds):
        self.same("unlink", self.there(index, kinds))

    @rule(index=indexes, kinds=st.sampled_from(["directory", "directory", "any"]))
    def rmdir(self, index, kinds):
        self.same("rmdir", self.there(index, kinds))

    @rule(index=indexes, new_index=indexes, name=names, how=st.sampled_from([0, 0, 0, RENAME_NOREPLACE]))
    def rename(self, index, new_index, name, how):
        self.same("rename", self.there(index, "any"), self.place(new_index, name), how)

    @rule(index=indexes, new_index=indexes)
    def replace(self, index, new_index):
        self.same("rename", self.there(index, "any"), self.there(new_index, "any"), 0)

    @precondition(lambda self: self.world.vfs._capabilities.hardlinks)
    @rule(index=indexes, new_index=indexes, name=names)
    def link(self, index, new_index, name):
        self.same("link", self.there(index, "any"), self.place(new_index, name))

    @rule(index=indexes, size=offsets)
    def truncate(self, index, size):
        self.same("truncate", self.there(index, "any"), size)

    @rule(index=indexes, mode=st.sampled_from([0o600, 0o777]))
    def chmod(self, index, mode):
        self.same("chmod", self.there(index, "any"), mode)

    @rule(index=indexes, seconds=st.integers(1, 1000))
    def utime(self, index, seconds):
        self.same("utime", self.there(index, "any"), seconds)

    @rule(index=indexes, how=flags)
    def open(self, index, how):
        self.keep_open(self.there(index, "file"), how)

    @rule(index=indexes, name=names, how=flags, content=data)
    def open_new(self, index, name, how, content):
        path = self.place(index, name)
        self.same("create", path, 0o644)
        if self.keep_open(path, how):
            self.same_on_handles(-1, "pwrite", content, 0)

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
    def forget(self):
        """Nodes that nobody holds go away, and nothing that anybody can see with them."""
        gc.collect(1)  # the young ones: all that this run has made, most likely

    @rule()
    def sync(self):
        self.subject.nodes.sync()

    @invariant()
    def the_trees_are_the_same(self):
        self.known = self.reference.tree()
        assert self.subject.tree() == self.known

    def teardown(self) -> None:
        for mine, theirs in self.handles:
            mine.close()
            theirs.close()
        self.subject.nodes.close()
        expected = {path: found[-1] for path, found in self.reference.tree().items() if isinstance(found, tuple)}
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
        return "error", os.strerror(error.errno or 0)


@pytest.mark.parametrize("kind", ["objects", "renaming", "memory", "local", "direct", "whole"])
def test_path_vfs_behaves_like_the_tree(kind):
    machine = type(f"Machine_{kind}", (VfsMachine,), {"kind": kind})
    run_state_machine_as_test(machine, settings=STEPS)
