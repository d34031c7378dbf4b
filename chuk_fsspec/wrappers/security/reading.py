"""Content of many files at once, and the short way to the content of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.operations import FSSPEC, Effect, Operation
from chuk_fsspec.wrappers.security.access import Access
from chuk_fsspec.wrappers.security.policy import Policy

Arguments = tuple[Any, ...]
Options = dict[str, Any]
Reader = Callable[[str], bytes | None]


class Reading:
    """Operations that show the content of files by list; each is checked, then all are asked for together."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def handlers(self) -> dict[str, Callable[[Operation, Arguments, Arguments, Options], Any]]:
        """What answers which operation."""
        return {"cat_ranges": self.cat_ranges, "get": self.get}

    def cat_ranges(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> list[Any]:
        """Ranges of files; with ``on_error="return"`` refusals stand in their places."""
        ranges = list(zip(paths[0], *arguments, strict=True))
        results: list[Any] = [self._refusal(path) for path, _, _ in ranges]
        allowed = [number for number, refusal in enumerate(results) if refusal is None]
        raises = options.get("on_error") != "return"
        _raise_first(results if raises else ())
        if allowed:
            asked = list(zip(*[ranges[number] for number in allowed], strict=True))
            found = self._access.ask(
                operation, (list(asked[0]),), tuple(map(list, asked[1:])), {**options, "on_error": "return"}
            )
            for number, result in zip(allowed, found, strict=True):
                results[number] = self._behind_links(result, *ranges[number])
        _raise_first(results if raises else ())
        return results

    def _refusal(self, path: str) -> OSError | None:
        try:
            self._access.gate.require("cat_ranges", path, Effect.READ)
        except OSError as error:
            return error
        return None

    def _behind_links(self, result: Any, path: str, start: int | None, end: int | None) -> Any:
        """A result; of a file behind a link, the one for the file."""
        if not isinstance(result, LinkInTheWay) or not self._access.follows:
            return result
        try:
            return self._access.simple(FSSPEC["cat_file"], (path,), (), {"start": start, "end": end})
        except OSError as error:
            return error

    def get(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """Download files."""

        def attempt(real: list[str]) -> Any:
            self._access.check_all(operation, real, Effect.READ)
            return self._access.ask(operation, (real,), arguments, options)

        return self._access.all_through(attempt, paths[0], creates=False)


def _raise_first(results: Any) -> None:
    for result in results:
        if isinstance(result, Exception):
            raise result


def narrowed(read: Reader, policy: Policy, directory: str) -> Reader:
    """A reader by name (``Posix.reader``) that answers only for files that may be read."""
    scope = policy.scope(directory)
    known, below = scope.names, scope.below

    def read_allowed(name: str) -> bytes | None:
        found = known.get(name)
        if found is None:
            found = below(name)
        return read(name) if found.may_read else None

    return read_allowed
