"""Carrying differences out in the base: first what goes away or elsewhere, then what comes, attributes last."""

from __future__ import annotations

import stat

from chuk_fsspec.contract.changes import Facts, Kind
from chuk_fsspec.wrappers.staging.aside import Aside
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.differences import Difference, Place, xattrs_of
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.undoing import UndoLog
from chuk_fsspec.wrappers.staging.writing import Writer


class Applying:
    """One commit.

    Args:
        overlay: the stage.
        chosen: what is committed.
        touched: the directories of the stage whose entries that changes.
        names: where each inode of the stage is in the base already, by number.
        undo: takes note of each step; None where the base undoes everything by itself.
    """

    def __init__(
        self,
        overlay: Overlay,
        chosen: list[Difference],
        touched: list[Place],
        names: dict[int, str],
        undo: UndoLog | None,
    ) -> None:
        self._overlay = overlay
        self._base: Base = overlay.base
        self._chosen = chosen
        self._touched = touched
        self._names = names
        self._undo = undo
        self._writer = Writer(overlay, in_place=undo is None)
        self._written: set[int] = set()
        self._moved: dict[str, str] = {}
        self.aside = Aside(self._base)

    def run(self) -> None:
        """Do it all but for the times of directories. Errors leave it half done."""
        for one in sorted(self._chosen, key=lambda one: _depth(one.origin), reverse=True):
            if one.change.kind is Kind.REMOVED:
                self._take_out(one)
            elif one.change.kind is Kind.RENAMED or is_replaced_whole(one):
                assert one.origin is not None
                self._moved[one.origin] = self._take_aside(one.origin)
        moving = {one.place.node.ino for one in self._chosen if one.place and one.change.kind is Kind.RENAMED}
        linked = self._names.keys() | moving
        for one in sorted(self._chosen, key=lambda one: (_is_link_to(one, linked), _depth(one.change.path))):
            if one.place is not None:
                self._put(one, one.place)

    def finish(self) -> None:
        """Let go of what was replaced, and give directories the times that they have in the stage."""
        self.aside.remove()
        for place in sorted(self._touched, key=lambda place: _depth(place.path), reverse=True):
            self._stamp(place)

    # ---- what goes

    def _take_out(self, one: Difference) -> None:
        path, base = one.change.path, self._base
        is_directory = one.change.facts.type == "directory"
        if is_directory and (self._undo is None or not base.capabilities.directories):
            base.rmdir(path)
        elif self._undo is None:
            base.remove(path)
        else:
            self._take_aside(path)

    def _take_aside(self, path: str) -> str:
        place = self.aside.place()
        self._base.move(path, place)
        self._did(f"{path} moved to {place}", lambda: self._base.move(place, path))
        return place

    # ---- what comes

    def _put(self, one: Difference, place: Place) -> None:
        path = place.path
        if one.change.kind is Kind.ADDED or is_replaced_whole(one):
            self._make(place)
        else:
            if one.change.kind is Kind.RENAMED:
                assert one.origin is not None
                self._put_back(self._moved[one.origin], path)
            if one.change.has_content and place.node.ino not in self._written:
                self._written.add(place.node.ino)
                self._keep(path, one.change.before)
                self._writer.write_over(path, place.node, place.record)
            elif one.change.attributes:
                self._keep_attributes(path, one.change.before)
            self._dress(one, place)
        self._names.setdefault(place.node.ino, path)

    def _put_back(self, aside: str, path: str) -> None:
        self._base.move(aside, path)
        self._did(f"{path} renamed", lambda: self._base.move(path, aside))

    def _make(self, place: Place) -> None:
        """Make what is not there: a link to what is, or a new file."""
        path, node, base = place.path, place.node, self._base
        other = self._names.get(node.ino)
        if stat.S_ISDIR(node.mode):
            base.mkdir(path)
            self._did(f"{path} made", lambda: base.rmdir(path))
            self._clothe(place)
            return
        if other is not None and base.capabilities.hardlinks:
            base.real.posix.link(other, path)
        elif stat.S_ISREG(node.mode):
            self._writer.write_new(path, node)
        elif stat.S_ISLNK(node.mode):
            base.real.posix.symlink(self._overlay.nodes.readlink(node), path)
        else:
            base.real.posix.mknod(path, node.mode, node.rdev)
        self._did(f"{path} added", lambda: base.remove(path))
        if other is None:
            self._clothe(place)

    # ---- attributes

    def _clothe(self, place: Place) -> None:
        """Give something new all its attributes."""
        node, path, base = place.node, place.path, self._base
        if base.capabilities.xattrs and not stat.S_ISLNK(node.mode):
            for name, value in xattrs_of(self._overlay, node).items():
                base.real.posix.setxattr(path, name, value)
        if base.capabilities.attributes:
            self._own(place)
            if not stat.S_ISLNK(node.mode):
                base.real.posix.chmod(path, stat.S_IMODE(node.mode))
        self._stamp(place)

    def _dress(self, one: Difference, place: Place) -> None:
        """Give something that was there the attributes that it has in the stage."""
        node, path, base, differs = place.node, place.path, self._base, set(one.change.attributes)
        if base.capabilities.xattrs and ("xattrs" in differs or not place.is_known) and not stat.S_ISLNK(node.mode):
            self._set_xattrs(path, base.xattrs(path), xattrs_of(self._overlay, node))
        if not base.capabilities.attributes:
            return
        if "owner" in differs:
            self._own(place)
        if differs & {"owner", "mode"} and not stat.S_ISLNK(node.mode):
            base.real.posix.chmod(path, stat.S_IMODE(node.mode))
        if "times" in differs or one.change.has_content:
            self._stamp(place)

    def _own(self, place: Place) -> None:
        now = self._base.info(place.path) or {}
        if (now.get("uid"), now.get("gid")) != (place.node.uid, place.node.gid):
            self._base.real.posix.chown(place.path, place.node.uid, place.node.gid, follow_symlinks=False)

    def _stamp(self, place: Place) -> None:
        self._base.stamp(place.path, (place.node.atime_ns, place.node.mtime_ns))

    def _set_xattrs(self, path: str, before: dict[str, bytes], after: dict[str, bytes]) -> None:
        posix = self._base.real.posix

        def change(old: dict[str, bytes], new: dict[str, bytes]) -> None:
            for name in old.keys() - new.keys():
                posix.removexattr(path, name)
            for name, value in new.items():
                if old.get(name) != value:
                    posix.setxattr(path, name, value)

        change(before, after)
        self._did(f"{path} with other extended attributes", lambda: change(after, before))

    # ---- taking back

    def _keep(self, path: str, before: Facts | None) -> None:
        """Keep the old content of a file that is written over."""
        if self._undo is None:
            return
        base, place = self._base, self.aside.place()
        base.copy(path, place)

        def put_back() -> None:
            self._writer.write_back(place, path)
            base.remove(place)
            self._give(path, before)

        self._did(f"{path} written", put_back)

    def _keep_attributes(self, path: str, before: Facts | None) -> None:
        self._did(f"{path} with other attributes", lambda: self._give(path, before))

    def _give(self, path: str, facts: Facts | None) -> None:
        if facts is None or not self._base.capabilities.attributes:
            return
        posix = self._base.real.posix
        if facts.uid is not None and facts.gid is not None:
            posix.chown(path, facts.uid, facts.gid, follow_symlinks=False)
        if facts.mode is not None and facts.type != "link":
            posix.chmod(path, stat.S_IMODE(facts.mode))
        if facts.mtime_ns is not None:
            self._base.stamp(path, (facts.mtime_ns, facts.mtime_ns))

    def _did(self, what: str, undo: object) -> None:
        if self._undo is not None:
            assert callable(undo)
            self._undo.did(what, undo)


def is_replaced_whole(one: Difference) -> bool:
    """Whether what the base has must go before its successor comes, for it has other names or is of another kind."""
    if one.change.kind is not Kind.MODIFIED or one.place is None or one.first is None:
        return False
    kinds = {one.first.facts.type, one.change.facts.type}
    has_names = one.first.nlink > 1 or one.place.node.nlink > 1
    return not one.place.is_kept and (kinds != {"file"} or has_names)


def _is_link_to(one: Difference, inodes: set[int]) -> bool:
    is_new = one.change.kind is Kind.ADDED or is_replaced_whole(one)
    return is_new and one.place is not None and one.place.node.ino in inodes


def _depth(path: str | None) -> int:
    return 0 if path is None or path == "/" else path.count("/")
