"""Questions and listings: what may not be shown is not there."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.operations import FSSPEC, Operation
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.wrappers.security.access import Access
from chuk_fsspec.wrappers.security.violations import SecurityViolation

_LEADS_NOWHERE = frozenset((errno.ELOOP, errno.ENAMETOOLONG))
"""What following links may end in."""

Info = dict[str, Any]
Arguments = tuple[Any, ...]
Options = dict[str, Any]


class Looking:
    """Operations that show names and attributes."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._scope = access.gate.policy.scope

    def handlers(self) -> dict[str, Callable[[Operation, Arguments, Arguments, Options], Any]]:
        """What answers which operation."""
        return {
            "exists": self.ask_quietly,
            "lexists": self.ask_quietly,
            "isdir": self.ask_quietly,
            "isfile": self.ask_quietly,
            "info": self.info,
            "ls": self.ls,
            "find": self.find,
        }

    def ask_quietly(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> bool:
        """A question with yes or no: what may not be seen is not there, and neither is what leads nowhere."""
        try:
            return bool(self._access.simple(operation, paths, arguments, options))
        except (SecurityViolation, FileNotFoundError, NotADirectoryError):
            return False
        except LinkInTheWay:
            raise
        except OSError as error:
            if operation.name != "lexists" and error.errno in _LEADS_NOWHERE:
                return False
            raise

    # ---- listings

    def info(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Info:
        """What is known of a path."""
        info: Info = self._access.simple(operation, paths, arguments, options)
        return self._described(info if info["name"] == paths[0] else {**info, "name": paths[0]})

    def ls(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> list[Any]:
        """A directory's entries that may be shown; of a file, its own."""
        asked: str = paths[0]
        detail = options.get("detail", True)

        def attempt(real: str) -> list[Any]:
            self._access.check(operation, (real,), options)
            found: list[Any] = self._access.ask(operation, (real,), arguments, options)
            names = [info["name"] for info in found] if detail else found
            if names == [real] and real != "/":  # no directory has an entry of its own path
                return [self.info(FSSPEC["info"], (asked,), (), {}) if detail else asked]
            return self._shown(found, real, asked, detail)

        return self._access.through(attempt, asked)

    def find(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """All that may be shown below a path; nothing below what is not there."""
        asked: str = paths[0]
        detail = options.get("detail", False)

        def attempt(real: str) -> Any:
            self._access.check(operation, (real,), options)
            found = self._access.ask(operation, (real,), arguments, options)
            if not detail:
                return self._shown(found, real, asked, detail=False)
            infos = [info or self._access.tell(FSSPEC["info"], path) for path, info in found.items()]
            if real != asked and len(infos) == 1 and infos[0]["name"] == real and infos[0]["type"] != "directory":
                infos, real = [self._access.tell(FSSPEC["info"], asked)], asked  # a link to a file is shown as itself
            return {info["name"]: info for info in self._shown(infos, real, asked, detail=True)}

        try:
            return self._access.through(attempt, asked)
        except (FileNotFoundError, NotADirectoryError):
            return {} if detail else []

    def _shown(self, found: list[Any], real: str, asked: str, detail: bool) -> list[Any]:
        """Those of some entries below a real directory that may be shown, as entries below the one that was asked."""
        if not self._scope(real).is_uniform:
            found = self._allowed(found, detail)
        if real != asked:
            moved = [_moved(one["name"] if detail else one, real, asked) for one in found]
            found = [{**one, "name": name} for one, name in zip(found, moved, strict=True)] if detail else moved
            found = self._allowed(found, detail)
        return [self._described(one) if one.get("islink") else one for one in found] if detail else found

    def _allowed(self, found: list[Any], detail: bool) -> list[Any]:
        """Those of some entries that may be shown; entries of one directory mostly stand together."""
        shown = []
        directory, below = "", self._access.gate.policy.root.below
        for one in found:
            parent, _, name = (one["name"] if detail else one).rpartition("/")
            if parent != directory:
                directory, below = parent, self._scope(parent or "/").below
            if not name or below(name).may_list:
                shown.append(one)
        return shown

    def _described(self, info: Info) -> Info:
        """An info dict; a link to a file has the type, the size and the etag of the file.

        One to a directory, to nothing, or to what may not be seen, is of type ``link``, so that nobody walks in circles
        or deletes through it.
        """
        if info["type"] != "link" or not self._access.follows:
            return info
        target = self._target(info["name"])
        if target is None or target["type"] != "file":
            return {**info, "size": 0}
        return {**info, **{key: target[key] for key in ("type", "size", "etag") if key in target}}

    def _target(self, path: str) -> Info | None:
        """What a link leads to, unless that is nowhere or may not be seen. Asking for it is no violation."""

        def attempt(real: str) -> Info | None:
            if not self._scope(real).may_list:
                return None
            if not self._access.tell(FSSPEC["exists"], real):
                return None
            info: Info = self._access.tell(FSSPEC["info"], real)
            return info

        try:
            return self._access.through(attempt, path, quietly=True)
        except LinkInTheWay:
            return None
        except OSError as error:
            if error.errno in _LEADS_NOWHERE or isinstance(error, (FileNotFoundError, NotADirectoryError)):
                return None
            raise


def _moved(path: str, directory: str, to: str) -> str:
    """A path below one directory as the same below another."""
    if directory == to or not is_inside(path, directory):
        return path
    rest = path[len(directory) :] if directory != "/" else path
    return ("" if to == "/" else to) + rest or "/"
