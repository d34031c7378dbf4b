"""Taking the steps of a synchronisation, one by one or several at a time."""

from __future__ import annotations

import errno
import stat
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.transfer.copying import Copier, Ends
from chuk_fsspec.transfer.sync.report import SyncTally
from chuk_fsspec.transfer.sync.resuming import RESUMED_FROM, can_resume, copy_resumably
from chuk_fsspec.transfer.sync.steps import COPYING, Act, Step

_HOPELESS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO))
"""After which there is no use in going on."""


class Carrier:
    """Takes steps. What cannot be copied is noted, and the next one is taken; a full disk ends it all.

    Attributes of directories, and what has to be removed at the end, wait until all files are there.
    """

    def __init__(self, ends: Ends, copier: Copier, tally: SyncTally, workers: int) -> None:
        """Begin.

        Args:
            ends: both filesystems.
            copier: copies entries, and preserves all that can be.
            tally: counts what is done.
            workers: files that are copied at the same time, at least 1.
        """
        self._ends, self._tally = ends, tally
        self._to = without_links(ends.target)
        self._copier = copier
        self._resumes = can_resume(capabilities_of(ends.target)) and not ends.same
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        self._running: deque[tuple[Step, Future[bool]]] = deque()
        self._ahead = workers * 2
        self._last: list[Step] = []

    def carry(self, step: Step) -> None:
        """Take a step, now or together with others."""
        if (step.is_directory and step.act is Act.ADJUST) or (step.act is Act.REMOVE and not step.makes_way):
            self._last.append(step)
        elif step.act is Act.KEEP:
            self._copier.note_name(step.attributes, step.target)
        elif self._pool is not None and step.is_file and step.act is not Act.REMOVE and step.attributes.nlink == 1:
            self._running.append((step, self._pool.submit(self._file, step)))
            while len(self._running) > self._ahead:
                self._settle(*self._running.popleft())
        else:
            self._try(step, partial(self._take, step))

    def finish(self) -> None:
        """Take all steps that have waited."""
        while self._running:
            self._settle(*self._running.popleft())
        removals = [step for step in self._last if step.act is Act.REMOVE]
        for step in (*removals, *(step for step in self._last if step.act is not Act.REMOVE)):
            self._try(step, partial(self._take, step))

    def __enter__(self) -> Carrier:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    # ---- steps

    def _take(self, step: Step) -> bool:
        """Carry a step out; returns whether it copied content."""
        if step.is_file and step.act in COPYING:
            return self._file(step)
        if step.act is Act.REMOVE:
            self._remove(step)
        elif step.act is Act.ADJUST:
            self._copier.dress(step.source, step.attributes, step.target)
        elif step.is_directory:
            self._copier.directory(step.target)
        else:
            self._other(step)
        return False

    def _file(self, step: Step) -> bool:
        found = step.attributes
        if self._resumes and found.nlink == 1 and found.sized and found.size >= RESUMED_FROM:
            copy_resumably(self._ends, self._copier, step.source, found, step.target)
            return True
        return self._copier.file(step.source, step.attributes, step.target, exclusive=step.act is Act.MAKE)

    def _other(self, step: Step) -> None:
        make = self._copier.symlink if stat.S_ISLNK(step.attributes.mode) else self._copier.special
        make(step.source, step.attributes, step.target, exclusive=step.act is Act.MAKE)

    def _remove(self, step: Step) -> None:
        with suppress(FileNotFoundError):  # it shall not be there, and is not
            if step.is_directory:
                self._to.rm(step.target, recursive=True)
            else:
                self._to.rm_file(step.target)

    def _settle(self, step: Step, future: Future[bool]) -> None:
        self._try(step, future.result)

    def _try(self, step: Step, take: Callable[[], bool]) -> None:
        try:
            copied = take()
        except OSError as error:
            self._fail(step, error)
            return
        count(self._tally, step, copied=copied)

    def _fail(self, step: Step, error: OSError) -> None:
        """Note that a step cannot be taken, or raise what no other one would survive either."""
        if error.errno in _HOPELESS:
            raise error
        self._tally.leave_out(step.path or "/", error.strerror or str(error))


def count(tally: SyncTally, step: Step, *, copied: bool) -> None:
    """Note a step that was taken.

    Args:
        tally: where.
        step: the step.
        copied: whether a file got content, and not just one more name.
    """
    found = step.attributes
    if step.act is Act.REMOVE:
        tally.removed += 1
    elif step.act is Act.ADJUST:
        tally.adjusted += not step.is_directory
    elif step.is_directory:
        tally.directories += 1
    elif step.is_file:
        tally.files += copied
        tally.hard_links += not copied
        tally.bytes += found.size if copied else 0
    elif stat.S_ISLNK(found.mode):
        tally.symlinks += 1
    else:
        tally.special_files += 1
