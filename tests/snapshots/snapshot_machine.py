"""Random changes, snapshots and restores on a filesystem and on a plain model, of which a snapshot is a deep copy."""

from __future__ import annotations

import copy
import stat
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chuk_fsspec.engine.filesystem import InodeFileSystem

DIRECTORIES = st.sampled_from(["", "/d", "/d/e"])
NAMES = st.sampled_from(["a", "b", "d", "e"])
LARGE = 70_000
"""More than one chunk of any store."""


@dataclass
class File:
    """One file, directory or link of the model; hard links are one object."""

    kind: str
    content: bytearray = field(default_factory=bytearray)
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    xattrs: dict[str, bytes] = field(default_factory=dict)
    entries: dict[str, File] = field(default_factory=dict)


class Model:
    """A tree, and copies of what it was."""

    def __init__(self) -> None:
        self.root = File("directory", mode=0o755)
        self.kept: dict[str, File] = {}

    def find(self, path: str) -> File | None:
        """What is at a path; links are not followed."""
        found: File | None = self.root
        for name in filter(None, path.split("/")):
            found = found.entries.get(name) if found is not None and found.kind == "directory" else None
        return found

    def shown(self, root: File | None = None) -> dict[str, tuple[Any, ...]]:
        """Everything, by path."""
        top = root or self.root
        counts: dict[int, int] = {}
        seen: list[tuple[str, File]] = []
        pending = [("", top)]
        while pending:
            path, one = pending.pop()
            seen.append((path or "/", one))
            counts[id(one)] = counts.get(id(one), 0) + 1
            pending += [(f"{path}/{name}", below) for name, below in one.entries.items()]
        return {
            path: (
                one.kind,
                one.mode,
                one.uid,
                2 + sum(below.kind == "directory" for below in one.entries.values())
                if one.kind == "directory"
                else counts[id(one)],
                one.target if one.kind == "link" else bytes(one.content),
                one.xattrs,
            )
            for path, one in seen
        }


def seen(fs: InodeFileSystem) -> dict[str, tuple[Any, ...]]:
    """Everything that a filesystem shows, by path, in the shape of ``Model.shown``."""
    everything = {}
    for path, info in fs.find("/", withdirs=True, detail=True).items():
        status = fs.posix.lstat(path)
        assert status.st_ino == info["ino"]
        kind = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "file"}[stat.S_IFMT(status.st_mode)]
        content: Any = b""
        if kind == "link":
            content = fs.posix.readlink(path)
        elif kind == "file":
            content = fs.cat_file(path)
            assert status.st_size == len(content)
        names = fs.posix.listxattr(path) if kind != "link" else []
        xattrs = {name: fs.posix.getxattr(path, name) for name in names}
        mode = stat.S_IMODE(status.st_mode)
        everything[path] = (kind, mode if kind != "link" else 0o644, status.st_uid, status.st_nlink, content, xattrs)
    return everything


def stamps(fs: InodeFileSystem) -> dict[str, tuple[Any, ...]]:
    """What the model does not know of: numbers, times and etags."""
    return {
        path: tuple(info[key] for key in ("ino", "mtime_ns", "ctime", "atime", "created", "etag"))
        for path, info in fs.find("/", withdirs=True, detail=True).items()
    }


