"""Files that may be changed in place, for all their names lie in the root, and those that are copied first.

A file with other names may have one of them outside the root, where nothing is to change.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import closing
from dataclasses import dataclass

from chuk_fsspec.backends.local.attributes import carry_over
from chuk_fsspec.backends.local.beneath import Beneath, Place, entry, entry_or_none
from chuk_fsspec.backends.local.content import copy_content
from chuk_fsspec.backends.local.inode import Inode
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.shared import SharedRoot, View
from chuk_fsspec.backends.local.status import status_at
from chuk_fsspec.backends.local.temporary import Temporary, replace_by_link
from chuk_fsspec.contract.errors import os_error


@dataclass(frozen=True)
class Owner:
    """Tells whose files are whose.

    Attributes:
        shared: the root.
        beneath: its paths, as this filesystem resolves them.
        trust_links: take all names of a file for names inside the root.
    """

    shared: SharedRoot
    beneath: Beneath
    trust_links: bool

    def own(self, inode: Inode, path: str, *, follow: bool = True) -> Inode:
        """The inode of a path if it may be changed in place; else a copy that took its place.

        A file with other names may have one of them outside the root, where nothing is to change.

        Args:
            inode: what is at the path.
            path: an absolute normal path.
            follow: whether a link as the last component was followed.

        Raises:
            OSError: EPERM for another kind of file with several names; ENOENT, ENOSPC; LinkInTheWay.
        """
        while not self.is_own(inode):
            with named(path):
                place = self.beneath.place(path, follow=follow)
                current = entry(place, path)
                if os.path.samestat(current.stat(), inode.stat()):
                    self.replace_by_copy(current, [place])
                inode = entry(place, path)
        return inode

    def is_own(self, inode: Inode) -> bool:
        """Whether all names of an inode are known to lie in the root. EPERM if not, and it cannot be copied either."""
        found = inode.stat()
        if found.st_nlink <= 1 or stat.S_ISDIR(found.st_mode) or self.trust_links:
            return True
        if self.shared.links.knows_all_names(inode.status()):
            return True
        if not stat.S_ISREG(found.st_mode):
            raise os_error(errno.EPERM, hint="it has other names, which may lie outside the root")
        return False

    def replace_by_copy(self, inode: Inode, places: list[Place], by: View | None = None) -> None:
        """Put one copy of a regular file, attributes and all, under those of some names that are still its own.

        Args:
            inode: the file.
            places: the names. The first one gets the copy in any case.
            by: the view that asks for it.
        """
        source, found = inode.open(os.O_RDONLY), inode.stat()
        first, *others = places
        with closing(Temporary(self.shared.directory, first.directory)) as temporary:
            copy_content(source.number, temporary.fd)
            carry_over(inode, found, temporary.fd, os.fstat(temporary.fd), same_content=True)
            os.utime(temporary.fd, ns=(found.st_atime_ns, found.st_mtime_ns))
            os.fsync(temporary.fd)
            self.shared.keep(first.directory, first.name, by)
            temporary.replace(first)
        self.shared.entry_changed(first.directory, first.name, by)
        for other in others:
            current = entry_or_none(other)
            if current is not None and os.path.samestat(current.stat(), found):
                before = status_at(first.directory.number, first.name)
                self.shared.keep(other.directory, other.name, by)
                replace_by_link(self.shared.directory, first, other)
                self.shared.links.linked(before)
                self.shared.entry_changed(other.directory, other.name, by)
