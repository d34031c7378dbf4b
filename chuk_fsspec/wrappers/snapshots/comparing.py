"""What differs between two trees: raw differences, and the changes that a person reads in them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import NamedTuple

from chuk_fsspec.contract.changes import Change, Changes, Kind, changed_attributes
from chuk_fsspec.contract.paths import is_inside, join
from chuk_fsspec.wrappers.snapshots.entry import Entry, Tree

ALIKE = 0.5
"""A directory of the same number was renamed, and not made anew, if it has this part of the names in common."""


class Difference(NamedTuple):
    """One path that is not the same in both trees.

    Attributes:
        path: where it is in the second tree, or was in the first.
        before: as it was; None if it was not there.
        after: as it is; None if it is not there.
        has_content: whether the content differs, or the target of a link, or the type.
        attributes: which others differ, as in ``Change``.
    """

    path: str
    before: Entry | None
    after: Entry | None
    has_content: bool = False
    attributes: tuple[str, ...] = ()


class Comparison:
    """Compares two trees of the same directory. What both know to be equal is not looked at any further."""

    def __init__(self, before: Tree, after: Tree, *, paths: Iterable[str] = (), directory_times: bool = False) -> None:
        """Prepare.

        Args:
            before: the first tree.
            after: the second one.
            paths: absolute normal paths, which with all below them are compared; none for everything.
            directory_times: whether times of directories count, which follow from what is done in them.
        """
        self._before, self._after = before, after
        self._paths = tuple(paths)
        self._directory_times = directory_times
        self.links_before: dict[tuple[int | None, int], list[str]] = defaultdict(list)
        self.links_after: dict[tuple[int | None, int], list[str]] = defaultdict(list)

    def differences(self, root: str) -> list[Difference]:
        """All differences, parents before what is in them.

        Args:
            root: the path of both roots.
        """
        found = list(self._walk(root, self._before.root, root, self._after.root))
        return self._with_links(found)

    def _walk(self, path_before: str, before: Entry | None, path: str, after: Entry | None) -> Iterator[Difference]:
        waiting = [(path_before, before, path, after)]
        while waiting:
            path_before, before, path, after = waiting.pop()
            if not self._is_on_the_way(path):
                continue
            if before is not None and after is not None and before.tree and before == after:
                continue
            if self._is_meant(path):
                self._note_links(path_before, before, path, after)
                difference = self._difference(path_before, before, path, after)
                if difference is not None:
                    yield difference
            waiting += reversed(list(self._children(path_before, before, path, after)))

    def _children(
        self, path_before: str, before: Entry | None, path: str, after: Entry | None
    ) -> Iterator[tuple[str, Entry | None, str, Entry | None]]:
        old = self._before.entries(path_before, before) if before is not None and before.is_directory else []
        new = self._after.entries(path, after) if after is not None and after.is_directory else []
        known = {entry.name: entry for entry in new}
        olds = {entry.name: entry for entry in old}
        for name in sorted({*known, *olds}):
            yield join(path_before, name), olds.get(name), join(path, name), known.get(name)

    def _difference(self, path_before: str, before: Entry | None, path: str, after: Entry | None) -> Difference | None:
        if before is None or after is None:
            return Difference(path, before, after, has_content=True)
        if before.type != after.type:
            return Difference(path, before, after, has_content=True)
        if before.version and before.version == after.version and not before.is_directory:
            return None
        has_content = not self._has_same_content(path_before, before, path, after)
        attributes = self._attributes(path_before, before, path, after)
        return Difference(path, before, after, has_content, attributes) if has_content or attributes else None

    def _has_same_content(self, path_before: str, before: Entry, path: str, after: Entry) -> bool:
        if before.type == "link":
            return before.target == after.target
        if not before.is_file:
            return before.is_directory or before.rdev == after.rdev or 0 in (before.rdev, after.rdev)
        if before.size != after.size and -1 not in (before.size, after.size):
            return False
        if before.content and after.content:
            return before.content == after.content
        return same_blocks(self._ids(self._before, path_before, before), self._ids(self._after, path, after))

    @staticmethod
    def _ids(tree: Tree, path: str, entry: Entry) -> Iterable[str]:
        """Ids of the blocks of a file, of which only those that are stored are known without reading."""
        if entry.content or not entry.size:
            return entry.content
        return (hashlib.sha256(block).hexdigest() for block in tree.blocks(path, entry))

    def _attributes(self, path_before: str, before: Entry, path: str, after: Entry) -> tuple[str, ...]:
        found = list(changed_attributes(before.facts, after.facts))
        if before.type == "link":
            found = [one for one in found if one != "mode"]
        if (
            self._directory_times
            and before.is_directory
            and None not in (before.mtime_ns, after.mtime_ns)
            and before.mtime_ns != after.mtime_ns
        ):
            found.append("times")
        old, new = self._before.xattrs(path_before, before), self._after.xattrs(path, after)
        if old is not None and new is not None and old != new:
            found.append("xattrs")
        return tuple(found)

    # ---- hard links

    def _note_links(self, path_before: str, before: Entry | None, path: str, after: Entry | None) -> None:
        if before is not None and before.has_more_names:
            self.links_before[before.ino, before.size].append(path_before)
        if after is not None and after.has_more_names:
            self.links_after[after.ino, after.size].append(path)

    def _with_links(self, found: list[Difference]) -> list[Difference]:
        """The differences, with those of which only the other names differ."""
        old = {path: tuple(names) for names in self.links_before.values() for path in names}
        new = {path: tuple(names) for names in self.links_after.values() for path in names}
        if not (old or new):
            return found
        other = {path for path in {*old, *new} if old.get(path, (path,)) != new.get(path, (path,))}
        by_path = {difference.path: number for number, difference in enumerate(found)}
        for path in sorted(other):
            if path in by_path:
                known = found[by_path[path]]
                if known.before is not None and known.after is not None:
                    found[by_path[path]] = known._replace(attributes=(*known.attributes, "links"))
            else:
                found += self._only_links(path)
        return found

    def _only_links(self, path: str) -> list[Difference]:
        before, after = find(self._before, path), find(self._after, path)
        if before is None or after is None:
            return []
        return [Difference(path, before, after, attributes=("links",))]

    # ---- which paths

    def _is_meant(self, path: str) -> bool:
        return not self._paths or any(is_inside(path, one) for one in self._paths)

    def _is_on_the_way(self, path: str) -> bool:
        return self._is_meant(path) or any(is_inside(one, path) for one in self._paths)

    # ---- renames

    def changes(self, root: str) -> Changes:
        """All differences as changes, in which removals and additions of the same thing are one rename.

        Args:
            root: the path of both roots.
        """
        found = self.differences(root)
        removed = {one.path: one for one in found if one.after is None}
        added = {one.path: one for one in found if one.before is None}
        changes = [_change(one) for one in found if one.before is not None and one.after is not None]
        for old, new in self._renamed_directories(removed, added):
            below = [one for one in self._walk(old, removed[old].before, new, added[new].after) if one.path != new]
            changes.append(self._renamed(old, removed[old], new, added[new]))
            changes += [_change(one) for one in below]
            removed = {path: one for path, one in removed.items() if not is_inside(path, old)}
            added = {path: one for path, one in added.items() if not is_inside(path, new)}
        for old, new in self._renamed_files(removed, added):
            changes.append(self._renamed(old, removed.pop(old), new, added.pop(new)))
        changes += [_change(one) for one in (*removed.values(), *added.values())]
        return Changes.of(changes)

    def _renamed(self, old: str, was: Difference, new: str, now: Difference) -> Change:
        assert was.before is not None
        assert now.after is not None
        attributes = self._attributes(old, was.before, new, now.after)
        return Change(Kind.RENAMED, new, was.before.facts, now.after.facts, old, False, attributes)

    def _renamed_directories(
        self, removed: dict[str, Difference], added: dict[str, Difference]
    ) -> Iterator[tuple[str, str]]:
        """Pairs of directories, the uppermost only."""
        old = [
            (path, one.before) for path, one in removed.items() if one.before is not None and one.before.is_directory
        ]
        trees = {entry.tree: path for path, entry in reversed(old)}
        numbers = {entry.ino: path for path, entry in old}
        gone: list[str] = []
        for new, one in added.items():
            after = one.after
            if after is None or not after.is_directory or any(is_inside(new, path) for path in gone):
                continue
            source = trees.get(after.tree) if after.tree else None
            if source is None and after.ino is not None and after.ino in numbers:
                candidate = numbers[after.ino]
                source = candidate if self._are_alike(candidate, removed[candidate].before, new, after) else None
            if source is not None and not any(is_inside(source, path) for path in gone):
                gone += [new, source]
                yield source, new

    def _are_alike(self, old: str, before: Entry | None, new: str, after: Entry) -> bool:
        assert before is not None
        names = {entry.name for entry in self._before.entries(old, before)}
        others = {entry.name for entry in self._after.entries(new, after)}
        return len(names & others) >= ALIKE * max(len(names), len(others))

    def _renamed_files(self, removed: dict[str, Difference], added: dict[str, Difference]) -> Iterator[tuple[str, str]]:
        """Pairs of files and links: the same number, or the same content, which must not be empty."""
        by_size: dict[tuple[str, int], list[str]] = defaultdict(list)
        for path, one in removed.items():
            if one.before is not None and not one.before.is_directory:
                by_size[one.before.type, one.before.size].append(path)
        for new, one in sorted(added.items()):
            after = one.after
            if after is None or after.is_directory:
                continue
            candidates = by_size[after.type, after.size]
            source = self._source_of(new, after, candidates, removed)
            if source is not None:
                candidates.remove(source)
                yield source, new

    def _source_of(self, new: str, after: Entry, candidates: list[str], removed: dict[str, Difference]) -> str | None:
        def is_first(path: str) -> bool:
            before = removed[path].before
            return before is not None and before.ino is not None and before.ino == after.ino

        for old in sorted(candidates, key=lambda path: not is_first(path)):
            before = removed[old].before
            assert before is not None
            if (is_first(old) or after.size > 0) and self._has_same_content(old, before, new, after):
                return old
        return None


def find(tree: Tree, path: str) -> Entry | None:
    """The entry of an absolute normal path, links not followed; None if there is none."""
    entry, at = tree.root, tree.path
    if not is_inside(path, at):
        return None
    for name in path[len(at) :].split("/"):
        if not name:
            continue
        if not entry.is_directory:
            return None
        found = next((child for child in tree.entries(at, entry) if child.name == name), None)
        if found is None:
            return None
        entry, at = found, join(at, name)
    return entry


def same_blocks(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether two files have the same blocks; stops at the first that differs."""
    return all(one == other for one, other in zip_longest(first, second))


def _change(one: Difference) -> Change:
    before = one.before.facts if one.before is not None else None
    after = one.after.facts if one.after is not None else None
    if before is None:
        kind = Kind.ADDED
    elif after is None:
        kind = Kind.REMOVED
    else:
        kind = Kind.MODIFIED if one.has_content else Kind.ATTRIBUTES
    return Change(kind, one.path, before, after, None, one.has_content, one.attributes)
