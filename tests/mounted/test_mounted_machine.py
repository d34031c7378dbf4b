"""Random operations on a tree of mounts and on one plain filesystem at once, whose answers must agree.

What differs on purpose: a rename or a hard link from one mount to another is EXDEV; what holds a mount stays, EBUSY.
"""

from __future__ import annotations

import errno
import os
import stat
from itertools import count
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.paths import split
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.mounted import MountedFileSystem
from tests.mounted.mounted_trees import chukmem

POINTS = ("/m", "/m/n", "/a/way/in")
HOLDING = ("/", "/m", "/m/n", "/a", "/a/way", "/a/way/in")
NAMES = ("a", "b", "m", "n", "way", "in")
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
ANY = st.one_of(PATHS, st.integers(0, 99), st.integers(0, 99))
"""A path, or the number of one that exists."""
TARGETS = st.one_of(
    PATHS, st.lists(st.sampled_from((*NAMES, "..", ".")), min_size=1, max_size=4).map("/".join), st.just("missing")
)
DATA = st.binary(max_size=3)
MODES = st.sampled_from([0o644, 0o600, 0o755, 0o700])

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STEPS = settings(max_examples=400 if NIGHTLY else 30, stateful_step_count=40, deadline=None)

MAKING = ("pipe_file", "append", "mkdir", "mv", "cp_file", "copy")
"""What makes missing directories."""

_numbers = count()


def append(fs: AbstractFileSystem, path: str, data: bytes) -> None:
    with fs.open(path, "ab") as file:
        file.write(data)


TOLD = frozenset({"pipe_file", "cp_file", "touch"})
"""Calls that return the new etag, which is another one in each filesystem."""


