"""Operations that change what is stored: checked, made room for, booked."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.expansion import has_glob
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Operation
from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from chuk_fsspec.wrappers.security.access import Access
from chuk_fsspec.wrappers.security.books import Books, Plan
from chuk_fsspec.wrappers.security.drafts import Draft
from chuk_fsspec.wrappers.security.plans import ALTERING_PLANS, PLANS, POSIX_PLANS

Arguments = tuple[Any, ...]
Options = dict[str, Any]
Handler = Callable[[Operation, Arguments, Arguments, Options], Any]

_ALL_POSIX = {**POSIX_PLANS, **ALTERING_PLANS}
_WRITING = frozenset(("pipe", "pipe_file", "put", "touch"))
"""What a transaction may keep back until its end."""


class Changing:
    """Operations that make, fill, move and remove files.

    Args:
        access: the way down.
        books: what is stored.
        drafts: the files that wait for the end of the transaction; None outside of one.
    """

    def __init__(self, access: Access, books: Books, drafts: Callable[[], list[Draft] | None]) -> None:
        self._access = access
        self._gate = access.gate
        self._books = books
        self._drafts = drafts

    def handlers(self) -> dict[str, Handler]:
        """What answers which operation."""
        special: dict[str, Handler] = {
            "copy": self.copy,
            "mv": self.move,
            "pipe": self.write_many,
            "put": self.write_many,
            "rm": self.remove_many,
        }
        return {name: special.get(name, self.change) for name in PLANS}

    def posix_handlers(self) -> dict[str, Handler]:
        """What answers which operation of ``fs.posix``."""
        altering = ALTERING_PLANS if self._books.may_copy else ()
        return {
            **dict.fromkeys(POSIX_PLANS, self.change),
            **dict.fromkeys(altering, self.alter),
            "link": self.move,
            "rename": self.move,
        }

    def change(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """An operation on one path, or a copy."""

        def attempt(*real: str) -> Any:
            self._access.check(operation, real, options)
            return self._books.change(
                real,
                lambda: self._plan(operation, real, arguments, options),
                lambda: self._access.ask(operation, real, arguments, options),
            )

        return self._access.through(attempt, *paths)

    def alter(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """A change of attributes, which may make a copy of a file with several names."""

        def attempt(real: str) -> Any:
            self._access.check(operation, (real,), options)
            status: os.stat_result = self._access.tell(POSIX["lstat"], real)
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                return self.change(operation, (real,), arguments, options)
            return self._access.ask(operation, (real,), arguments, options)

        return self._access.through(attempt, *paths)

    def _plan(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Plan:
        """What an operation is going to change. In a transaction, content may wait, and what waited may come along."""
        planner = (_ALL_POSIX if operation.posix else PLANS)[operation.name]
        plan = planner(self._books.surveyor, paths, arguments, options)
        drafts = self._drafts()
        if drafts is None:
            return plan
        if operation.name in _WRITING:
            for path, size in plan.sizes.items():
                draft = Draft(self._books, path, "wb", shows=False)
                drafts.append(draft)
                if self._books.ledger.is_kept:
                    draft.promise(size or 0)
            plan = Plan(plan.operation, others=plan.paths)
        waiting = [path for draft in drafts for path in draft.places if path not in plan.paths]
        return replace(plan, others=(*plan.others, *dict.fromkeys(waiting)), exact=False)

    # ---- moving

    def move(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """Rename, or give a second name: nothing may gain by it."""
        name = operation.name

        def attempt(source: str, target: str) -> Any:
            self._access.check(operation, (source, target), options)

            def act() -> Any:
                if name == "link":
                    self._gate.require_linkable(name, source, target)
                else:
                    self._gate.require_movable(name, source, target, self._below(source))
                if options.get("flags", 0) & RENAME_EXCHANGE:
                    self._gate.require_movable(name, target, source, self._below(target))
                self._require_literal(source)
                return self._access.ask(operation, (source, target), arguments, options)

            plan_it = lambda: self._plan(operation, (source, target), arguments, options)  # noqa: E731
            return self._books.change((), plan_it, act)

        return self._access.through(attempt, *paths)

    def require_movable(self, source: str, target: str) -> None:
        """Check a move that is going to be made of copying and removing, before anything is copied."""
        self._access.check(FSSPEC["mv"], (source, target), {})
        self._gate.require_movable("mv", source, target, self._below(source))
        self._gate.require_removable("mv", source, self._below(source))

    def _below(self, path: str) -> Iterator[str]:
        """The paths of all that a directory holds, looked for when the first is asked for."""
        for info in self._books.surveyor.below(path):
            if info["name"] != path:
                yield info["name"]

    def _require_literal(self, path: str) -> None:
        """ENOENT for a missing path that the filesystem below would take for a pattern."""
        if has_glob(path) and self._books.surveyor.look(path) is None:
            raise not_found(path)

    # ---- many at once

    def write_many(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """Write each of a list of files."""

        def attempt(real: list[str]) -> Any:
            self._access.check_all(operation, real, Effect.WRITE, creates=True)
            return self._books.change(
                real,
                lambda: self._plan(operation, (real,), arguments, options),
                lambda: self._access.ask(operation, (real,), arguments, options),
            )

        return self._access.all_through(attempt, paths[0], creates=True)

    def copy(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> None:
        """Copy each of a list of files to its target, all at once where no links can be in the way."""
        sources, targets = paths
        self._access.check_all(operation, sources, Effect.READ)
        self._access.check_all(operation, targets, Effect.WRITE, creates=True)
        if not self._access.can.symlinks:
            self._books.change(
                [*sources, *targets],
                lambda: self._plan(operation, paths, arguments, options),
                lambda: self._access.ask(operation, paths, arguments, options),
            )
            return
        options = dict(options)
        ignores = options.pop("on_error", "raise") == "ignore"
        for pair in zip(sources, targets, strict=True):
            self._copy_one(pair, options, ignores=ignores)

    def _copy_one(self, pair: tuple[str, str], options: Options, *, ignores: bool) -> None:
        try:
            self.change(FSSPEC["cp_file"], pair, (), options)
        except FileNotFoundError:
            if not ignores:
                raise

    def remove_many(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> None:
        """Remove each of a list of paths; a directory only if all that it holds may be removed."""
        together = not self._access.can.symlinks and not any(map(has_glob, paths[0]))
        for group in [paths[0]] if together else [[path] for path in paths[0]]:
            self._access.through(lambda *real: self._remove(operation, list(real), options), *group)

    def _remove(self, operation: Operation, paths: list[str], options: Options) -> None:
        recursive = options.get("recursive", False)
        self._access.check_all(operation, paths, Effect.DELETE)

        def act() -> None:
            for path in paths:
                if recursive:
                    self._gate.require_removable(operation.name, path, self._below(path))
                self._require_literal(path)
            if self._access.is_plain and any(map(has_glob, paths)):
                self._remove_literally(paths, recursive)
            else:
                self._access.ask(operation, (paths,), (), options)

        self._books.change(() if recursive else paths, lambda: self._plan(operation, (paths,), (), options), act)

    def _remove_literally(self, paths: list[str], recursive: bool) -> None:
        """Remove paths from a filesystem that takes every ``*`` for a pattern."""
        for path in paths:
            found = self._books.surveyor.below(path) if recursive else []
            directories = [info["name"] for info in found if info["type"] == "directory"]
            for file in [info["name"] for info in found if info["type"] != "directory"] or [path]:
                self._access.tell(FSSPEC["rm_file"], file)
            for directory in sorted(directories, reverse=True):
                if self._books.surveyor.look(directory) is not None:
                    self._access.tell(FSSPEC["rmdir"], directory)
