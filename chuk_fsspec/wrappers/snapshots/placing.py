"""Putting files, links and directories where a snapshot had them, each in one step where the filesystem can."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from fsspec.callbacks import Callback

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.forwarding.publishing import WholeFiles
from chuk_fsspec.forwarding.publishing.leftovers import temporary_name
from chuk_fsspec.wrappers.snapshots.entry import Entry, Tree, Xattrs
from chuk_fsspec.wrappers.snapshots.live import LiveTree
from chuk_fsspec.wrappers.snapshots.node_files import UNWILLING, NodeFiles


class Placer:
    """Makes what is asked for on a live tree.

    Where files can be renamed over others, a new file gets its content, mode, owner, attributes and times under a
    temporary name, so that nobody sees it half. Elsewhere it appears whole and gets the rest afterwards.
    """

    def __init__(self, past: Tree, live: LiveTree, callback: Callback) -> None:
        self._past, self._live, self._callback = past, live, callback
        self._can = live.can
        self._asides = live.can.rename and live.can.replace and live.can.attributes and live.can.random_write
        self._whole = WholeFiles(live.fs)
        self._node_files = NodeFiles(live.fs) if self._asides and live.can.nodes else None
        self.not_owned: list[str] = []

    def place(self, path: str, entry: Entry, have: Entry | None) -> None:
        """Put a file, link or special file under a name. A directory of that name must be gone."""
        if entry.is_file and not self._asides:
            self._write_whole(path, entry, have)
            return
        if entry.is_file and self._node_files is not None:
            xattrs = self._past.xattrs(path, entry)
            if not self._node_files.place(path, entry, xattrs, self._blocks(path, entry)):
                self.not_owned.append(path)
            return
        if entry.type == "link":
            self._require(self._can.symlinks, "symbolic links", path)
        elif not entry.is_file:
            self._require(self._can.special_files, "special files", path)
        aside = join(split(path)[0], temporary_name())
        try:
            made = self._make(aside, path, entry)
            self.dress(aside, entry, made, self._past.xattrs(path, entry), is_new=True)
            self._live.fs.posix.rename(aside, path)
        except BaseException:
            with suppress(OSError):
                self._live.fs.posix.unlink(aside)
            raise

    def close(self) -> None:
        """Release what was looked up."""
        if self._node_files is not None:
            self._node_files.close()

    def link(self, source: str, path: str) -> None:
        """Make ``path`` another name of ``source``, whatever it was."""
        aside = join(split(path)[0], temporary_name())
        self._live.fs.posix.link(source, aside)
        try:
            self._live.fs.posix.rename(aside, path)
        finally:
            # Two names of one file stay as they are when one is renamed to the other.
            with suppress(FileNotFoundError):
                self._live.fs.posix.unlink(aside)

    def make_directory(self, path: str, entry: Entry) -> None:
        """Make a directory; ``dress`` gives it the rest when what it holds is there."""
        if self._can.attributes:
            self._live.fs.posix.mkdir(path, 0o700)
        else:
            self._live.fs.makedirs(self._live.inward(path), exist_ok=True)

    def remove(self, path: str, entry: Entry) -> None:
        """Remove an entry; a directory must be empty."""
        inner = self._live.inward(path)
        if not entry.is_directory:
            self._live.fs.rm_file(inner)
        elif self._can.directories:
            self._live.fs.rmdir(inner)
        else:
            # Stores of objects have directories only as long as there is something in them.
            with suppress(FileNotFoundError, NotImplementedError):
                self._live.fs.rmdir(inner)

    def dress(
        self, path: str, entry: Entry, have: Entry | None, xattrs: Xattrs | None, *, is_new: bool = False
    ) -> None:
        """Set owner, mode, extended attributes and times as far as they are known and differ.

        Args:
            path: of the file, link or directory.
            entry: as it should be.
            have: as it is; None if that is not known.
            xattrs: as they should be.
            is_new: it was made by this process, and has no extended attributes of its own.
        """
        if not (self._can.attributes or self._can.xattrs):
            return
        posix = self._live.fs.posix
        own = self._can.attributes
        if own and have is None:
            have = _made(entry, posix.lstat(path))
        # A new owner takes set-ID bits away, so the mode is set after that in any case.
        is_owned = own and have is not None and self._own(path, entry, have)
        if entry.type != "link":
            if own and entry.mode is not None and (is_owned or have is None or have.mode != entry.mode):
                posix.chmod(path, stat.S_IMODE(entry.mode))
            if xattrs is not None and (xattrs or not is_new):
                self._set_xattrs(path, xattrs)
        if own and entry.mtime_ns is not None:
            posix.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)

    def _own(self, path: str, entry: Entry, have: Entry) -> bool:
        """Set the owner if it is another one; whether that was done."""
        if entry.uid is None or entry.gid is None or (have.uid, have.gid) == (entry.uid, entry.gid):
            return False
        try:
            self._live.fs.posix.chown(path, entry.uid, entry.gid, follow_symlinks=False)
        except OSError as error:
            if error.errno not in UNWILLING:
                raise
            self.not_owned.append(path)
        return True

    def _set_xattrs(self, path: str, xattrs: Xattrs) -> None:
        posix = self._live.fs.posix
        wanted = dict(xattrs)
        for name in posix.listxattr(path):
            if name not in wanted:
                posix.removexattr(path, name)
        for name, value in xattrs:
            posix.setxattr(path, name, value)

    def _make(self, aside: str, path: str, entry: Entry) -> Entry | None:
        """Make a file, link or special file; returns it as it is, where that is known."""
        posix = self._live.fs.posix
        if entry.type == "link":
            posix.symlink(entry.target or "", aside)
            return None
        if not entry.is_file:
            posix.mknod(aside, entry.mode if entry.mode is not None else stat.S_IFIFO | 0o600, entry.rdev)
            return None
        mode = 0o600 if entry.mode is None else entry.mode & 0o777
        handle = posix.open_handle(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        try:
            offset = 0
            for block in self._blocks(path, entry):
                handle.pwrite(block, offset)
                offset += len(block)
            return _made(entry, handle.stat())
        finally:
            handle.close()

    def _write_whole(self, path: str, entry: Entry, have: Entry | None) -> None:
        if have is not None and not have.is_file:
            self.remove(path, have)
        blocks = self._blocks(path, entry)
        if entry.size <= 1 << 20:
            data = b"".join(blocks)
            inner = self._live.inward(path)
            if self._can.atomic_write or "pipe_file" not in self._whole.operations:
                self._live.fs.pipe_file(inner, data)
            else:
                self._whole.pipe_file(path, data)
        else:
            with self._whole.open(path, "wb") as file:
                for block in blocks:
                    file.write(block)
        self.dress(path, entry, None, self._past.xattrs(path, entry))

    def _blocks(self, path: str, entry: Entry) -> Iterable[bytes]:
        for block in self._past.blocks(path, entry):
            self._callback.relative_update(len(block))
            yield block

    def _require(self, can: bool, what: str, path: str) -> None:
        if not can:
            raise not_supported(f"this filesystem keeps no {what}, and the snapshot has one here", path)


def _made(entry: Entry, status: os.stat_result) -> Entry:
    """An entry with the owner and mode that something has which was made for it."""
    return entry._replace(mode=status.st_mode, uid=status.st_uid, gid=status.st_gid)


def owners_kept(not_owned: list[str]) -> None:
    """EPERM if there are files whose owner could not be set."""
    if not_owned:
        hint = f"all is restored but the owner of {len(not_owned)} entries, of which this is the first; run it as root"
        raise os_error(errno.EPERM, not_owned[0], hint=hint)
