"""All or nothing: where an archive is put until it is whole, and how it comes to its place."""

from __future__ import annotations

import errno
from collections.abc import Callable, Container
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Protocol

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.trees.moving import (
    entries_of,
    make_private,
    missing_parents,
    move,
    name_of,
    new_name,
    remove_if_possible,
    remove_tree,
    renames,
)
from chuk_fsspec.trees.walking import below

Existing = Literal["refuse", "merge", "replace"]

Finish = Callable[[str, Container[str]], None]
"""Gives the directories below a path their attributes, but for those, by their paths in it, that were there before."""


class Place(Protocol):
    """A context manager. What was made inside is undone if the block fails."""

    base: str
    """The directory to make members in."""
    in_place: bool
    """Whether everything that is done to the filesystem will be undone, so that files need not be written aside."""
    merges: bool
    """Whether there may be something in the directory."""

    def arrive(self, finish: Finish) -> None:
        """Bring everything to the target."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def place_for(fs: AbstractFileSystem, target: str, existing: Existing) -> Place:
    """Choose the way for a filesystem and a target.

    Args:
        fs: the filesystem, in the view that follows no links.
        target: the filesystem's own path of the directory that the archive becomes.
        existing: what becomes of a directory that has something in it.

    Raises:
        OSError: ENOTDIR, ENOTEMPTY; EROFS.
    """
    can = capabilities_of(fs)
    if not can.write:
        raise os_error(errno.EROFS, target)
    is_there = fs.lexists(target) or not target.strip("/")
    entries = entries_of(fs, target) if is_there else []
    if entries and existing == "refuse":
        hint = "there are files already; merge with them, replace them, or import into another directory"
        raise os_error(errno.ENOTEMPTY, target, hint=hint)
    if can.transactions and not fs._intrans:  # noqa: SLF001 - fsspec has no public name for it
        return _Transaction(fs, target, existing, entries)
    if is_there:
        return _Inside(fs, target, existing)
    return _Beside(fs, target)


class _Transaction:
    """Everything is made where it belongs; the filesystem itself undoes it."""

    in_place = True

    def __init__(self, fs: AbstractFileSystem, target: str, existing: Existing, entries: list[str]) -> None:
        self._fs, self.base = fs, target
        self.merges = existing == "merge" and bool(entries)
        self._removed = entries if existing == "replace" else []
        self._transaction: Any = None

    def arrive(self, finish: Finish) -> None:
        finish(self.base, ())

    def __enter__(self) -> None:
        self._transaction = self._fs.transaction
        self._transaction.__enter__()
        try:
            for path in self._removed:
                remove_tree(self._fs, path)
            self._fs.makedirs(self.base, exist_ok=True)
        except BaseException as error:
            self._transaction.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.__exit__(kind, error, trace)


class _Beside:
    """A new directory is filled beside the target, and then gets its name."""

    in_place = merges = False

    def __init__(self, fs: AbstractFileSystem, target: str) -> None:
        self._fs, self._target = fs, target
        self.base = below(fs._parent(target), new_name("import"))
        self._made = missing_parents(fs, target)
        self._mode: int | None = None
        self._is_copied = False

    def arrive(self, finish: Finish) -> None:
        if self._fs.lexists(self._target):
            raise os_error(errno.EEXIST, self._target, hint="somebody made it meanwhile")
        finish(self.base, ())
        if self._mode is not None:
            self._fs.posix.chmod(self.base, self._mode)
        self._is_copied = not renames(self._fs)
        move(self._fs, self.base, self._target)

    def __enter__(self) -> None:
        try:
            self._mode = make_private(self._fs, self.base)
        except BaseException:
            self._undo()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._undo()

    def _undo(self) -> None:
        if self._is_copied:
            remove_if_possible(self._fs, self._target)
        remove_if_possible(self._fs, self.base)
        for directory in self._made:
            with suppress(OSError):
                self._fs.rmdir(directory)


class _Inside:
    """A new directory is filled inside the target; then what it holds is moved, and moved back if that fails."""

    in_place = merges = False

    def __init__(self, fs: AbstractFileSystem, target: str, existing: Existing) -> None:
        self._fs, self._target, self._existing = fs, target, existing
        self.base = below(target, new_name("import"))
        self._aside = below(target, new_name("replaced"))
        self._moved: list[tuple[str, str]] = []
        self._kept: set[str] = set()

    def arrive(self, finish: Finish) -> None:
        make_private(self._fs, self._aside)
        if self._existing == "replace":
            for path in entries_of(self._fs, self._target):
                if name_of(path) not in {name_of(self.base), name_of(self._aside)}:
                    self._carry(path, below(self._aside, name_of(path)))
        self._merge("")
        finish(self._target, self._kept)

    def __enter__(self) -> None:
        make_private(self._fs, self.base)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for path in (self.base, self._aside):
                if self._fs.lexists(path):
                    remove_tree(self._fs, path)
            return
        self._move_back()
        for path in (self.base, self._aside):
            remove_if_possible(self._fs, path)

    def _merge(self, directory: str) -> None:
        """Move what is in a directory of the archive to its place; directories that are there already are kept."""
        for path in entries_of(self._fs, below(self.base, directory)):
            relative = f"{directory}/{name_of(path)}" if directory else name_of(path)
            place = below(self._target, relative)
            if not self._fs.lexists(place):
                self._carry(path, place)
                continue
            is_new, is_old = (self._fs.info(at)["type"] == "directory" for at in (path, place))
            if is_new and is_old:
                self._kept.add(relative)
                self._merge(relative)
            elif is_new or is_old:
                code = errno.EISDIR if is_old else errno.ENOTDIR
                raise os_error(code, place, hint="the archive has something else here; move it away")
            else:
                self._carry(place, below(self._aside, f"{len(self._moved)}"))
                self._carry(path, place)

    def _carry(self, source: str, target: str) -> None:
        self._moved.append((source, target))
        move(self._fs, source, target)

    def _move_back(self) -> None:
        try:
            for source, target in reversed(self._moved):
                if self._fs.lexists(target):
                    move(self._fs, target, source)
        except OSError as error:
            hint = f"it could not be made what it was; what is missing is in {name_of(self._aside)}"
            raise os_error(error.errno or errno.EIO, self._target, hint=hint) from error
