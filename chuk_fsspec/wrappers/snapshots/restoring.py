"""Making a filesystem what a snapshot says it was."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from functools import partial

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside, split
from chuk_fsspec.wrappers.snapshots.comparing import Comparison, Difference, find
from chuk_fsspec.wrappers.snapshots.entry import Entry, Tree
from chuk_fsspec.wrappers.snapshots.live import LiveTree
from chuk_fsspec.wrappers.snapshots.placing import Placer, owners_kept


def restore(
    past: Tree,
    live: LiveTree,
    paths: Iterable[str] = (),
    callback: Callback = DEFAULT_CALLBACK,
    workers: int = 1,
) -> None:
    """Bring a tree back. What is equal is left alone, so an interrupted restore can be run again to its end.

    First everything of the snapshot is put in its place, then what it does not have is removed, then directories get
    their attributes. Where the filesystem has transactions, all of it happens or nothing.

    Args:
        past: the tree of the snapshot.
        live: the same directory as it is now.
        paths: absolute normal paths, which with all below them are restored; none for everything.
        callback: told how many bytes were written.
        workers: files that are written at the same time.

    Raises:
        OSError: ENOENT for a path that neither the snapshot has nor the filesystem; ENOTSUP for what the filesystem
            cannot keep; EIO for content that the snapshot has lost, before anything is changed, or that turns out to be
            damaged, with that file left as it is; EPERM at the end for owners that this user may not give; ENOSPC.
    """
    chosen = tuple(paths)
    for path in chosen:
        if find(past, path) is None and find(live, path) is None:
            hint = "neither the snapshot nor the filesystem has it"
            raise os_error(errno.ENOENT, path, hint=hint)
    comparison = Comparison(live, past, paths=chosen, directory_times=True)
    transaction = live.fs.transaction if live.can.transactions else nullcontext()
    with transaction, closing(Placer(past, live, callback)) as place:
        _Restorer(past, live, comparison, chosen, place, workers).run()


class _Restorer:
    """One restore. ``before`` of a difference is what is there, ``after`` what is wanted."""

    def __init__(
        self, past: Tree, live: LiveTree, comparison: Comparison, paths: tuple[str, ...], place: Placer, workers: int
    ) -> None:
        self._past, self._live, self._comparison, self._paths = past, live, comparison, paths
        self._place, self._workers = place, workers
        self._touched: set[str] = set()
        self._cleared: list[str] = []
        self._parents: set[str] = set()

    def run(self) -> None:
        found = self._comparison.differences(self._past.path)
        wanted = [one for one in found if one.after is not None]
        surplus = [one for one in found if one.after is None]
        self._require_content(wanted)
        self._make_way(wanted, found)
        self._make_parents()
        for one in wanted:
            if one.after is not None and one.after.is_directory and (one.before is None or one.has_content):
                self._place.make_directory(one.path, one.after)
                self._touch(one.path)
        linked = self._linked(wanted)
        self._restore_files(wanted, linked)
        for path, first in linked.items():
            if path != first:
                self._place.link(first, path)
                self._touch(path)
        self._remove(surplus)
        self._dress_directories(found)
        owners_kept(self._place.not_owned)

    def _require_content(self, wanted: list[Difference]) -> None:
        """Nothing is changed for the sake of what the snapshot has lost.

        Content is looked for, and read where something else has to go before it can be put in its place.
        """
        files = [(one.path, one.after) for one in wanted if one.has_content and one.after and one.after.is_file]
        if not files:
            return
        self._past.require(files)
        in_the_way = {one.path for one in wanted if one.before and one.after and one.before.type != one.after.type}
        for path, entry in files if in_the_way else ():
            if any(is_inside(path, other) for other in in_the_way):
                for _ in self._past.blocks(path, entry):
                    pass

    def _make_way(self, wanted: list[Difference], found: list[Difference]) -> None:
        """Remove what is a directory and must not be one, with all in it, and what has to become a directory."""
        for one in wanted:
            if not (one.before and one.after and one.before.type != one.after.type):
                continue
            if one.before.is_directory:
                below = [other for other in found if other.path != one.path and is_inside(other.path, one.path)]
                for other in reversed(below):
                    if other.before is not None:
                        self._place.remove(other.path, other.before)
                self._place.remove(one.path, one.before)
                self._cleared.append(one.path)
            elif one.after.is_directory:
                self._place.remove(one.path, one.before)

    def _make_parents(self) -> None:
        """Directories above chosen paths that are missing now."""
        for chosen in self._paths:
            missing: list[tuple[str, Entry]] = []
            at = split(chosen)[0]
            while is_inside(at, self._past.path) and find(self._live, at) is None:
                entry = find(self._past, at)
                if entry is None:
                    break
                missing.append((at, entry))
                at = split(at)[0]
            for path, entry in reversed(missing):
                self._place.make_directory(path, entry)
                self._touched.add(path)
                self._parents.add(path)

    def _restore_files(self, wanted: list[Difference], linked: dict[str, str]) -> None:
        if self._workers == 1:
            for one in wanted:
                self._restore_file(one, linked)
            return
        with ThreadPoolExecutor(self._workers, "chuksnap-write") as pool:
            for _ in pool.map(partial(self._restore_file, linked=linked), wanted):
                pass  # an error of any of them is raised here, and those that have not begun do not begin

    def _restore_file(self, one: Difference, linked: dict[str, str]) -> None:
        entry = one.after
        assert entry is not None
        if entry.is_directory or linked.get(one.path, one.path) != one.path:
            return
        if one.has_content or one.path in linked:
            before = None if one.before is not None and one.before.is_directory else one.before
            self._place.place(one.path, entry, before)
            self._touch(one.path)
        elif set(one.attributes) - {"links"}:
            self._place.dress(one.path, entry, one.before, self._past.xattrs(one.path, entry))

    def _linked(self, wanted: list[Difference]) -> dict[str, str]:
        """For each file whose names have to change: the file that it becomes a name of, or itself if it is made anew.

        A file that has a name too many is made anew only if that name stays, as another file.
        """
        by_path = {one.path: one for one in wanted}
        is_now = {path: frozenset(names) for names in self._comparison.links_before.values() for path in names}
        result: dict[str, str] = {}
        if not self._live.can.hardlinks:
            return result
        seen: set[str] = set()
        groups = [frozenset(names) for names in self._comparison.links_after.values()]
        for group in groups:
            seen |= group
            if not any(path in by_path for path in group):
                continue
            keepers = sorted(path for path in group if self._keeps(path, group, is_now, by_path))
            first = keepers[0] if keepers else min(group)
            joined = is_now.get(first, frozenset((first,))) if keepers else frozenset((first,))
            for path in sorted(group):
                if path in joined and keepers:
                    continue
                result[path] = first
        for one in wanted:
            # One name in the snapshot, several now: the others stay, so this one has to part from them.
            if (
                "links" in one.attributes
                and one.path not in seen
                and not self._keeps(one.path, frozenset((one.path,)), is_now, by_path)
            ):
                result[one.path] = one.path
        return result

    def _keeps(
        self, path: str, group: frozenset[str], is_now: dict[str, frozenset[str]], by_path: dict[str, Difference]
    ) -> bool:
        """Whether a file may stay as it is: it has the right content, and no name that is to be another file."""
        one = by_path.get(path)
        if one is not None and (one.before is None or one.has_content):
            return False
        others = is_now.get(path, frozenset((path,))) - group
        return all(find(self._past, other) is None for other in others)

    def _remove(self, surplus: list[Difference]) -> None:
        for one in reversed(surplus):
            if one.before is not None and not any(is_inside(one.path, path) for path in self._cleared):
                self._place.remove(one.path, one.before)
                self._touch(one.path)

    def _touch(self, path: str) -> None:
        """Remember that a directory got another time by what was done in it."""
        self._touched.add(split(path)[0])

    def _dress_directories(self, found: list[Difference]) -> None:
        by_path = {one.path: one for one in found if one.after is not None and one.after.is_directory}
        for path in sorted(self._touched | set(by_path), key=lambda path: path.count("/"), reverse=True):
            known = by_path.get(path)
            entry = known.after if known is not None else self._wanted_directory(path)
            if entry is not None:
                before = None if known is None or known.has_content else known.before
                self._place.dress(path, entry, before, self._past.xattrs(path, entry))

    def _wanted_directory(self, path: str) -> Entry | None:
        """A directory in whose entries something was done, if it is among what is to be restored."""
        is_meant = not self._paths or path in self._parents or any(is_inside(path, one) for one in self._paths)
        if not is_meant or not is_inside(path, self._past.path):
            return None
        entry = find(self._past, path)
        return entry if entry is not None and entry.is_directory else None
