"""Making the members of an archive in a filesystem, each only where the archive itself has made the way to it."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.archives.describing import Describer, ImportTally
from chuk_fsspec.archives.limits import Meter
from chuk_fsspec.archives.members import FORMAT_BITS, SPECIAL, Kind, Member
from chuk_fsspec.archives.names import Names, leads_outside, place_of
from chuk_fsspec.archives.refusal import refused
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import PATH_MAX, encoded_length
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.forwarding.publishing import open_whole
from chuk_fsspec.trees.walking import below

Links = Literal["inside", "skip", "keep", "refuse"]
Special = Literal["refuse", "skip", "keep"]

_PRIVATE = 0o600


@dataclass(frozen=True)
class Policy:
    """What is made of members that could do harm; ``import_archive`` describes each."""

    links: Links
    names: Names
    special: Special
    owners: bool


class Planter:
    """Makes members below one directory."""

    def __init__(
        self,
        fs: AbstractFileSystem,
        base: str,
        policy: Policy,
        meter: Meter,
        callback: Callback,
        *,
        in_place: bool,
        merges: bool,
    ) -> None:
        """Begin.

        Args:
            fs: the filesystem, in the view that follows no links.
            base: the directory.
            policy: what to make of members that could do harm.
            meter: for the limits.
            callback: told of each byte of content.
            in_place: whether a transaction undoes what is made, so that files may be written as they come.
            merges: whether there may be something in the directory, which files then take the place of.
        """
        self.tally = ImportTally()
        self._fs, self._base, self._policy = fs, base, policy
        self._meter, self._callback = meter, callback
        self._can = capabilities_of(fs)
        self._in_place, self._merges = in_place and self._can.random_write, merges
        self._describer = Describer(fs, self.tally, owners=policy.owners)
        self._made: dict[bytes, Kind] = {}
        self._met: set[bytes] = set()
        self._directories: list[tuple[str, Member]] = []

    def plant(self, member: Member, content: Iterable[Buffer]) -> None:
        """Make one member. ArchiveRefused, and whatever the filesystem says."""
        self._meter.begin(member.path, member.size)
        place = place_of(member.path, self._meter.limits, self._policy.names)
        if not place:
            if member.kind is not Kind.DIRECTORY:
                raise refused("names", f"a {member.kind.value} in the place of the target itself", member.path)
            return
        if self._is_left_out(member, place):
            return
        self._make_parents(place, member.path)
        if member.kind is Kind.DIRECTORY:
            self._make_directory(place, member)
            return
        self._require_new(place, member)
        self._clear(place, member)
        if member.kind is Kind.FILE:
            self._make_file(place, member, content)
        elif member.kind is Kind.SYMLINK:
            self._fs.posix.symlink(member.target, below(self._base, place))
            self.tally.symlinks += 1
        elif member.kind is Kind.HARD_LINK:
            self._make_hard_link(place, member)
            return
        else:
            mode = FORMAT_BITS[member.kind] | _PRIVATE
            self._fs.posix.mknod(below(self._base, place), mode, member.rdev)
            self.tally.special_files += 1
        self._describer.describe(below(self._base, place), member)

    def finish(self, base: str, kept: Container[str] = ()) -> None:
        """Give new directories their attributes, now that nothing is made in them any more.

        Args:
            base: where the directory is by now.
            kept: those in it that were there before, which keep theirs.
        """
        # What is in a directory goes first, for its own permission bits may shut it.
        for place, member in sorted(self._directories, key=lambda described: described[0], reverse=True):
            if place not in kept and _key(place) not in self._met:
                self._describer.describe(below(base, place), member)

    # ---- rules

    def _is_left_out(self, member: Member, place: str) -> bool:
        """Whether a member is not made; what may not even be there refuses the archive."""
        kind, policy = member.kind, self._policy
        reason = ""
        if kind is Kind.SYMLINK:
            reason = self._reason_against_link(member, place)
        elif kind in SPECIAL:
            if policy.special == "refuse":
                raise refused("special", f"a {kind.value} (special=skip leaves it out)", member.path, errno.EPERM)
            if policy.special == "skip":
                reason = f"it is a {kind.value}"
            elif not self._can.special_files:
                reason = f"the target has no {kind.value}s"
        if reason:
            self.tally.leave_out(f"/{place}", reason)
        return bool(reason)

    def _reason_against_link(self, member: Member, place: str) -> str:
        target, links = member.target, self._policy.links
        if links == "refuse":
            raise refused("links", "a symbolic link", member.path, errno.EPERM)
        if not target or "\0" in target or encoded_length(target, member.path) > PATH_MAX:
            raise refused("links", "the text of a link is empty, too long, or holds NUL", member.path)
        if links != "keep" and leads_outside(place, target):
            if links == "inside":
                why = "it may lead out of the target (links=skip leaves it out, links=keep makes it)"
                raise refused("links", why, member.path, errno.EPERM)
            return "it may lead out of the target"
        return "" if self._can.symlinks else "the target has no symbolic links"

    def _require_new(self, place: str, member: Member) -> None:
        key = _key(place)
        if key in self._made:
            raise refused("duplicate", "a second member of this path", member.path, errno.EEXIST)
        self._made[key] = member.kind

    def _make_parents(self, place: str, name: str) -> None:
        """Make the directories above a member that no member has made. Whatever else is there refuses the archive."""
        missing = []
        parent = place.rpartition("/")[0]
        while parent and (made := self._made.get(_key(parent))) is not Kind.DIRECTORY:
            if made is not None:
                raise refused("links", f"its way leads through a {made.value}", name, errno.ENOTDIR)
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        for directory in reversed(missing):
            self._make_directory(directory, None)

    # ---- making

    def _make_directory(self, place: str, member: Member | None) -> None:
        """Make a directory; one that a member describes once more is described anew."""
        key, at = _key(place), below(self._base, place)
        made = self._made.get(key)
        if made not in {None, Kind.DIRECTORY}:
            raise refused("duplicate", "a second member of this path", member.path if member else place, errno.EEXIST)
        if member is not None:
            self._directories.append((place, member))
        if made is not None:
            return
        self._made[key] = Kind.DIRECTORY
        if self._merges and self._fs.lexists(at):
            if self._fs.info(at)["type"] != "directory":
                raise os_error(errno.ENOTDIR, at, hint="the archive has a directory here; move it away")
            self._met.add(key)
            return
        self._fs.mkdir(at, create_parents=False)
        self.tally.directories += 1

    def _clear(self, place: str, member: Member) -> None:
        """Make room for a member where there was something before the import."""
        at = below(self._base, place)
        if not self._merges or not self._fs.lexists(at):
            return
        if self._fs.info(at)["type"] == "directory":
            raise os_error(errno.EISDIR, at, hint=f"the archive has a {member.kind.value} here; move it away")
        self._fs.rm_file(at)

    def _make_file(self, place: str, member: Member, content: Iterable[Buffer]) -> None:
        at = below(self._base, place)
        if self._in_place:
            with self._fs.posix.open_handle(at, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE) as handle:
                position = 0
                for data in self._counted(member, content):
                    position += handle.pwrite(data, position)
        else:
            with self._open(at) as file:
                for data in self._counted(member, content):
                    file.write(data)
        self.tally.files += 1

    def _open(self, at: str) -> Any:
        """A file that takes content piece by piece. What a failure leaves of it goes with its directory."""
        return self._fs.open(at, "wb") if isinstance(self._fs, LocalFileSystem) else open_whole(self._fs, at, "wb")

    def _counted(self, member: Member, content: Iterable[Buffer]) -> Iterable[Buffer]:
        for data in content:
            count = memoryview(data).nbytes
            if count:
                self._meter.give(member.path, count)
                yield data
                self.tally.bytes += count
                self._callback.relative_update(count)

    def _make_hard_link(self, place: str, member: Member) -> None:
        source = place_of(member.target, self._meter.limits, self._policy.names)
        if self._made.get(_key(source)) is not Kind.FILE:
            why = "a hard link to what is no earlier file of the archive"
            raise refused("links", why, member.path, errno.EPERM)
        self._made[_key(place)] = Kind.FILE
        if self._can.hardlinks:
            self._fs.posix.link(below(self._base, source), below(self._base, place))
            self.tally.hard_links += 1
            return
        copied = self._fs.size(below(self._base, source))
        self._meter.give(member.path, copied)
        self._fs.cp_file(below(self._base, source), below(self._base, place))
        self.tally.copied_links += 1


def _key(place: str) -> bytes:
    """What is kept of a path, so that a long one costs no more memory than a short one."""
    return hashlib.blake2b(place.encode("utf-8", "surrogateescape"), digest_size=16).digest()
