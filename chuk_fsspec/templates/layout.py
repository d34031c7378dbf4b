"""The shape of what is planned: each path once, nothing below a file or a link, no way out of the target."""

from __future__ import annotations

import errno
import posixpath

from chuk_fsspec.contract.paths import PATH_MAX, normalise, split
from chuk_fsspec.templates import checks

_FILE, _LINK, _DIRECTORY = "file", "link", "directory"


def path_below(text: str, where: str, *, is_directory: bool = False) -> str:
    """The normal path of an entry, counted from the target; a slash at the beginning changes nothing.

    Args:
        text: what the template says, after substitution.
        where: the entry's place in the template.
        is_directory: whether it may be the target itself, or end with a slash.

    Raises:
        OSError: EINVAL for ``..`` and for what is no path; ENAMETOOLONG.
    """
    if ".." in text.split("/"):
        raise checks.refused(errno.EINVAL, text, where, "'..' could lead out of the target; write the path without it")
    try:
        path = normalise(f"/{text}")
    except OSError as error:
        why = str(error.strerror).partition(": ")[2]
        raise checks.refused(error.errno or errno.EINVAL, text, where, why) from None
    if not is_directory and (path == "/" or text.endswith("/")):
        raise checks.refused(errno.EINVAL, text, where, "needs a name that does not end with '/'")
    return path


def link_below(path: str, target: str, where: str) -> str:
    """What a link holds: relative, so that it leads to the same entry wherever the target is mounted or moved.

    ``..`` may only stand at the beginning, where it counts from directories that are no links. Behind a name it would
    count from wherever that name leads.

    Args:
        path: the link's normal path, counted from the target.
        target: relative to the link, or absolute and then counted from the target, after substitution.
        where: the entry's place in the template.

    Raises:
        OSError: EINVAL for what leads out of the target, or could; ENAMETOOLONG.
    """
    if "\0" in target or not target:
        raise checks.refused(errno.EINVAL, path, where, "the link's target is no path")
    if len(target.encode("utf-8", "surrogatepass")) >= PATH_MAX:
        raise checks.refused(errno.ENAMETOOLONG, path, where, f"a link's target has less than {PATH_MAX} bytes")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    if ".." in parts[climbs:]:
        raise checks.refused(errno.EINVAL, path, where, "in a link's target, '..' may only stand at the beginning")
    parent = split(path)[0]
    if target.startswith("/"):
        if climbs:
            raise checks.refused(errno.EINVAL, path, where, "the link would lead out of the target")
        return posixpath.relpath("/" + "/".join(parts), parent)
    if climbs > len([part for part in parent.split("/") if part]):
        raise checks.refused(errno.EINVAL, path, where, "the link would lead out of the target")
    return target


class Layout:
    """The paths that are taken so far."""

    def __init__(self, limit: int) -> None:
        """Begin.

        Args:
            limit: most entries.
        """
        self._limit = limit
        self._kinds: dict[str, str] = {}
        self._wheres: dict[str, str] = {}
        self.implied: dict[str, str] = {}

    def add_directory(self, path: str, where: str) -> None:
        """Take a path for a directory. EINVAL if it is taken."""
        self._add(path, _DIRECTORY, where)

    def add_file(self, path: str, where: str) -> None:
        """Take a path for a file. EINVAL if it is taken."""
        self._add(path, _FILE, where)

    def add_link(self, path: str, where: str) -> None:
        """Take a path for a link. EINVAL if it is taken."""
        self._add(path, _LINK, where)

    def require_directories(self) -> None:
        """See to it that everything lies in directories; those that nobody listed are then in ``implied``.

        Raises:
            OSError: EINVAL for what would lie in a file, ELOOP for what would lie behind a link; EFBIG.
        """
        sound = {"/"}
        for path, where in list(self._wheres.items()):
            climbing = split(path)[0]
            while climbing not in sound:
                self._require_directory(climbing, path, where)
                sound.add(climbing)
                climbing = split(climbing)[0]

    def _require_directory(self, directory: str, path: str, where: str) -> None:
        kind = self._kinds.get(directory)
        if kind == _FILE:
            raise checks.refused(errno.EINVAL, path, where, f"lies in {directory}, a file by {self._wheres[directory]}")
        if kind == _LINK:
            raise checks.refused(errno.ELOOP, path, where, f"lies behind the link {directory}")
        if kind is None:
            self.implied[directory] = where
            self._count(where)

    def _add(self, path: str, kind: str, where: str) -> None:
        if path in self._kinds:
            raise checks.refused(errno.EINVAL, path, where, f"is named by {self._wheres[path]} already")
        self._kinds[path] = kind
        self._wheres[path] = where
        self._count(where)

    def _count(self, where: str) -> None:
        if len(self._kinds) + len(self.implied) > self._limit:
            raise checks.too_large(where, "entries", self._limit)
