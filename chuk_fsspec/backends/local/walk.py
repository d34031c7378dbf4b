"""From a path to a directory and a name in it, one open directory after the other (path_resolution(7)).

For systems without openat2(2), and for what that does not answer: which link is in the way, and where a link leads that
leads to nothing. No step follows a link, and ``..`` goes back by the names that led here, so no step leaves the root.
"""

from __future__ import annotations

import errno
import os

from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY, O_NOFOLLOW, O_PATH, QUIETLY
from chuk_fsspec.contract.errors import link_in_the_way, os_error

LINKS_MAX = 40
_NO_DIRECTORY = frozenset((errno.ENOTDIR, errno.ELOOP))


def walk(root: Descriptor, path: str, *, follow: bool, links: bool) -> tuple[Descriptor, str]:
    """Resolve a path from the root. An absolute link counts from the root, and ``..`` stops there.

    Args:
        root: the root directory.
        path: an absolute normal path.
        follow: whether a link as the last component is followed.
        links: whether links are followed at all.

    Returns:
        The directory that holds the last component, and its name, which need not exist; ``.`` for the directory itself,
        where the path ends in one without naming it.

    Raises:
        OSError: ENOENT, ENOTDIR, ELOOP past 40 links; LinkInTheWay for a link where none is followed.
    """
    steps = _Steps(root)
    pending = _components(path)
    links_left = LINKS_MAX
    while pending:
        name = pending.pop()
        if name == ".":
            continue
        if name == "..":
            steps.back()
            continue
        if not (pending or follow):
            return steps.here, name
        target = steps.readlink(name)
        if target is None:
            if not pending:
                return steps.here, name
            if steps.enter(name):
                continue
            target = name  # it became a link meanwhile, which is as good as leading to itself
        elif not links:
            raise link_in_the_way("/" + "/".join([*steps.names, name]))
        if not links_left:
            raise os_error(errno.ELOOP, path)
        links_left -= 1
        if target.startswith("/"):
            steps.restart()
        pending += _components(target)
    return steps.here, "."


def open_directory(directory: Descriptor, name: str) -> Descriptor:
    """Hold a directory's subdirectory. ENOENT, ENOTDIR, also for a link (ELOOP on some systems)."""
    flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | QUIETLY
    return Descriptor(os.open(name, flags, dir_fd=directory.number))


class _Steps:
    """Where a walk has come to, and by which names."""

    def __init__(self, root: Descriptor) -> None:
        self._root = root
        self.here = root
        self.names: list[str] = []

    def readlink(self, name: str) -> str | None:
        """Where an entry leads; None for what is no link, or is not there."""
        try:
            return os.readlink(name, dir_fd=self.here.number)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return None
            raise

    def enter(self, name: str) -> bool:
        """Go into a directory; False if the name is one of a link. ENOENT, ENOTDIR."""
        try:
            self.here = open_directory(self.here, name)
        except OSError as error:
            if error.errno in _NO_DIRECTORY and self.readlink(name) is not None:
                return False
            raise
        self.names.append(name)
        return True

    def back(self) -> None:
        """Go to the directory above, along the names that led here."""
        del self.names[-1:]
        self.here = self._root
        for name in self.names:
            self.here = open_directory(self.here, name)

    def restart(self) -> None:
        """Go to the root."""
        self.here = self._root
        self.names = []


def _components(path: str) -> list[str]:
    """The components of a path, last first. A slash at the end asks for a directory as ``.`` does, and becomes one."""
    components = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    if path.endswith(("/", "/.")) and components:
        components.insert(0, ".")
    return components
