"""All or nothing: where an archive is put until it is whole, and how it comes to its place."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Protocol

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.archives.trees import below
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error

Existing = Literal["refuse", "merge", "replace"]

Finish = Callable[[str], None]
"""Gives the directories below a path their attributes."""


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
    entries = _entries(fs, target) if is_there else []
    if entries and existing == "refuse":
        hint = "there are files already; merge with them, replace them, or import into another directory"
        raise os_error(errno.ENOTEMPTY, target, hint=hint)
    if can.transactions and not fs._intrans:  # noqa: SLF001 - fsspec has no public name for it
        return _Transaction(fs, target, existing, entries)
    if is_there:
        return _Inside(fs, target, existing)
    return _Beside(fs, target)


def _entries(fs: AbstractFileSystem, target: str) -> list[str]:
    """The filesystem's own paths of what is in a directory. ENOTDIR."""
    if fs.info(target)["type"] != "directory":
        raise os_error(errno.ENOTDIR, target, hint="import into a directory")
    return [path for path in fs.ls(target, detail=False) if path.strip("/") != target.strip("/")]


class _Transaction:
    """Everything is made where it belongs; the filesystem itself undoes it."""

    in_place = True

    def __init__(self, fs: AbstractFileSystem, target: str, existing: Existing, entries: list[str]) -> None:
        self._fs, self.base = fs, target
        self.merges = existing == "merge" and bool(entries)
        self._removed = entries if existing == "replace" else []
        self._transaction: Any = None

    def arrive(self, finish: Finish) -> None:
        finish(self.base)

    def __enter__(self) -> None:
        self._transaction = self._fs.transaction
        self._transaction.__enter__()
        try:
            for path in self._removed:
                _remove_tree(self._fs, path)
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
        self.base = below(fs._parent(target), _new_name("import"))
        self._made = _missing_parents(fs, target)

    def arrive(self, finish: Finish) -> None:
        if self._fs.lexists(self._target):
            raise os_error(errno.EEXIST, self._target, hint="somebody made it meanwhile")
        finish(self.base)
        _move(self._fs, self.base, self._target)

    def __enter__(self) -> None:
        try:
            self._fs.makedirs(self.base, exist_ok=False)
        except BaseException:
            self._undo()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._undo()

    def _undo(self) -> None:
        _remove(self._fs, self.base)
        for directory in self._made:
            with suppress(OSError):
                self._fs.rmdir(directory)


class _Inside:
    """A new directory is filled inside the target; then what it holds is moved, and moved back if that fails."""

    in_place = merges = False

    def __init__(self, fs: AbstractFileSystem, target: str, existing: Existing) -> None:
        self._fs, self._target, self._existing = fs, target, existing
        self.base = below(target, _new_name("import"))
        self._aside = below(target, _new_name("replaced"))
        self._moved: list[tuple[str, str]] = []

    def arrive(self, finish: Finish) -> None:
        self._fs.makedirs(self._aside)
        if self._existing == "replace":
            for path in _entries(self._fs, self._target):
                if path.rpartition("/")[2] not in {_name(self.base), _name(self._aside)}:
                    self._carry(path, below(self._aside, _name(path)))
        self._merge(self.base, self._target)
        finish(self._target)

    def __enter__(self) -> None:
        self._fs.makedirs(self.base)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for source, target in reversed(self._moved):
                _move(self._fs, target, source)
        _remove(self._fs, self.base)
        _remove(self._fs, self._aside)

    def _merge(self, source: str, target: str) -> None:
        for path in _entries(self._fs, source):
            name = _name(path)
            place = below(target, name)
            if not self._fs.lexists(place):
                self._carry(path, place)
                continue
            is_new, is_old = (self._fs.info(at)["type"] == "directory" for at in (path, place))
            if is_new and is_old:
                self._merge(path, place)
            elif is_new or is_old:
                code = errno.EISDIR if is_old else errno.ENOTDIR
                raise os_error(code, place, hint="the archive has something else here; move it away")
            else:
                self._carry(place, below(self._aside, f"{len(self._moved)}"))
                self._carry(path, place)

    def _carry(self, source: str, target: str) -> None:
        _move(self._fs, source, target)
        self._moved.append((source, target))


def _new_name(what: str) -> str:
    """A name that nobody has, and that no rule against hidden files refuses."""
    return f"{what}-{secrets.token_hex(8)}"


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _missing_parents(fs: AbstractFileSystem, target: str) -> list[str]:
    """Directories above a path that are still to be made, the lowest first."""
    missing, parent = [], fs._parent(target)
    while parent.strip("/") and not fs.lexists(parent):
        missing.append(parent)
        parent = fs._parent(parent)
    return missing


def _move(fs: AbstractFileSystem, source: str, target: str) -> None:
    """Rename a file or directory to a free name; where there is no rename, copy it and remove the original."""
    if capabilities_of(fs).rename or isinstance(fs, LocalFileSystem):
        fs.mv(source, target)
        return
    if fs.info(source)["type"] != "directory":
        fs.cp_file(source, target)
        fs.rm_file(source)
        return
    fs.makedirs(target, exist_ok=True)
    for path in _entries(fs, source):
        _move(fs, path, below(target, _name(path)))
    _remove_directory(fs, source)


def _remove(fs: AbstractFileSystem, path: str) -> None:
    """Remove what is there, if anything; what cannot be removed stays, for the error itself matters more."""
    with suppress(OSError):
        if fs.lexists(path):
            _remove_tree(fs, path)


def _remove_tree(fs: AbstractFileSystem, path: str) -> None:
    """Remove a file or directory, whose name may hold what ``rm`` takes for a pattern."""
    pending, directories = [path], []
    while pending:
        at = pending.pop()
        if fs.info(at)["type"] != "directory":
            fs.rm_file(at)
            continue
        directories.append(at)
        pending += _entries(fs, at)
    for directory in reversed(directories):
        _remove_directory(fs, directory)


def _remove_directory(fs: AbstractFileSystem, path: str) -> None:
    """Remove an empty directory; one that was only a part of names went with the last of them."""
    with suppress(FileNotFoundError):
        fs.rmdir(path)
