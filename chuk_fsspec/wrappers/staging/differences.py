"""What a stage has changed: found by walking what was taken over, not what was left alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

from chuk_fsspec.contract.changes import Change, Facts, Kind, changed_attributes
from chuk_fsspec.contract.info import type_of_mode
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.paths import join
from chuk_fsspec.wrappers.staging.book import is_ours
from chuk_fsspec.wrappers.staging.nodes import open_handle
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Record, Seen

_STEP = 1024 * 1024


@dataclass(frozen=True)
class Place:
    """An entry of the stage.

    Attributes:
        path: absolute normal path.
        node: the inode there.
        record: what is known of it, if it came from the base.
        below: the path in the base that this entry covers: what was there when its directory was taken over.
    """

    path: str
    node: Node
    record: Record | None
    below: str | None

    @property
    def is_known(self) -> bool:
        """Whether it came from the base."""
        return self.record is not None

    @property
    def is_kept(self) -> bool:
        """Whether it is the entry that the base has there."""
        return self.record is not None and self.below in self.record.origins


@dataclass(frozen=True)
class Difference:
    """A change, and what it is about.

    Attributes:
        change: what is shown.
        place: where it is in the stage; None if it is there no more.
        origin: where it is in the base; None if it is not there.
        first: the base's file as it was when the stage first read or changed it; likewise.
    """

    change: Change
    place: Place | None
    origin: str | None
    first: Seen | None


@dataclass
class Survey:
    """All that a stage shows and the base had, as far as the stage has looked.

    Attributes:
        places: the entries of the stage.
        base: the entries of the base, by path, as they were taken over.
    """

    places: list[Place] = field(default_factory=list)
    base: dict[str, Seen] = field(default_factory=dict)


def survey(overlay: Overlay) -> Survey:
    """Walk a stage; directories that were not taken over are not entered."""
    book, nodes = overlay.book, overlay.nodes
    found = Survey()
    root = nodes.root
    pending = [Place("/", root, book.records[root.ino], "/")]
    for path, names in book.gone.items():
        found.base.update({join(path, name): seen for name, seen in names.items()})
    while pending:
        place = pending.pop()
        found.places.append(place)
        if not stat.S_ISDIR(place.node.mode) or place.node.ino in book.unfilled:
            continue
        origin = None if place.record is None else place.record.origins[0]
        if origin is not None:
            found.base.update({join(origin, name): seen for name, seen in book.names[place.node.ino].items()})
        for name, node in nodes.entries(place.node):
            below = None if origin is None else join(origin, name)
            pending.append(Place(join(place.path, name), node, book.records.get(node.ino), below))
    return found


def differences(overlay: Overlay, found: Survey) -> list[Difference]:
    """Everything that differs from the base, in no order."""
    kept = {place.below for place in found.places if place.is_kept}
    found_anew: list[Place] = [place for place in found.places if not place.is_kept]
    moved = dict(_moves(found_anew, kept))
    sources = kept | set(moved.values())
    result: list[Difference] = []
    replaced: set[str] = set()
    for place in found.places:
        if place.is_kept:
            result += _in_place(overlay, place)
        elif place.path in moved:
            result.append(_renamed(overlay, place, moved[place.path]))
        else:
            old = found.base.get(place.below or "")
            if old is not None and place.below not in sources and _may_replace(old, place.node):
                assert place.below is not None
                replaced.add(place.below)
                result.append(_replaced(overlay, place, place.below, old))
            else:
                result.append(_added(overlay, place))
    for path, old in found.base.items():
        if path not in sources and path not in replaced:
            result.append(Difference(Change(Kind.REMOVED, path, old.facts, None), None, path, old))
    return result


def _moves(places: list[Place], kept: set[str | None]) -> Iterator[tuple[str, str]]:
    """Which entries are entries of the base under another path: path in the stage, path in the base."""
    taken = set(kept)
    for place in places:
        for origin in place.record.origins if place.record is not None else ():
            if origin not in taken:
                taken.add(origin)
                yield place.path, origin
                break


def _in_place(overlay: Overlay, place: Place) -> Iterator[Difference]:
    record = place.record
    assert record is not None
    after = facts_of_node(overlay, place.node)
    has_content = after.type == "file" and _has_other_content(overlay, place.node, record)
    attributes = _attributes(overlay, place.node, record, after, has_content)
    if has_content or attributes:
        kind = Kind.MODIFIED if has_content else Kind.ATTRIBUTES
        before = record.first.facts
        change = Change(kind, place.path, before, after, has_content=has_content, attributes=attributes)
        yield Difference(change, place, place.below, record.first)


def _renamed(overlay: Overlay, place: Place, origin: str) -> Difference:
    record = place.record
    assert record is not None
    after = facts_of_node(overlay, place.node)
    has_content = after.type == "file" and _has_other_content(overlay, place.node, record)
    attributes = _attributes(overlay, place.node, record, after, has_content)
    change = Change(Kind.RENAMED, place.path, record.first.facts, after, origin, has_content, attributes)
    return Difference(change, place, origin, record.first)


def _replaced(overlay: Overlay, place: Place, below: str, old: Seen) -> Difference:
    """Another file, under the name of one that is gone."""
    after = facts_of_node(overlay, place.node)
    attributes = _known_to(overlay, changed_attributes(old.facts, after), has_content=True)
    change = Change(Kind.MODIFIED, place.path, old.facts, after, has_content=True, attributes=attributes)
    return Difference(change, place, below, old)


def _added(overlay: Overlay, place: Place) -> Difference:
    return Difference(Change(Kind.ADDED, place.path, None, facts_of_node(overlay, place.node)), place, None, None)


def _may_replace(old: Seen, node: Node) -> bool:
    return (old.facts.type == "directory") == stat.S_ISDIR(node.mode) and old.facts.type != "directory"


def _has_other_content(overlay: Overlay, node: Node, record: Record) -> bool:
    """Whether a file differs from the base's, which is read only if both have one size."""
    if not record.is_changed:
        return False
    if node.size != record.seen.facts.size:
        return True
    if not _is_as_seen(overlay, record):
        return True
    try:
        pread = overlay.base.open(record.origins[0])
    except FileNotFoundError:
        return True
    with closing(open_handle(overlay, overlay.nodes, node, os.O_RDONLY)) as handle:
        if any(handle.pread(_STEP, offset) != pread(_STEP, offset) for offset in range(0, max(node.size, 1), _STEP)):
            return True
    # What somebody else has written meanwhile may be equal, and is no less a change of theirs.
    return not _is_as_seen(overlay, record)


