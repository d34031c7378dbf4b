"""What all filesystem objects of one process on one root directory have in common."""

from __future__ import annotations

import errno
import os
import threading
import weakref
from typing import Protocol

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY, O_PATH, QUIETLY
from chuk_fsspec.backends.local.linked import LinkedHere
from chuk_fsspec.contract.errors import os_error

_TARGET_PROTOCOLS = frozenset(("file", "local"))

Identity = tuple[int, int]
"""Device and number of an inode."""


class View(Protocol):
    """Who works with inodes of the root, and wants to know what others of this process do to them."""

    def keep(self, directory: Descriptor, name: str) -> None:
        """The entry is about to lose its inode: hold that if anybody still works with it."""

    def entry_changed(self, directory: Descriptor, name: str) -> None:
        """The entry is new, gone or another one now."""

    def content_changed(self, found: os.stat_result) -> None:
        """Content or attributes of an inode, which now has these, changed."""


class HasStat(Protocol):
    """An inode or an open file."""

    def stat(self) -> os.stat_result:
        """Its attributes."""


class SharedRoot:
    """A root directory.

    Attributes:
        path: its path on the host, which nobody is shown.
        links: hard links that were made in it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.links = LinkedHere()
        self._views: tuple[weakref.ref[View], ...] = ()
        self._directory = _open_root(path)

    @property
    def directory(self) -> Descriptor:
        """The directory itself, wherever it is moved to."""
        return self._directory

    @property
    def identity(self) -> Identity:
        """Device and number of the directory."""
        found = os.fstat(self._directory.number)
        return found.st_dev, found.st_ino

    def renew(self) -> bool:
        """Open the directory again if it was removed and there is a new one of its name; returns whether it was."""
        if os.fstat(self._directory.number).st_nlink:
            return False
        try:
            self._directory = _open_root(self.path)
        except OSError:
            return False
        return True

    def add_view(self, view: View) -> None:
        """Tell a view of changes from now on, for as long as it lives."""
        with _views_lock:
            self._views = (*[one for one in self._views if one() is not None], weakref.ref(view))

    def others(self, by: View | None) -> list[View]:
        """Who is to hear of what one view does, or somebody without a view."""
        if not self._views or (by is not None and len(self._views) == 1):
            return _NOBODY
        found = [one() for one in self._views]
        return [view for view in found if view is not None and view is not by]

    def keep(self, directory: Descriptor, name: str, by: View | None = None) -> None:
        """An entry is about to be removed or replaced by one view, or by nobody's."""
        for view in self.others(by):
            view.keep(directory, name)

    def entry_changed(self, directory: Descriptor, name: str, by: View | None = None) -> None:
        """An entry was made, removed or replaced by one view, or by nobody's."""
        for view in self.others(by):
            view.entry_changed(directory, name)

    def content_changed(self, changed: HasStat, by: View | None = None) -> None:
        """An inode or open file was changed by one view, or by nobody's."""
        for view in self.others(by):
            view.content_changed(changed.stat())


_roots: weakref.WeakValueDictionary[str, SharedRoot] = weakref.WeakValueDictionary()
_roots_lock = threading.RLock()
_views_lock = threading.RLock()
_NOBODY: list[View] = []


def shared_root(path: str) -> SharedRoot:
    """The root at a path of the host, common to all who use it. ENOENT, ENOTDIR, EACCES, which do not show the path."""
    real = os.path.realpath(path)
    with _roots_lock:
        root = _roots.get(real)
        if root is None:
            root = _roots[real] = SharedRoot(real)
        root.renew()
        return root


def _open_root(path: str) -> Descriptor:
    try:
        return Descriptor(os.open(path, O_PATH | O_DIRECTORY | QUIETLY))
    except OSError as error:
        name = os.path.basename(path)
        hint = f"the root directory {name!r}"
        if error.errno == errno.ENOENT:
            hint += " does not exist; make it, or pass create=True"
        raise os_error(error.errno or errno.EIO, "/", hint=hint) from None


def root_path(root: str, fo: str, target_protocol: str) -> str:
    """The root's path on the host, from one of the two places where it may be said. ValueError."""
    if target_protocol not in _TARGET_PROTOCOLS:
        raise ValueError(f"the root must be a directory of this machine (file://), not one of {target_protocol!r}")
    if bool(root) == bool(fo):
        raise ValueError("chuklocal needs one directory: root=, or a chained URL such as chuklocal://a::file:///data")
    path = root or fo
    if not os.path.isabs(path):
        raise ValueError("root must be an absolute path: pass os.path.abspath(...)")
    return path


def make_root(path: str) -> None:
    """Make a root directory and what is missing above it. FileExistsError for a file, EACCES; without the path."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        hint = f"the root directory {os.path.basename(path)!r} cannot be made"
        raise os_error(error.errno or errno.EIO, "/", hint=hint) from None


def _renew_locks() -> None:
    """After a fork: a lock may be held by a thread that the child does not have."""
    global _roots_lock, _views_lock
    _roots_lock, _views_lock = threading.RLock(), threading.RLock()
    for root in list(_roots.values()):
        root.links.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