class MountedMachine(RuleBasedStateMachine):
    """``fs`` is the tree, ``model`` a plain chukmem with directories in place of the mount points."""

    def __init__(self) -> None:
        super().__init__()
        number = next(_numbers)
        self.names = [f"machine-{number}-{store}" for store in range(5)]
        self.model = MemoryFileSystem(self.names[0])
        mounts = {point: chukmem(name) for point, name in zip(("/", *POINTS), self.names[1:], strict=True)}
        self.fs = MountedFileSystem(mounts)
        for path in POINTS:
            self.model.makedirs(path)
        for way in ("/a", "/a/way"):
            self.fs.posix.chmod(way, 0o755)  # which makes them, so that both sides have the same
        self.kept = {self.inode(path).ino: path for path in HOLDING}
        self.roots = {self.inode(path).ino: path for path in ("/", *POINTS)}

    def teardown(self) -> None:
        for name in self.names:
            drop_store(name)

    # ---- what the model knows of mounts

    def inode(self, path: str) -> Inode:
        return self.model._resolver.find_entry(path)

    def place(self, path: str) -> str | None:
        """The mount in which an entry lies or would lie, links followed; None where no such place is."""
        try:
            directory, _, _ = self.model._resolver.walk(path, follow=False)
        except OSError:
            return None
        while directory.ino not in self.roots:
            directory = directory.parent
        return self.roots[directory.ino]

    def is_kept(self, path: str) -> bool:
        try:
            return self.inode(path).ino in self.kept
        except OSError:
            return False

    def leads_behind_nothing(self, name: str, arguments: tuple[Any, ...]) -> bool:
        """Whether a path goes on behind a link to nothing: there the tree makes directories, chukmem makes none."""
        for path in arguments if name in ("mv", "cp_file", "copy") else arguments[:1]:
            above = [path]
            while above[-1] != "/":
                above.append(split(above[-1])[0])
            if any(self.is_dead(one) for one in above[1:]) or (self.is_dead(path) and not self.has_place(name, path)):
                return True
        return False

    def is_dead(self, path: str) -> bool:
        try:
            return self.model.lexists(path) and not self.model.exists(path)
        except OSError:
            return True

    def is_link(self, path: str) -> bool:
        """Whether it is a link, where a tree may come to be copied: what then fails first is left open."""
        try:
            return self.inode(path).is_link
        except OSError:
            return False

    def has_place(self, name: str, path: str) -> bool:
        """Whether a link to nothing leads to where a file can be made."""
        try:
            self.model._resolver.place_behind_links(path)
        except OSError:
            return False
        return name not in ("copy", "cp_file")  # which may make a directory there

    def at(self, path: str | int) -> str:
        """The path that a rule was given, or the one that a number stands for."""
        if isinstance(path, str):
            return path
        there: list[str] = self.model.find("/", withdirs=True)[1:]
        return there[path % len(there)]

    # ---- both sides

    def both(self, name: str, *arguments: Any, posix: bool = False, **options: Any) -> None:
        if name in MAKING and not posix and self.leads_behind_nothing(name, arguments):
            return
        answers = []
        for fs in (self.model, self.fs):
            try:
                asked = append if name == "append" else getattr(fs.posix if posix else fs, name)
                answer = asked(fs, *arguments) if name == "append" else asked(*arguments, **options)
                answers.append(answer if name not in TOLD else isinstance(answer, str))
            except OSError as error:
                answers.append(("failed", errno.errorcode.get(error.errno or 0, type(error).__name__)))
        expected, found = answers
        event(f"{name} {found[1] if isinstance(found, tuple) else 'done'}")
        assert found == expected, (name, arguments)

    def alone(self, code: int, name: str, *arguments: Any, posix: bool = False, **options: Any) -> None:
        """What the tree refuses and the model would do."""
        event(f"{name} {errno.errorcode[code]} on purpose")
        with pytest.raises(OSError) as caught:
            getattr(self.fs.posix if posix else self.fs, name)(*arguments, **options)
        assert caught.value.errno == code, (name, arguments, caught.value)

    # ---- making and changing

    @rule(path=PATHS, data=DATA)
    def pipe_file(self, path: str, data: bytes) -> None:
        self.both("pipe_file", path, data)

    @rule(path=ANY, data=DATA)
    def append(self, path: str | int, data: bytes) -> None:
        path = self.at(path)
        self.both("append", path, data)

    @rule(path=PATHS, parents=st.booleans())
    def mkdir(self, path: str, parents: bool) -> None:
        self.both("mkdir", path, create_parents=parents)

    @rule(path=PATHS, mode=MODES)
    def posix_mkdir(self, path: str, mode: int) -> None:
        self.both("mkdir", path, mode, posix=True)

    @rule(path=PATHS, text=TARGETS)
    def symlink(self, path: str, text: str) -> None:
        self.both("symlink", text, path, posix=True)

    @rule(path=ANY, mode=MODES)
    def chmod(self, path: str | int, mode: int) -> None:
        path = self.at(path)
        self.both("chmod", path, mode, posix=True)

    @rule(path=ANY, size=st.integers(0, 4))
    def truncate(self, path: str | int, size: int) -> None:
        path = self.at(path)
        self.both("truncate", path, size, posix=True)

    # ---- removing

    @rule(path=ANY)
    def rm_file(self, path: str | int) -> None:
        path = self.at(path)
        self.both("rm_file", path)

    @rule(path=ANY)
    def rmdir(self, path: str | int) -> None:
        path = self.at(path)
        if self.is_kept(path):
            self.alone(errno.EBUSY, "rmdir", path)
        else:
            self.both("rmdir", path)

    @rule(path=ANY)
    def rm(self, path: str | int) -> None:
        path = self.at(path)
        if self.is_kept(path):
            self.alone(errno.EBUSY, "rm", path, recursive=True)
        else:
            self.both("rm", path, recursive=True)

    # ---- two paths

    @rule(source=ANY, to=ANY, flags=st.sampled_from([0, 0, 1, 2]))
    def rename(self, source: str | int, to: str | int, flags: int) -> None:
        source, to = self.at(source), self.at(to)
        places = self.place(source), self.place(to)
        if self.is_kept(source) or self.is_kept(to):
            if None in places:
                return  # which of two errors comes first is left open
            self.alone(errno.EBUSY, "rename", source, to, flags, posix=True)
        elif None not in places and places[0] != places[1]:
            if not self.model.lexists(source):
                return
            self.alone(errno.EXDEV, "rename", source, to, flags, posix=True)
        elif None not in places:
            self.both("rename", source, to, flags, posix=True)

    @rule(source=ANY, to=ANY)
    def link(self, source: str | int, to: str | int) -> None:
        source, to = self.at(source), self.at(to)
        places = self.place(source), self.place(to)
        if None in places or self.is_kept(source) or self.is_kept(to):
            return
        if places[0] != places[1]:
            if not self.model.lexists(source):
                return
            self.alone(errno.EXDEV, "link", source, to, posix=True)
        else:
            self.both("link", source, to, posix=True)

    @rule(source=ANY, to=ANY)
    def mv(self, source: str | int, to: str | int) -> None:
        source, to = self.at(source), self.at(to)
        inside = f"{to}/{source.rpartition('/')[2]}" if self.model.isdir(to) else to
        places = self.place(source), self.place(inside)
        if source != to and (self.is_kept(source) or self.is_kept(inside)):
            return  # EBUSY, or what is the matter besides
        if None not in places and places[0] != places[1] and not self.model.lexists(source):
            return
        self.both("mv", source, to)

    @rule(source=ANY, to=ANY)
    def cp_file(self, source: str | int, to: str | int) -> None:
        source, to = self.at(source), self.at(to)
        self.both("cp_file", source, to)

    @rule(source=ANY, to=ANY)
    def copy(self, source: str | int, to: str | int) -> None:
        source, to = self.at(source), self.at(to)
        if not any(self.is_link(path) for path in (to, f"{to}/{source.rpartition('/')[2]}")):
            self.both("copy", source, to, recursive=True)

    # ---- looking

    @rule(path=ANY)
    def look(self, path: str | int) -> None:
        path = self.at(path)
        for name in ("exists", "isdir", "isfile", "lexists", "cat_file"):
            self.both(name, path)
        self.both("ls", path, detail=False)
        self.both("find", path)
        self.both("find", path, maxdepth=2, withdirs=True)
        self.both("readlink", path, posix=True)
        self.both("du", path)

    @invariant()
    def trees_are_alike(self) -> None:
        shown = []
        for fs in (self.model, self.fs):
            entries = {}
            for path, info in fs.find("/", withdirs=True, detail=True).items():
                content = fs.cat_file(path) if info["type"] == "file" else b""
                size = info["size"] if info["type"] != "directory" else 0
                entries[path] = info["type"], size, stat.S_IMODE(info["mode"]), info.get("destination"), content
            shown.append(entries)
        assert shown[1] == shown[0]
        assert isinstance(self.model._resolver.find("/m/n"), Directory)


def test_a_tree_of_mounts_is_one_filesystem() -> None:
    run_state_machine_as_test(MountedMachine, settings=STEPS)