def _is_as_seen(overlay: Overlay, record: Record) -> bool:
    """Whether the base still has the file of which the record shows the content."""
    now = overlay.base.look(record.origins[0])
    return now is not None and now.identity == record.seen.identity


def _attributes(overlay: Overlay, node: Node, record: Record, after: Facts, has_content: bool) -> tuple[str, ...]:
    found = _known_to(overlay, changed_attributes(record.seen.facts, after), has_content)
    if record.has_xattrs and xattrs_of(overlay, node) != overlay.base.xattrs(record.origins[0]):
        found += ("xattrs",)
    return found


def _known_to(overlay: Overlay, attributes: tuple[str, ...], has_content: bool) -> tuple[str, ...]:
    """Those that the base keeps, and so can be given; other content has another time, which need not be told."""
    if not overlay.base.capabilities.attributes:
        return ()
    return tuple(name for name in attributes if name != "times" or not has_content)


def xattrs_of(overlay: Overlay, node: Node) -> dict[str, bytes]:
    """The extended attributes of a file of the stage, its own ones left out."""
    nodes = overlay.nodes
    return {name: nodes.getxattr(node, name) or b"" for name in nodes.listxattr(node) if not is_ours(name)}


def facts_of_node(overlay: Overlay, node: Node) -> Facts:
    """What a diff says of an inode of the stage."""
    kind = type_of_mode(node.mode)
    return Facts(
        type=kind,
        size=node.size if kind in ("file", "link") else 0,
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
        mtime_ns=node.mtime_ns,
        target=overlay.nodes.readlink(node) if kind == "link" else None,
    )
