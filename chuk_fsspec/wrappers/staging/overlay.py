"""A stage: the base, and an upper filesystem that shows the base as it is changed here.

The upper filesystem holds the whole tree as far as anybody has looked: a directory's entries are taken over when they
are first asked for, with all their attributes and no content. From then on it is an ordinary filesystem, so renames,
links, open files and inode numbers are what they are there. Content is read from the base, but for the bytes that were
written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import join
from chuk_fsspec.contract.posix import Posix
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.book import Book
from chuk_fsspec.wrappers.staging.filling import take_over, take_over_root
from chuk_fsspec.wrappers.staging.notices import Turns
from chuk_fsspec.wrappers.staging.record import Record, Seen

Pread = Callable[[int, int], bytes]

_STEP = 1024 * 1024
"""Bytes that are copied at a time."""
_SPANS_MAX = 1000
"""A file that is written in so many pieces is copied whole: they would be more to keep than it is."""


class Overlay:
    """What all views of one stage share.

    Args:
        base: the filesystem that is staged.
        upper: a POSIX filesystem with inode operations and transactions, empty or with a stage of this base.
        takes_turns: whether that may do one thing at a time only: then who waits for it waits here, and is not given up
            on after a time.
        hidden: absolute paths of the base that are not shown.

    Attributes:
        nodes: the stage's own view of the inodes of the upper filesystem.
        book: what is known of them.
        turns: one step at a time.
        takes_turns: as given.
        is_over: whether the stage has ended.
        home: where the stage itself is, if this only stands for it in another process: its name and that process.
        moves: how often a directory or link has been moved or removed, so that paths may lead elsewhere.
    """

    def __init__(
        self, base: Base, upper: AbstractFileSystem, *, takes_turns: bool, hidden: frozenset[str] = frozenset()
    ) -> None:
        self.base = base
        self.upper = upper
        self.posix: Posix = upper.posix
        self.nodes: NodeOperations = self.posix.nodes
        self.book = Book(self.nodes)
        self.turns = Turns()
        self.takes_turns = takes_turns
        self._hidden = hidden
        self.is_over = False
        self.home: tuple[str, int] | None = None
        self.moves = 0
        with self.turns.quiet():
            if not self.book.load():
                take_over_root(base, self.book, self.nodes)

    def require_open(self) -> None:
        """Check that the stage is in this process, and has not ended. ENXIO, ESTALE."""
        if self.home:
            hint = f"this stage lives in the memory of process {self.home[1]} alone; upper=, a file, makes it last"
            raise os_error(errno.ENXIO, hint=hint)
        if self.is_over:
            raise os_error(errno.ESTALE, hint="this stage is over; open another one with stage()")

    def take_turn(self) -> Callable[[], None]:
        """Begin a transaction, for which others wait if they have to; returns what ends it."""
        return self.turns.hold() if self.takes_turns else lambda: None

    def ended(self, *, kept: bool) -> None:
        """A transaction of the upper filesystem that the calling thread began has ended: kept, or undone."""
        with self.turns.quiet():
            self.book.end(kept=kept)
            if not kept:
                self.moves += 1

    def start_afresh(self) -> None:
        """Drop everything, and show the base as it is."""
        with self.turns.step():
            self.upper.rm("/", recursive=True)
            with self.turns.quiet():
                for name in self.nodes.listxattr(self.nodes.root):
                    self.nodes.removexattr(self.nodes.root, name)
                self.book.load()
                take_over_root(self.base, self.book, self.nodes)
            self.moves += 1

    # ---- names

    def fill(self, nodes: NodeOperations, directory: Node) -> None:
        """Take the entries of a directory over, unless that was done.

        Args:
            nodes: the view of the upper filesystem that asks.
            directory: a node of it, which need not be a directory.

        Raises:
            OSError: of the base; ESTALE if the directory was removed there.
        """
        if directory.ino not in self.book.unfilled:
            return
        self.require_open()
        path = self.book.records[directory.ino].origins[0]
        try:
            infos = self.base.entries(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise os_error(errno.ESTALE, path, hint="it was removed from under the stage") from error
        infos = {name: info for name, info in infos.items() if join(path, name) not in self._hidden}
        with self.turns.quiet():
            if directory.ino in self.book.unfilled:
                take_over(self.base, self.book, nodes, directory, infos)

    def moved(self) -> None:
        """A directory or a link was moved or removed: paths may lead elsewhere."""
        self.moves += 1

    # ---- content

    def record_of(self, ino: int) -> Record | None:
        """What is known of a file of the base, until all its content is known to be the stage's own."""
        record = self.book.records.get(ino)
        return None if record is None or (record.is_changed and not record.limit) else record

    def replaced(self, nodes: NodeOperations, node: Node) -> None:
        """All content of a file was replaced."""
        record = self.record_of(node.ino)
        if record is not None:
            self.cut(nodes, node, record, 0)

    def open_base(self, nodes: NodeOperations, node: Node, record: Record) -> Pread:
        """Open the base's file, to read it by size and offset.

        What was changed underneath shows, unless the file was changed in the stage as well.

        Raises:
            OSError: ESTALE if it was changed underneath, and in the stage; of the base.
        """
        self.require_open()
        path = record.origins[0]
        while True:
            try:
                pread = self.base.open(path)
            except (FileNotFoundError, IsADirectoryError) as error:
                raise _changed_underneath(path) from error
            now = self.base.look(path)
            if now is None or now.facts.type != record.seen.facts.type:
                raise _changed_underneath(path)
            if now.identity == record.seen.identity:  # as before it was opened, so that is what was opened
                break
            if record.is_changed:
                raise _changed_underneath(path)
            self._renew(nodes, node, record, now)
        if not record.is_read:
            record.is_read = True
            with self.turns.quiet():
                self.save(nodes, node, record)
        return pread

    def _renew(self, nodes: NodeOperations, node: Node, record: Record, now: Seen) -> None:
        """The base has other content by now, which the stage has not touched."""
        with self.turns.step():
            if not record.is_read:
                record.first = now
            record.seen, record.limit = now, now.facts.size
            record.own.clip(0)
            nodes.setattr(node, size=now.facts.size, mtime_ns=now.facts.mtime_ns)
            self.save(nodes, node, record)

    def refresh(self, nodes: NodeOperations, node: Node) -> None:
        """Have a file that the stage has not changed show what the base has by now, so that its etag tells."""
        record = self.record_of(node.ino)
        if record is None or record.is_changed or record.seen.facts.type != "file":
            return
        now = self.base.look(record.origins[0])
        if now is not None and now.facts.type == "file" and now.identity != record.seen.identity:
            self._renew(nodes, node, record, now)

    def wrote(self, nodes: NodeOperations, node: Node, record: Record, start: int, stop: int) -> None:
        """Bytes were written; to be called in the step in which that was done."""
        is_new = record.own.add(start, min(stop, record.limit))
        if is_new or not record.is_changed:
            self._changed(nodes, node, record)

    def cut(self, nodes: NodeOperations, node: Node, record: Record, size: int) -> None:
        """The file was cut or grown to a size; likewise."""
        record.limit = min(record.limit, size)
        record.own.clip(record.limit)
        self._changed(nodes, node, record)

    def _changed(self, nodes: NodeOperations, node: Node, record: Record) -> None:
        record.is_changed = record.is_read = True
        if not record.shows_base:
            record.limit = 0
            record.own.clip(0)
        self.save(nodes, node, record)

    def copy_up(self, nodes: NodeOperations, node: Node, record: Record) -> None:
        """Copy what is still the base's into the upper filesystem, a piece at a time. It is not changed by that."""
        if not record.limit:
            return
        pread = self.open_base(nodes, node, record)
        handle = nodes.open(node, os.O_WRONLY)
        try:
            while gap := next(iter(record.own.gaps(0, record.limit)), None):
                start, stop = gap[0], min(gap[1], gap[0] + _STEP)
                data = read_exactly(pread, stop - start, start, record.origins[0])
                with self.turns.quiet():
                    before = nodes.getattr(node)
                    times = before.mtime_ns, before.ctime_ns
                    for first, last in record.own.gaps(start, min(stop, record.limit)):
                        handle.pwrite(data[first - start : last - start], first)
                        record.own.add(first, last)
                    nodes.setattr(node, mtime_ns=times[0], ctime_ns=times[1])
        finally:
            handle.close()
        with self.turns.quiet():
            record.limit = 0
            record.own.clip(0)
            self.save(nodes, node, record)

    def too_many_pieces(self, record: Record) -> bool:
        """Whether a file is better copied whole."""
        return len(record.own.spans) > _SPANS_MAX

    # ---- extended attributes

    def take_xattrs(self, nodes: NodeOperations, node: Node) -> None:
        """Take the extended attributes of a file or directory over, unless that was done."""
        record = self.book.records.get(node.ino)
        if record is None or record.is_dressed or record.seen.facts.type not in ("file", "directory"):
            return
        self.require_open()
        found = self.base.xattrs(record.origins[0])
        with self.turns.quiet():
            if not record.is_dressed:
                ctime_ns = nodes.getattr(node).ctime_ns
                for name, value in found.items():
                    nodes.setxattr(node, name, value)
                record.is_dressed = True
                self.save(nodes, node, record)
                nodes.setattr(node, ctime_ns=ctime_ns)

    def xattrs_changed(self, nodes: NodeOperations, node: Node) -> None:
        """An extended attribute was set or removed; to be called in the same step."""
        record = self.book.records.get(node.ino)
        if record is not None and not record.has_xattrs:
            record.has_xattrs = True
            self.save(nodes, node, record)

    def save(self, nodes: NodeOperations, node: Node, record: Record) -> None:
        """Keep a record; that is no change of the file, so its times stay."""
        before = nodes.getattr(node)
        ctime_ns = before.ctime_ns
        self.book.save(nodes, node, record)
        nodes.setattr(node, ctime_ns=ctime_ns)


def read_exactly(pread: Pread, size: int, offset: int, path: str) -> bytes:
    """So many bytes of the base. ESTALE if it has fewer by now."""
    pieces: list[bytes] = []
    while size:
        data = pread(size, offset)
        if not data:
            raise _changed_underneath(path)
        pieces.append(data)
        size, offset = size - len(data), offset + len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _changed_underneath(path: str) -> OSError:
    hint = "it was changed or removed from under the stage; commit the other paths, or abort"
    return os_error(errno.ESTALE, path, hint=hint)
