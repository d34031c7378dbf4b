"""Info dicts and listings."""

from __future__ import annotations

import errno
import os
from stat import S_ISLNK
from typing import Any

from chuk_fsspec.backends.local.beneath import Beneath
from chuk_fsspec.backends.local.conditions import settle
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.scan import Found, names_in, open_to_scan, scan
from chuk_fsspec.backends.local.status import Status, status_at, statuses_at
from chuk_fsspec.backends.local.walk import open_directory
from chuk_fsspec.contract.errors import LEADS_NOWHERE
from chuk_fsspec.contract.info import type_of_mode
from chuk_fsspec.contract.paths import join

InfoDict = dict[str, Any]

_CANNOT_LIST = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES))
"""A directory that is gone by now, became something else, or is closed to this user."""


class Listing:
    """Describes what is below a root in the shape of ``contract.Info``."""

    def __init__(self, beneath: Beneath) -> None:
        self._beneath = beneath

    def info(self, path: str) -> InfoDict:
        """The info dict of a path.

        A link to a file has the target's type and size. A link to a directory, or to nothing, is of type ``link``, so
        that nobody walks in circles or deletes through it. Where links are not followed, so is every link, and its size
        is that of its text. ENOENT, ENOTDIR, ELOOP; LinkInTheWay.
        """
        inode = self._beneath.inode(path, follow=False)
        with named(path):
            status, leads = inode.status(), None
            if status.is_link:
                leads = inode.readlink()
                status = inode.status()  # with the access time that reading it has changed, once a day
            settle(status)
            return self._describe(path, status, leads)

    def names(self, path: str) -> list[str]:
        """The paths of a directory's entries, in order. ENOENT, ENOTDIR; LinkInTheWay."""
        directory = self._beneath.directory(path)
        with named(path):
            return sorted(join(path, name) for name in names_in(open_to_scan(directory)))

    def children(self, path: str) -> list[InfoDict]:
        """Info dicts of a directory's entries, in order of names. ENOENT, ENOTDIR; LinkInTheWay."""
        directory = self._beneath.directory(path)
        seen: list[tuple[str, Status, str | None]] = []
        with named(path):
            names = sorted(names_in(open_to_scan(directory)))
            for name, status in statuses_at(directory.number, names):
                if not S_ISLNK(status.mode):
                    seen.append((join(path, name), status, None))
                elif (link := _link_or_none(directory.number, name)) is not None:
                    seen.append((join(path, name), *link))
        settle(*[status for _, status, _ in seen])
        return [self._describe(path, status, leads) for path, status, leads in seen]

    def below(self, path: str, maxdepth: int | None) -> tuple[list[str], list[str]]:
        """What lies below a directory: paths of directories, and of everything else. Links are not followed.

        Args:
            path: the directory's absolute normal path; it may lead there through links.
            maxdepth: levels to go down; 1 is its own entries, None all.

        Returns:
            Both, in no order. What cannot be listed, for it is gone by now or closed to this user, is left out.

        Raises:
            OSError: for the first directory: ENOENT, ENOTDIR, EACCES; LinkInTheWay.
        """
        directory = self._beneath.directory(path)
        with named(path):
            level = [(path, found) for found in scan(directory)]
        directories: list[str] = []
        others: list[str] = []
        depth = 1
        while level:
            deeper: list[tuple[str, Found]] = []
            for above, found in level:
                below = join(above, found.name)
                if not found.is_directory:
                    others.append(below)
                    continue
                directories.append(below)
                if depth != maxdepth:
                    deeper += [(below, entry) for entry in self._entries_of_real(below)]
            level = deeper
            depth += 1
        return directories, others

    def _entries_of_real(self, path: str) -> list[Found]:
        """The entries of what was a directory and no link a moment ago."""
        try:
            place = self._beneath.place(path)
            return scan(open_directory(place.directory, place.name))
        except OSError as error:
            if error.errno in _CANNOT_LIST:
                return []
            error.filename = path
            raise

    def _describe(self, path: str, status: Status, leads: str | None) -> InfoDict:
        _, ino, mode, nlink, uid, gid, size, atime_ns, mtime_ns, ctime_ns, btime_ns = status
        kind = type_of_mode(mode)
        info: InfoDict = {
            "name": path,
            "size": size if kind == "file" else 0,
            "type": kind,
            "mtime": mtime_ns / 1e9,
            "created": btime_ns / 1e9,
            "mode": mode,
            "ino": ino,
            "nlink": nlink,
            "uid": uid,
            "gid": gid,
            "atime": atime_ns / 1e9,
            "ctime": ctime_ns / 1e9,
            "mtime_ns": mtime_ns,
            "islink": leads is not None,
            "etag": status.etag,
        }
        if leads is not None:
            info["destination"] = leads
            if not self._beneath.follow_links:
                info["size"] = status.size
            elif (target := self._target(path)) is not None and target.is_file:
                settle(target)
                info["type"], info["size"], info["etag"] = "file", target.size, target.etag
        return info

    def _target(self, path: str) -> Status | None:
        """What a link leads to; None for nothing, or a loop of links."""
        try:
            return self._beneath.inode(path).status()
        except OSError as error:
            if error.errno in LEADS_NOWHERE:
                return None
            error.filename = path
            raise


def _link_or_none(directory: int, name: str) -> tuple[Status, str] | None:
    """A link's status, and where it leads; None if it is gone by now, or no link any more."""
    try:
        leads = os.readlink(name, dir_fd=directory)
        return status_at(directory, name), leads  # with the access time that reading it has changed, once a day
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL):
            raise
        return None
