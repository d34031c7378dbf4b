"""Two trees side by side: what has to be done to make one like the other."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.transfer.copying import Ends
from chuk_fsspec.transfer.sync.comparing import Comparison
from chuk_fsspec.transfer.sync.options import SyncOptions
from chuk_fsspec.transfer.sync.report import SyncTally
from chuk_fsspec.transfer.sync.steps import Act, Step
from chuk_fsspec.trees.walking import below, listed

_STAMPING = frozenset((Act.MAKE, Act.REPLACE, Act.REMOVE))
"""What gives the directory another time of its last change."""
IN_THE_WAY = "something of another kind is in its place; allow to delete, and it is replaced"


class Plan:
    """The steps from the target as it is to the source as it is, in an order in which they can be taken.

    A directory comes before what it holds, and once more after that if its attributes have to be set. What is removed
    because the source does not have it comes last.
    """

    def __init__(self, ends: Ends, source: str, target: str, options: SyncOptions, tally: SyncTally) -> None:
        """Begin.

        Args:
            ends: both filesystems.
            source: a directory.
            target: a directory, which may be missing.
            options: what is compared.
            tally: notes what is left out, and what is the same.
        """
        self._from, self._to = without_links(ends.source), without_links(ends.target)
        self._source, self._target = source, target
        self._options, self._tally = options, tally
        self._comparison = Comparison(ends, options)
        self._names_files = capabilities_of(ends.source).hardlinks and capabilities_of(ends.target).hardlinks
        self._keeps_attributes = capabilities_of(ends.target).attributes
        self._first: dict[int, Step] = {}
        self._extra: list[Step] = []
        self._is_whole = True

    def __iter__(self) -> Iterator[Step]:
        """The steps."""
        top = attributes_of(self._from.info(self._source))
        there = _attributes_at(self._to, self._target)
        yield from self._directory("", top, there)
        if self._is_whole:
            yield from self._extra
        elif self._extra:
            self._tally.leave_out("", "nothing is removed, for some of the source could not be listed")

    def _directory(self, path: str, found: Attributes, there: Attributes | None) -> Iterator[Step]:
        step = self._step(Act.MAKE if there is None else Act.KEEP, path, found, there)
        if there is None:
            yield step
        try:
            entries = listed(self._from, step.source)
        except OSError as error:
            self._is_whole = False
            self._tally.leave_out(path or "/", f"it cannot be listed: {error.strerror}")
            return
        others: dict[str, dict[str, Any]] = {} if there is None else dict(listed(self._to, step.target))
        changed = there is None
        for name, info in entries:
            inside = f"{path}/{name}" if path else name
            other = others.pop(name, None)
            if self._options.leaves_out(inside):
                continue
            for one in self._entry(inside, attributes_of(info), None if other is None else attributes_of(other)):
                changed = changed or one.act in _STAMPING
                yield one
        for name, info in others.items() if self._options.delete else ():
            inside = f"{path}/{name}" if path else name
            if not self._options.leaves_out(inside):
                self._extra.append(self._step(Act.REMOVE, inside, None, attributes_of(info)))
                changed = True
        if self._keeps_attributes and (changed or not self._comparison.same_attributes(found, there or found)):
            yield self._step(Act.ADJUST, path, found, there)

    def _entry(self, path: str, found: Attributes, there: Attributes | None) -> Iterator[Step]:
        if there is not None and there.is_directory != found.is_directory:
            if not self._options.delete:
                self._tally.leave_out(path, IN_THE_WAY)
                return
            yield self._step(Act.REMOVE, path, None, there, makes_way=True)
            there = None
        if found.is_directory:
            yield from self._directory(path, found, there)
            return
        step = self._step(self._act(path, found, there), path, found, there)
        if step.act is Act.KEEP:
            self._tally.unchanged += 1
        if self._names_files and found.nlink > 1 and found.file_id is not None:
            self._first.setdefault(found.file_id, step)
            yield step  # even if nothing is done: other names may have to be given to the same file
        elif step.act is not Act.KEEP:
            yield step

    def _act(self, path: str, found: Attributes, there: Attributes | None) -> Act:
        if there is None:
            return Act.MAKE
        if stat.S_IFMT(found.mode) != stat.S_IFMT(there.mode) or self._is_another_file(found, there):
            return Act.REPLACE
        if not self._comparison.same_content(below(self._source, path), found, below(self._target, path), there):
            return Act.REPLACE
        return Act.KEEP if self._comparison.same_attributes(found, there) else Act.ADJUST

    def _is_another_file(self, found: Attributes, there: Attributes) -> bool:
        """Whether the same file of the source has another file under its first name in the target."""
        first = self._first.get(found.file_id) if self._names_files and found.file_id is not None else None
        if first is None:
            return False
        return first.act is Act.REPLACE or first.there is None or first.there.file_id != there.file_id

    def _step(
        self, act: Act, path: str, found: Attributes | None, there: Attributes | None, *, makes_way: bool = False
    ) -> Step:
        return Step(act, path, below(self._source, path), below(self._target, path), found, there, makes_way)


def _attributes_at(fs: AbstractFileSystem, path: str) -> Attributes | None:
    try:
        return attributes_of(fs.info(path))
    except FileNotFoundError:
        return None
