"""Making what is planned: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.templates.places import Place, place_at
from chuk_fsspec.templates.planned import Plan, PlannedLink
from chuk_fsspec.templates.surveying import ERROR, Survey, Write, survey
from chuk_fsspec.templates.undoing import Undoing
from chuk_fsspec.templates.writing import Writer

_PERMISSIONS = 0o777


@dataclass(frozen=True)
class Report:
    """What was done.

    Attributes:
        directories: how many were made, missing ones above the target included.
        files: how many were written.
        links: how many were made.
        replaced: how many of the files and links took the place of an older one.
        kept: how many files and links were there and stayed.
        without_mode: how many entries lack the mode they should have, for the filesystem keeps none.
        size: bytes of content that were written.
    """

    directories: int = 0
    files: int = 0
    links: int = 0
    replaced: int = 0
    kept: int = 0
    without_mode: int = 0
    size: int = 0


def apply(
    plan: Plan,
    fs: Any,
    target_path: str = "/",
    *,
    on_existing: str = ERROR,
    callback: Callback = DEFAULT_CALLBACK,
) -> Report:
    """Make what is planned in a directory of a filesystem: all of it, or nothing.

    A failure is undone step by step, the last first, so that what others do in the target meanwhile stays. Where the
    filesystem has ``transactions``, it is one, so that a killed process leaves nothing either. Symbolic links that are
    there already are not followed below the target. A file that is replaced becomes a new one with the permission bits
    of the old one, so that what is written never shows under another name of it.

    Args:
        plan: what ``planning.plan`` gave.
        fs: an fsspec filesystem, or a facade over one.
        target_path: the directory that paths count from. It is made if it is missing.
        on_existing: "error", "keep" or "replace" files and links that are there.
        callback: told of each byte of content (``relative_update``).

    Returns:
        What was done.

    Raises:
        OSError: those of ``survey``, before anything is changed; and those of writing, after everything is undone.
    """
    place = place_at(fs, target_path)
    with place.named():
        todo = survey(plan, place, on_existing)
        can = place.capabilities
        in_transaction = can.transactions and can.random_write
        with _undone_on_failure(place.fs, in_transaction=in_transaction) as steps:
            _Applying(place, steps, Writer(place.fs, callback, in_place=in_transaction)).run(todo)
    return _report(todo, keeps_modes=can.attributes)


def preview(plan: Plan, fs: Any, target_path: str = "/", *, on_existing: str = ERROR) -> list[tuple[str, str]]:
    """What ``apply`` would do, with the same arguments. Nothing is changed.

    Returns:
        Pairs of "make", "write", "link", "replace" or "keep", and the path that it happens to.

    Raises:
        OSError: as ``apply``, before anything is changed.
    """
    place = place_at(fs, target_path)
    with place.named():
        todo = survey(plan, place, on_existing)
    return [(action, place.name_of(path)) for action, path in todo.actions()]


@contextmanager
def _undone_on_failure(fs: AbstractFileSystem, *, in_transaction: bool) -> Iterator[Undoing]:
    """A failure is undone step by step also in a transaction, which would take along what others do meanwhile.

    The transaction is for what no step can undo: a killed process, and a commit that fails.
    """
    failure: BaseException | None = None
    with fs.transaction if in_transaction else nullcontext():
        steps = Undoing(fs)
        try:
            yield steps
        except BaseException as error:  # noqa: BLE001 - raised below, when the transaction has ended
            steps.undo(error)
            failure = error
        else:
            steps.finish()
    if failure is not None:
        raise failure


class _Applying:
    def __init__(self, place: Place, steps: Undoing, writer: Writer) -> None:
        self._fs = place.fs
        self._steps = steps
        self._writer = writer
        self._keeps_modes = place.capabilities.attributes

    def run(self, todo: Survey) -> None:
        """Make directories, then files and links; modes of directories last, for they may forbid writing."""
        for path in (*todo.above, *(path for path, _ in todo.directories)):
            self._steps.make_directory(path)
        for write in todo.writes:
            self._write(write)
        if self._keeps_modes:
            for path, directory in reversed(todo.directories):
                if directory.mode is not None:
                    self._steps.set_directory_mode(path, directory.mode)

    def _write(self, write: Write) -> None:
        entry, path = write.entry, write.path
        if write.replaced is not None:
            self._steps.set_aside(path)
        if isinstance(entry, PlannedLink):
            with self._steps.making(path):
                self._fs.posix.symlink(entry.target, path)
            return
        mode = entry.mode if entry.mode is not None else _mode_of(write)
        with self._steps.making(path):
            self._writer.write(path, entry.content, mode)
        self._writer.finish(path, entry.content, mode)


def _mode_of(write: Write) -> int | None:
    """The permission bits of the file that is replaced, if it is one."""
    if write.replaced is None or write.replaced["type"] != "file":
        return None
    mode = write.replaced.get("mode")
    return mode & _PERMISSIONS if isinstance(mode, int) else None


def _report(todo: Survey, *, keeps_modes: bool) -> Report:
    files = [write.entry for write in todo.writes if not isinstance(write.entry, PlannedLink)]
    modes = [entry.mode for entry in files] + [entry.mode for _, entry in todo.directories]
    return Report(
        directories=len(todo.above) + len(todo.directories),
        files=len(files),
        links=len(todo.writes) - len(files),
        replaced=sum(write.replaced is not None for write in todo.writes),
        kept=len(todo.kept),
        without_mode=0 if keeps_modes else sum(mode is not None for mode in modes),
        size=sum(file.size for file in files),
    )
