"""Taking the steps of a synchronisation many to a transaction, on filesystems that have such."""

from __future__ import annotations

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.nodes import WholeFile
from chuk_fsspec.contract.paths import split
from chuk_fsspec.transfer.batches import Batches
from chuk_fsspec.transfer.copying import Copier, Ends
from chuk_fsspec.transfer.nodes import BLOCK
from chuk_fsspec.transfer.sync.carrying import Carrier, count
from chuk_fsspec.transfer.sync.report import SyncTally
from chuk_fsspec.transfer.sync.steps import COPYING, Act, Step
from chuk_fsspec.transfer.whole_files import WholeReader, WholeWriter

GATHERED = 64
"""Files that are made in one step, at most."""


class BatchCarrier(Carrier):
    """Small files of a directory are read, and made together; all else is as without transactions."""

    def __init__(self, ends: Ends, copier: Copier, tally: SyncTally, batches: Batches) -> None:
        """Begin.

        Args:
            ends: both filesystems; the target has nodes and transactions.
            copier: copies what is large.
            tally: counts what is done.
            batches: the transactions.
        """
        super().__init__(ends, copier, tally, workers=1)
        self._batches = batches
        self._reader = WholeReader(ends.source, xattrs=capabilities_of(ends.target).xattrs)
        self._writer = WholeWriter(ends.target)
        self._gathered = Gathered("", replace=False)

    def carry(self, step: Step) -> None:
        """Take a step in the transaction that is open, or in the next one."""
        if _is_small(step):
            self._batches.step(step.attributes.size)
            self._gather(step)
            return
        self._make_gathered()
        if step.is_file and step.act in COPYING:
            self._batches.end()  # what is written by ``open`` in a transaction has its name only after that
        else:
            self._batches.step(0)
        super().carry(step)

    def finish(self) -> None:
        """Take all steps that have waited, in a transaction of their own."""
        self._make_gathered()
        self._batches.step(0)
        super().finish()

    def _gather(self, step: Step) -> None:
        try:
            file = self._reader.read(step.source, step.attributes)
        except OSError as error:
            self._fail(step, error)
            return
        directory, replace = split(step.target)[0], step.act is not Act.MAKE
        if not self._gathered.takes(directory, file, replace=replace) or not self._writer.at_once:
            self._make_gathered()
            self._gathered = Gathered(directory, replace=replace)
        self._gathered.add(step, file)

    def _make_gathered(self) -> None:
        gathered, self._gathered = self._gathered, Gathered("", replace=False)
        if gathered.files:
            self._make(gathered, gathered.steps, gathered.files)

    def _make(self, gathered: Gathered, steps: list[Step], files: list[WholeFile]) -> None:
        """Make files together; if that fails, one by one, to find the one that cannot be made."""
        try:
            self._writer.make(gathered.directory, files, replace=gathered.replace)
        except OSError as error:
            if len(files) == 1:
                self._fail(steps[0], error)
                return
            for step, file in zip(steps, files, strict=True):
                self._make(gathered, [step], [file])
            return
        for step in steps:
            count(self._tally, step, copied=True)
        self._copier.callback.relative_update(sum(len(file.data) for file in files))


class Gathered:
    """Files that are made in one step."""

    def __init__(self, directory: str, *, replace: bool) -> None:
        self.directory, self.replace = directory, replace
        self.steps: list[Step] = []
        self.files: list[WholeFile] = []
        self._size = 0

    def takes(self, directory: str, file: WholeFile, *, replace: bool) -> bool:
        """Whether a file can be made with those that are there: 64 files and about 1 MiB, so that all fit in memory."""
        is_like = self.directory == directory and self.replace is replace
        return is_like and len(self.files) < GATHERED and self._size + len(file.data) <= BLOCK

    def add(self, step: Step, file: WholeFile) -> None:
        """One more."""
        self.steps.append(step)
        self.files.append(file)
        self._size += len(file.data)


def _is_small(step: Step) -> bool:
    """Whether a file is to be made from memory; not so if it may be a name of another one."""
    found = step.attributes
    return step.act in COPYING and step.is_file and found.nlink == 1 and found.sized and found.size <= BLOCK