class SnapshotMachine(RuleBasedStateMachine):
    """A subclass makes ``fs``, which is empty."""

    fs: InodeFileSystem

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.stamps: dict[str, dict[str, tuple[Any, ...]]] = {}
        self.views: dict[str, InodeFileSystem] = {}
        self.model.root.uid = self.fs.posix.stat("/").st_uid
        self.uid = self.model.root.uid
        self.number = 0

    def _place(self, directory: str, name: str) -> tuple[File, File | None] | None:
        """The directory and what is there by now; None if there is no such directory."""
        parent = self.model.find(directory)
        if parent is None or parent.kind != "directory":
            return None
        return parent, parent.entries.get(name)

    @initialize()
    def make_directories(self) -> None:
        for directory, name in (("", "d"), ("/d", "e")):
            self.mkdir(directory, name)
            self.write(f"{directory}/{name}", "a", b"at first", False)
            self.write(f"{directory}/{name}", "b", b"large", True)
            self.write_at(f"{directory}/{name}", "b", 3, b"in place")

    # ---- content

    @rule(directory=DIRECTORIES, name=NAMES, data=st.binary(max_size=5), large=st.booleans())
    def write_whole(self, directory: str, name: str, data: bytes, large: bool) -> None:
        self.write(directory, name, data, large)

    def write(self, directory: str, name: str, data: bytes, large: bool) -> None:
        place = self._place(directory, name)
        if place is None or (place[1] is not None and place[1].kind != "file"):
            return
        parent, file = place
        data = data + bytes(LARGE) if large else data
        if file is None:
            file = parent.entries[name] = File("file", uid=self.uid)
        file.content[:] = data
        self.fs.pipe_file(f"{directory}/{name}", data)

    @rule(directory=DIRECTORIES, name=NAMES, offset=st.sampled_from([0, 1, 3, LARGE - 2]), data=st.binary(min_size=1))
    def write_in_place(self, directory: str, name: str, offset: int, data: bytes) -> None:
        self.write_at(directory, name, offset, data)

    def write_at(self, directory: str, name: str, offset: int, data: bytes) -> None:
        file = self.model.find(f"{directory}/{name}")
        if file is None or file.kind != "file":
            return
        if offset > len(file.content):
            file.content.extend(bytes(offset - len(file.content)))
        file.content[offset : offset + len(data)] = data
        with self.fs.posix.open_handle(f"{directory}/{name}", 2) as handle:
            handle.pwrite(data, offset)

    @rule(directory=DIRECTORIES, name=NAMES, data=st.binary(min_size=1, max_size=5))
    def append(self, directory: str, name: str, data: bytes) -> None:
        file = self.model.find(f"{directory}/{name}")
        if file is None or file.kind != "file":
            return
        file.content += data
        with self.fs.open(f"{directory}/{name}", "ab") as stream:
            stream.write(data)

    @rule(directory=DIRECTORIES, name=NAMES, size=st.sampled_from([0, 2, LARGE]))
    def truncate(self, directory: str, name: str, size: int) -> None:
        file = self.model.find(f"{directory}/{name}")
        if file is None or file.kind != "file":
            return
        file.content[:] = bytes(file.content[:size]).ljust(size, b"\0")
        self.fs.posix.truncate(f"{directory}/{name}", size)

    # ---- names

    @rule(directory=DIRECTORIES, name=NAMES)
    def make_directory(self, directory: str, name: str) -> None:
        self.mkdir(directory, name)

    def mkdir(self, directory: str, name: str) -> None:
        place = self._place(directory, name)
        if place is not None and place[1] is None:
            place[0].entries[name] = File("directory", mode=0o755, uid=self.uid)
            self.fs.mkdir(f"{directory}/{name}", create_parents=False)

    @rule(directory=DIRECTORIES, name=NAMES)
    def symlink(self, directory: str, name: str) -> None:
        place = self._place(directory, name)
        if place is not None and place[1] is None:
            place[0].entries[name] = File("link", target="nowhere", uid=self.uid)
            self.fs.posix.symlink("nowhere", f"{directory}/{name}")

    @rule(source=DIRECTORIES, old=NAMES, directory=DIRECTORIES, name=NAMES)
    def link(self, source: str, old: str, directory: str, name: str) -> None:
        place, file = self._place(directory, name), self.model.find(f"{source}/{old}")
        if place is not None and place[1] is None and file is not None and file.kind == "file":
            place[0].entries[name] = file
            self.fs.posix.link(f"{source}/{old}", f"{directory}/{name}")

    @rule(source=DIRECTORIES, old=NAMES, directory=DIRECTORIES, name=NAMES)
    def rename(self, source: str, old: str, directory: str, name: str) -> None:
        begin, end = self._place(source, old), self._place(directory, name)
        path, target = f"{source}/{old}", f"{directory}/{name}"
        if begin is None or end is None or begin[1] is None or end[1] is not None:
            return
        if begin[1].kind == "directory" and (target + "/").startswith(path + "/"):
            return
        end[0].entries[name] = begin[0].entries.pop(old)
        self.fs.posix.rename(path, target)

    @rule(directory=DIRECTORIES, name=NAMES)
    def remove(self, directory: str, name: str) -> None:
        place = self._place(directory, name)
        if place is not None and place[1] is not None:
            del place[0].entries[name]
            self.fs.rm(f"{directory}/{name}", recursive=True)

    # ---- attributes

    @rule(directory=DIRECTORIES, mode=st.sampled_from([0o700, 0o644]), uid=st.sampled_from([0, 7]))
    def set_owner_and_mode(self, directory: str, mode: int, uid: int) -> None:
        found = self.model.find(directory)
        if found is not None and found.kind != "link":
            found.mode, found.uid = mode, uid
            self.fs.posix.chown(directory or "/", uid, -1)
            self.fs.posix.chmod(directory or "/", mode)

    @rule(directory=DIRECTORIES, name=NAMES, value=st.binary(max_size=3))
    def set_xattr(self, directory: str, name: str, value: bytes) -> None:
        found = self.model.find(f"{directory}/{name}")
        if found is not None and found.kind != "link":
            found.xattrs = {**found.xattrs, "user.k": value}
            self.fs.posix.setxattr(f"{directory}/{name}", "user.k", value)

    @rule(directory=DIRECTORIES, name=NAMES)
    def undone_transaction(self, directory: str, name: str) -> None:
        path = f"{directory}/{name}"
        self.fs.start_transaction()
        try:
            if self.model.find(path) is not None:
                self.fs.rm(path, recursive=True)
            if self.model.find(directory) is not None and self.model.find(directory or "/").kind == "directory":  # type: ignore[union-attr]
                self.fs.mkdir(path, create_parents=False)
        finally:
            self.fs.transaction.complete(commit=False)

    # ---- snapshots

    @rule(look=st.booleans())
    def take(self, look: bool) -> None:
        self.number += 1
        name = f"s{self.number}"
        self.fs.snapshots.create(name)
        self.model.kept[name] = copy.deepcopy(self.model.root)
        if look:  # else nobody has looked since the last restore, which some stores then have still to do
            self.stamps[name] = stamps(self.fs)

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.kept)))
        self.fs.snapshots.restore(name)
        self.model.root = copy.deepcopy(self.model.kept[name])
        if data.draw(st.booleans()):
            assert stamps(self.fs) == self.stamps.setdefault(name, stamps(self.fs))

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.model.kept)))
        self.fs.snapshots.delete(name)
        del self.model.kept[name]
        self.stamps.pop(name, None)
        self.views.pop(name, None)

    @precondition(lambda self: self.model.kept)
    @rule(data=st.data(), again=st.booleans())
    def look_at_the_past(self, data: st.DataObject, again: bool) -> None:
        name = data.draw(st.sampled_from(list(self.model.kept)))
        view = self.views.get(name) if again else None
        if view is None:
            view = self.views[name] = self.fs.snapshots.at(name)
        assert seen(view) == self.model.shown(self.model.kept[name])
        assert stamps(view) == self.stamps.setdefault(name, stamps(view))

    @rule()
    def look(self) -> None:
        assert seen(self.fs) == self.model.shown()

    @invariant()
    def snapshots_are_listed(self) -> None:
        assert [one.name for one in self.fs.snapshots.taken()] == list(self.model.kept)

    def teardown(self) -> None:
        assert seen(self.fs) == self.model.shown()
        for name, root in self.model.kept.items():
            assert seen(self.fs.snapshots.at(name)) == self.model.shown(root)
        for name in list(self.model.kept):
            self.fs.snapshots.delete(name)
        assert seen(self.fs) == self.model.shown()
