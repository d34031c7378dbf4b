"""After a commit: what was committed is the base's again, and the stage goes on with the rest."""

from __future__ import annotations

import stat

from chuk_fsspec.contract.changes import Kind
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.wrappers.staging.differences import Difference, Place, Survey
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Record, Seen


class Settling:
    """One commit that went well.

    Args:
        overlay: the stage.
        found: what it was before.
        chosen: what was committed.
        committed: what that has put into the base, by path.
    """

    def __init__(self, overlay: Overlay, found: Survey, chosen: list[Difference], committed: dict[str, Seen]) -> None:
        self._overlay = overlay
        self._found = found
        moves = {one.origin: one.change.path for one in chosen if one.change.kind is Kind.RENAMED}
        self._moves = {origin: path for origin, path in moves.items() if origin is not None}
        self._left = {one.origin for one in chosen if one.change.kind is Kind.REMOVED} | self._moves.keys()
        self._fresh = committed
        self._entries: dict[str, dict[str, Seen]] = {}

    def run(self) -> None:
        """Bring all records in line with the base."""
        book, nodes = self._overlay.book, self._overlay.nodes
        old_origins = {ino: record.origins[0] for ino, record in book.records.items()}
        for path, now in self._fresh.items():
            above, name = split(path)
            self._entries.setdefault(above, {})[name] = now
        by_inode: dict[int, list[Place]] = {}
        for place in self._found.places:
            by_inode.setdefault(place.node.ino, []).append(place)
        for places in by_inode.values():
            self._settle(places)
        for places in by_inode.values():
            place = places[0]
            if stat.S_ISDIR(place.node.mode) and place.node.ino in book.records:
                self._settle_names(place, old_origins.get(place.node.ino))
        for path, names in list(book.gone.items()):
            book.forget_gone(nodes, path)
            if path not in self._left:
                rest = {name: seen for name, seen in names.items() if join(path, name) not in self._left}
                book.remember_gone(nodes, self._now_at(path), rest)

    def _settle(self, places: list[Place]) -> None:
        """Bring the record of one inode in line."""
        book, nodes, node = self._overlay.book, self._overlay.nodes, places[0].node
        record = book.records.get(node.ino)
        committed = [place.path for place in places if place.path in self._fresh]
        kept = [place.below for place in places if place.is_kept and place.below is not None]
        origins = [self._now_at(below) for below in kept] + committed
        if record is not None:
            named = set(kept)
            origins += [self._now_at(one) for one in record.origins if one not in named and one not in self._left]
        origins = list(dict.fromkeys(origins))
        if not origins:
            if record is not None:
                book.drop(nodes, node)
            return
        if record is None:
            seen = self._fresh[committed[0]]
            record = Record(origins, seen, seen, is_filled=stat.S_ISDIR(node.mode))
            book.add(nodes, node, record)
            book.unfilled.discard(node.ino)
        elif not committed and origins == record.origins:
            return
        record.origins = origins
        if committed:
            self._is_base_again(record, self._fresh[committed[0]], places[0])
        self._overlay.save(nodes, node, record)

    def _is_base_again(self, record: Record, seen: Seen, place: Place) -> None:
        if record.limit:  # what was written is in both by now
            record.own.add(record.limit, place.node.size)
            record.limit = place.node.size
        record.first = record.seen = seen
        record.is_changed = record.is_read = record.has_xattrs = False
        record.is_dressed = True

    def _settle_names(self, place: Place, old_origin: str | None) -> None:
        """Bring what is known of a directory of the base in line."""
        book, ino = self._overlay.book, place.node.ino
        if ino in book.unfilled:
            return
        names = dict(book.names.get(ino, {}))
        if old_origin is not None:
            names = {name: seen for name, seen in names.items() if join(old_origin, name) not in self._left}
        names |= self._entries.get(place.path, {})
        if names != book.names.get(ino):
            book.renew_names(self._overlay.nodes, place.node, names)

    def _now_at(self, path: str) -> str:
        """Where in the base is by now what was at a path."""
        above = path
        while above != "/":
            if above in self._moves:
                return self._moves[above] + path[len(above) :]
            above = split(above)[0]
        return path
