"""The attributes of what a commit puts into the base."""

from __future__ import annotations

import stat
from collections.abc import Callable

from chuk_fsspec.contract.changes import Facts
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.differences import Difference, Place, xattrs_of
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.undoing import Undo


class Dresser:
    """Gives attributes, as far as the base keeps them.

    Args:
        overlay: the stage.
        did: takes note of what was done, and of what takes it back.
    """

    def __init__(self, overlay: Overlay, did: Callable[[str, Undo], None]) -> None:
        self._overlay = overlay
        self._base: Base = overlay.base
        self._did = did

    def clothe(self, place: Place) -> None:
        """Give something new all its attributes."""
        node, path, base = place.node, place.path, self._base
        if base.capabilities.xattrs and not stat.S_ISLNK(node.mode):
            self.set_xattrs(path, {}, xattrs_of(self._overlay, node))
        if base.capabilities.attributes:
            self._own(place)
            if not stat.S_ISLNK(node.mode):
                base.real.posix.chmod(path, stat.S_IMODE(node.mode))
        self.stamp(place)

    def dress(self, one: Difference, place: Place) -> None:
        """Give something that was there the attributes that it has in the stage."""
        node, path, base, differs = place.node, place.path, self._base, set(one.change.attributes)
        if base.capabilities.xattrs and ("xattrs" in differs or not place.is_known) and not stat.S_ISLNK(node.mode):
            before, after = base.xattrs(path), xattrs_of(self._overlay, node)
            self._did(f"{path} with other extended attributes", lambda: self.set_xattrs(path, after, before))
            self.set_xattrs(path, before, after)
        if not base.capabilities.attributes:
            return
        if "owner" in differs:
            self._own(place)
        if differs & {"owner", "mode"} and not stat.S_ISLNK(node.mode):
            base.real.posix.chmod(path, stat.S_IMODE(node.mode))
        if "times" in differs or one.change.has_content:
            self.stamp(place)

    def stamp(self, place: Place) -> None:
        """Give something the times that it has in the stage."""
        self._base.stamp(place.path, (place.node.atime_ns, place.node.mtime_ns))

    def give(self, path: str, facts: Facts | None) -> None:
        """Give a file, link or directory the attributes that it had."""
        if facts is None or not self._base.capabilities.attributes:
            return
        posix = self._base.real.posix
        if facts.uid is not None and facts.gid is not None:
            posix.chown(path, facts.uid, facts.gid, follow_symlinks=False)
        if facts.mode is not None and facts.type != "link":
            posix.chmod(path, stat.S_IMODE(facts.mode))
        if facts.mtime_ns is not None:
            self._base.stamp(path, (facts.mtime_ns, facts.mtime_ns))

    def set_xattrs(self, path: str, before: dict[str, bytes], after: dict[str, bytes]) -> None:
        """Give a file or directory other extended attributes than those that it has."""
        posix = self._base.real.posix
        for name in before.keys() - after.keys():
            posix.removexattr(path, name)
        for name, value in after.items():
            if before.get(name) != value:
                posix.setxattr(path, name, value)

    def _own(self, place: Place) -> None:
        now = self._base.info(place.path) or {}
        if (now.get("uid"), now.get("gid")) != (place.node.uid, place.node.gid):
            self._base.real.posix.chown(place.path, place.node.uid, place.node.gid, follow_symlinks=False)
