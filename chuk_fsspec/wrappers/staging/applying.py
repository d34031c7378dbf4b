"""Carrying differences out in the base: first what goes away or elsewhere, then what comes, attributes last."""

from __future__ import annotations

import errno
import stat
from contextlib import AbstractContextManager, suppress

from chuk_fsspec.contract.changes import Facts, Kind
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.wrappers.staging.aside import Aside
from chuk_fsspec.wrappers.staging.base import Base, about
from chuk_fsspec.wrappers.staging.conflicts import empty, require_unchanged, told
from chuk_fsspec.wrappers.staging.differences import Difference, Place
from chuk_fsspec.wrappers.staging.dressing import Dresser
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Seen
from chuk_fsspec.wrappers.staging.traces import Traces
from chuk_fsspec.wrappers.staging.undoing import Undo, UndoLog
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
        self.aside = Aside(self._base)
        self._dresser = Dresser(overlay, self._did)
        self._writer = Writer(overlay, None if undo is None else self.aside)
        self._written: set[int] = set()
        self._moved: dict[str, str] = {}
        self._copied: list[str] = []
        self._traces = Traces(self._base)
        self.restored: dict[str, Seen] = {}
        self._is_guarded = undo is not None and self._base.guards

    def run(self) -> None:
        """Do it all but for the times of directories. Errors leave it half done."""
        for one in sorted(self._chosen, key=lambda one: _depth(one.origin), reverse=True):
            if one.change.kind is Kind.REMOVED:
                self._take_out(one)
            elif one.change.kind is Kind.RENAMED or is_replaced_whole(one):
                assert one.origin is not None
                assert one.first is not None
                self._moved[one.origin] = self._take_aside(one.origin, one.first)
        moving = {one.place.node.ino for one in self._chosen if one.place and one.change.kind is Kind.RENAMED}
        linked = self._names.keys() | moving
        for one in sorted(self._chosen, key=lambda one: (_is_link_to(one, linked), _depth(one.change.path))):
            if one.place is not None:
                self._put(one, one.place)

    def finish(self) -> None:
        """Let go of what was replaced, and give directories the times that they have in the stage."""
        self.aside.remove()
        for place in sorted(self._touched, key=lambda place: _depth(place.path), reverse=True):
            self._dresser.stamp(place)

    def outcome(self) -> dict[str, Seen]:
        """What is in the base by now, by path: what this commit has put there, also if somebody changed it since."""
        found: dict[str, Seen] = {}
        for one in self._chosen:
            now = self._traces.look(one.change.path) if one.place is not None else None
            if now is not None:
                found[one.change.path] = now
        return found

    # ---- what goes

    def _take_out(self, one: Difference) -> None:
        path = one.change.path
        if one.change.facts.type == "directory":
            self._remove_directory(path, one.change.before)
        elif self._undo is None:
            self._base.remove(path)
        else:
            assert one.first is not None
            self._take_aside(path, one.first)

    def _remove_directory(self, path: str, before: Facts | None) -> None:
        """Remove what must be empty by now; taken aside, it would be missed by those who make files in it."""
        base = self._base
        xattrs, times = ({}, None) if self._undo is None else (base.xattrs(path), base.times(path))
        with empty(base, path):
            base.rmdir(path)

        def make_again() -> None:
            with suppress(FileExistsError):  # who makes files in it has made it again
                base.mkdir(path)
            self._dresser.set_xattrs(path, {}, xattrs)
            self._dresser.give(path, before)
            if times is not None:
                base.stamp(path, times)

        self._did(f"{path} removed", make_again)

    def _take_aside(self, path: str, first: Seen) -> str:
        """Move what was seen at a path to where nobody else finds it; returns the place. StageConflict."""
        base = self._base
        place = self._to_the_same_disk(path, first)
        self._did(f"{path} moved to {place}", lambda: base.rename(place, path))
        if self._is_guarded:
            require_unchanged(base, path, place, first)
        return place

    def _to_the_same_disk(self, path: str, first: Seen) -> str:
        etag = first.etag if self._is_guarded else None
        for place in self.aside.places(path):
            with told(self._base, path, first):
                if self._base.take(path, place, etag):
                    return place
        raise os_error(errno.EXDEV, path)

    # ---- what comes

    def _put(self, one: Difference, place: Place) -> None:
        path = place.path
        if one.change.kind is Kind.ADDED or is_replaced_whole(one):
            self._make(place)
        else:
            here = self._moved[one.origin] if one.change.kind is Kind.RENAMED and one.origin is not None else path
            is_written = one.change.has_content and place.node.ino not in self._written
            if is_written:
                self._write(one, place, here)
            if here != path:
                self._put_back(here, path)
            if one.change.attributes and not is_written:
                self._keep_attributes(path, one.change.before)
            if one.first is not None and not one.change.has_content and not self._is_copy(path):
                self._traces.note(path, one.first.etag)
            with self._stamping(place):
                self._dresser.dress(one, place)
        self._names.setdefault(place.node.ino, path)

    def _write(self, one: Difference, place: Place, here: str) -> None:
        """Give a file its content, where it is or in the place to which it was taken aside."""
        self._written.add(place.node.ino)
        is_hidden = here != place.path
        is_whole = self._writer.shows_whole(place.record)
        is_sure = self._is_guarded and not is_hidden and not self._is_copy(here)
        etag = one.first.etag if one.first is not None and is_sure else None
        put_back = self._keep(one, here, is_sure=is_sure and is_whole)
        if not is_whole:
            self._did(f"{here} written", put_back)
        with told(self._base, here, one.first):
            written = self._writer.write_over(here, place.node, place.record, etag)
        if not is_hidden:
            self._traces.note(here, written)
        if is_whole:
            self._did(f"{here} written", put_back)

    def _put_back(self, aside: str, path: str) -> None:
        with told(self._base, path, None):
            if self._base.move(aside, path):
                self._copied.append(path)
        self._did(f"{path} renamed", lambda: self._base.move(path, aside))

    def _is_copy(self, path: str) -> bool:
        """Whether something has come from another disk, and so is not the file that was seen."""
        return any(is_inside(path, above) for above in self._copied)

    def _make(self, place: Place) -> None:
        """Make what is not there: a link to what is, or a new file."""
        path, node, base = place.path, place.node, self._base
        other = self._names.get(node.ino)
        etag: str | None = None
        is_whole = base.capabilities.atomic_write or base.capabilities.exclusive_create or not stat.S_ISREG(node.mode)

        def remove() -> None:
            with suppress(FileNotFoundError):  # it had not come to be
                base.remove(path, self._traces.etag(path))

        if not is_whole:
            self._did(f"{path} added", remove)
        with told(base, path, None):
            if stat.S_ISDIR(node.mode):
                base.mkdir(path)
            elif other is not None and base.capabilities.hardlinks:
                base.real.posix.link(other, path)
                etag = self._traces.etag(other)
            elif stat.S_ISREG(node.mode):
                etag = self._writer.write_new(path, node)
            elif stat.S_ISLNK(node.mode):
                base.real.posix.symlink(self._overlay.nodes.readlink(node), path)
            else:
                base.real.posix.mknod(path, node.mode, node.rdev)
        if stat.S_ISDIR(node.mode):
            self._did(f"{path} made", lambda: base.rmdir(path))
        elif is_whole:
            self._did(f"{path} added", remove)
        self._traces.note(path, etag)
        if other is None:
            with self._stamping(place):
                self._dresser.clothe(place)

    def _stamping(self, place: Place) -> AbstractContextManager[None]:
        return self._traces.stamping(place.path, place.node.size, place.node.mtime_ns)

    # ---- taking back

    def _keep(self, one: Difference, path: str, *, is_sure: bool) -> Undo:
        """Keep the old content of a file that is written over.

        Args:
            one: what is done to it.
            path: where it is by now.
            is_sure: whether it is put back only in the place of what this commit has written.

        Returns:
            What puts it back.
        """
        base, before = self._base, one.change.before
        place = "" if self._undo is None else self.aside.place(path)
        if place:
            with told(base, path, one.first), about(path):
                base.copy(path, place)

        def put_back() -> None:
            etag = self._writer.write_back(place, path, self._traces.etag(path) if is_sure else None)
            base.remove(place)
            self._traces.note(path, etag)
            with self._traces.stamping(path, before.size if before else 0, before.mtime_ns if before else None):
                self._dresser.give(path, before)
            now = self._traces.look(path)
            if now is not None and one.origin is not None:
                self.restored[one.origin] = now

        return put_back

    def _keep_attributes(self, path: str, before: Facts | None) -> None:
        self._did(f"{path} with other attributes", lambda: self._dresser.give(path, before))

    def _did(self, what: str, undo: Undo) -> None:
        if self._undo is not None:
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
