"""The way down: each path is checked as it was asked, and again where links have led it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from chuk_fsspec.contract.capabilities import PLAIN_FSSPEC, Capabilities
from chuk_fsspec.contract.errors import LinkInTheWay, not_found
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Operation
from chuk_fsspec.forwarding.links import through_links
from chuk_fsspec.wrappers.security.asking import effects
from chuk_fsspec.wrappers.security.gate import Gate

Result = TypeVar("Result")


class Ask(Protocol):
    """Has the filesystem below do something, unchecked."""

    def __call__(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any], /
    ) -> Any:
        """What ``ForwardingFileSystem._perform`` takes."""


class Access:
    """What a filesystem with rules does to reach the one below.

    Args:
        ask: reaches it.
        gate: checks paths.
        can: the capabilities of the one below.
        follows: whether links are followed; if not, one in the way raises ``LinkInTheWay``.
    """

    def __init__(self, ask: Ask, gate: Gate, can: Capabilities, *, follows: bool) -> None:
        self.ask = ask
        self.gate = gate
        self.can = can
        self.follows = follows
        self.is_plain = can == PLAIN_FSSPEC
        self._scope = gate.policy.scope

    def tell(self, operation: Operation, *paths: Any, **options: Any) -> Any:
        """Ask with paths and options only."""
        return self.ask(operation, paths, (), options)

    def simple(
        self, operation: Operation, paths: tuple[str, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Check the paths of an operation and have it done."""
        if len(paths) == 1 and not operation.raised_by:
            scope = self._scope(paths[0])
            if operation.effect not in scope.allows:
                raise self.gate.refusal(operation.name, paths[0], operation.effect, scope)
            try:
                return self.ask(operation, paths, arguments, options)
            except LinkInTheWay:
                if not self.follows:
                    raise

        def attempt(*real: str) -> Any:
            self.check(operation, real, options)
            return self.ask(operation, real, arguments, options)

        return self.through(attempt, *paths)

    def check(self, operation: Operation, paths: tuple[str, ...], options: Mapping[str, Any]) -> None:
        """Check each path of an operation. SecurityViolation; ENOENT for what is hidden."""
        for path, (wanted, makes) in zip(paths, effects(operation, options), strict=True):
            for effect in wanted:
                self.gate.require(operation.name, path, effect, creates=makes)

    def check_all(self, operation: Operation, paths: list[str], effect: Effect, *, creates: bool = False) -> None:
        """Check a list of paths."""
        for path in paths:
            self.gate.require(operation.name, path, effect, creates=creates)

    def through(self, attempt: Callable[..., Result], *paths: str, quietly: bool = False) -> Result:
        """Run something on paths as often as there are links to follow.

        Args:
            attempt: called with paths; it raises ``LinkInTheWay``.
            paths: where to begin.
            quietly: a link that may not be seen is taken to be missing, and no violation is noted.
        """
        if not self.follows:
            return attempt(*paths)
        see = self._glance if quietly else self._look
        return through_links(
            attempt,
            *paths,
            readlink=lambda path: str(see(POSIX["readlink"], path)),
            is_directory=lambda path: bool(see(FSSPEC["isdir"], path)),
        )

    def all_through(self, attempt: Callable[[list[str]], Result], paths: list[str], *, creates: bool) -> Result:
        """Run something that may be run again on a list of paths; where a link is in the way, with none in any.

        Args:
            attempt: called with the paths; it raises ``LinkInTheWay``.
            paths: where to begin.
            creates: whether it makes what is not there (``Gate.require``).
        """
        try:
            return attempt(paths)
        except LinkInTheWay:
            if not self.follows:
                raise
        resolved = [self.resolved(path, creates=creates) for path in paths]
        try:
            return attempt(resolved)
        except OSError as error:
            if error.filename in resolved:
                error.filename = paths[resolved.index(error.filename)]
            raise

    def resolved(self, path: str, *, creates: bool) -> str:
        """Where a path leads, as a path without links; of one that leads nowhere, the path that is not there."""

        def attempt(real: str) -> str:
            self.gate.require("info", real, Effect.LIST, creates=creates)
            self.tell(FSSPEC["exists"], real)
            return real

        return self.through(attempt, path)

    def _look(self, operation: Operation, path: str) -> Any:
        self.gate.require(operation.name, path, Effect.LIST)
        return self.tell(operation, path)

    def _glance(self, operation: Operation, path: str) -> Any:
        if not self.gate.policy.scope(path).may_list:
            raise not_found(path)
        return self.tell(operation, path)
