"""Open files and handles: checked for all that they can do, and charged for what is written through them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from chuk_fsspec.contract.errors import not_supported
from chuk_fsspec.contract.operations import FSSPEC, Operation
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.wrappers.security.access import Access
from chuk_fsspec.wrappers.security.books import Books, Plan
from chuk_fsspec.wrappers.security.drafts import ChargedFile, Draft
from chuk_fsspec.wrappers.security.handles import ChargedHandle

Arguments = tuple[Any, ...]
Options = dict[str, Any]

_O_TMPFILE = getattr(os, "O_TMPFILE", 0)


class Opening:
    """Operations that give something to read or write with.

    Args:
        access: the way down.
        books: what is stored.
        drafts: the files that wait for the end of the transaction; None outside of one.
    """

    def __init__(self, access: Access, books: Books, drafts: Callable[[], list[Draft] | None]) -> None:
        self._access = access
        self._books = books
        self._drafts = drafts

    @property
    def _charges(self) -> bool:
        return self._books.limits.is_quota or self._books.ledger.is_kept

    def open(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """A binary file of ``open``."""
        mode: str = options["mode"]
        if mode == "rb" or not self._charges:
            return self._named(self._access.simple(operation, paths, arguments, options), paths[0])

        def attempt(real: str) -> Any:
            self._access.check(operation, (real,), options)
            draft = Draft(self._books, real, mode, shows=not self._access.can.atomic_write)
            file = draft.begin(lambda: self._access.ask(operation, (real,), arguments, options))
            drafts = self._drafts()
            commits = bool(options.get("autocommit", drafts is None))
            if drafts is not None and not commits:
                drafts.append(draft)
            return ChargedFile(
                file, paths[0], mode, draft, commits=commits, remove=partial(self._remove_new, operation, real)
            )

        return self._access.through(attempt, *paths)

    def _named(self, file: Any, path: str) -> Any:
        """A file that names itself as the user did, also behind a link."""
        file.path = file.full_name = path
        return file

    def _remove_new(self, operation: Operation, path: str) -> None:
        """Take away a file that opening it has made."""
        with suppress(FileNotFoundError):
            self._books.change(
                (path,),
                lambda: Plan(operation.name, others=(path,), removes=True),
                lambda: self._access.tell(FSSPEC["rm_file"], path),
            )

    def open_async(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Any:
        """An asynchronous file. ENOTSUP for writing under a quota, which has to wait for what others do."""
        if options["mode"] != "rb" and self._charges:
            self._access.check(operation, paths, options)
            raise not_supported("open_async for writing under a quota; use open", paths[0])
        return self._access.simple(operation, paths, arguments, options)

    def open_handle(self, operation: Operation, paths: Arguments, arguments: Arguments, options: Options) -> Handle:
        """A handle of ``open_handle``."""
        flags: int = options["flags"]

        def attempt(real: str) -> Handle:
            self._access.check(operation, (real,), options)
            if not self._charges:
                return self._handle(operation, real, options)
            refuse = partial(self._refuse, operation.name, real)

            def act() -> Handle:
                handle = self._handle(operation, real, options)
                return ChargedHandle(handle, flags, self._books.ledger, self._books.limits, refuse)

            if _O_TMPFILE and flags & _O_TMPFILE == _O_TMPFILE:
                return self._nameless(operation.name, real, act)
            size = 0 if flags & os.O_TRUNC else None
            if flags & os.O_CREAT:
                plan = Plan(operation.name, sizes={real: size})
            else:
                plan = Plan(operation.name, others=(real,), alters=flags & os.O_ACCMODE != os.O_RDONLY)
            return self._books.change((real,), lambda: plan, act)

        return self._access.through(attempt, *paths)

    def _handle(self, operation: Operation, path: str, options: Options) -> Handle:
        return cast("Handle", self._access.ask(operation, (path,), (), options))

    def _nameless(self, name: str, directory: str, act: Callable[[], Handle]) -> Handle:
        """A file without a name, which takes room as long as it is open."""
        ledger = self._books.ledger
        if not ledger.is_kept:
            return act()
        ledger.ensure_counted(self._books.scan)
        with ledger.changing():
            short = ledger.grow(self._books.limits, 0, 1)
            if short:
                raise self._books.refusal(name, directory, short)
            try:
                handle = act()
            finally:
                ledger.book(0, -1)
            ledger.made_without_name(handle.stat().st_ino)
            return handle

    def _refuse(self, operation: str, path: str, code: int, limit: str) -> OSError:
        return self._books.refusal(operation, path, limit, code)
