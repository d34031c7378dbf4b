"""The records of a stage: each is an extended attribute of its inode in the upper filesystem.

So they move with it, are undone with it, go with it, and are there again where the upper filesystem outlives the
process. What is kept in memory beside them only spares reading them.
"""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b

from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.wrappers.staging.record import Record, Seen, dump_seen, load_record, load_seen

PREFIX = "chuk.stage"
"""Extended attributes that begin so are the stage's, and nobody else's."""
_NAMES = f"{PREFIX}.names."
_GONE = f"{PREFIX}.gone."
_SIZE_AT_ONCE = 20 * 1024
"""An extended attribute takes 64 KiB: so much, one more name, and the path of the directory."""

Names = dict[str, Seen]
"""The entries of a directory of the base, as they were taken over."""


class _Transaction(threading.local):
    """What the calling thread has changed since it began a transaction, by inode number."""

    def __init__(self) -> None:
        self.depth = 0
        self.changed: dict[int, Node] = {}


class Book:
    """All records.

    Args:
        nodes: the inode operations of the upper filesystem.

    Attributes:
        records: by inode number.
        names: of each directory that was taken over, by inode number.
        gone: of each directory of the base that was removed in the stage: its path in the base, and its names.
        unfilled: the numbers of directories whose entries are still to be taken over.
        by_base: the inode of the upper filesystem that was made for a number of the base; it may be gone since.
    """

    def __init__(self, nodes: NodeOperations) -> None:
        self._nodes = nodes
        self._transaction = _Transaction()
        self._clear()

    def _clear(self) -> None:
        self.records: dict[int, Record] = {}
        self.names: dict[int, Names] = {}
        self.gone: dict[str, Names] = {}
        self.unfilled: set[int] = set()
        self.by_base: dict[int, Node] = {}

    def load(self) -> bool:
        """Read everything from the upper filesystem; returns whether a stage was there."""
        self._clear()
        self._read_gone()
        for node in _all(self._nodes):
            self._read(node)
        return self._nodes.root.ino in self.records

    def _read_gone(self) -> None:
        nodes, root = self._nodes, self._nodes.root
        self.gone = {}
        for name in nodes.listxattr(root):
            if name.startswith(_GONE):
                path, names = json.loads(nodes.getxattr(root, name) or b"null")
                self.gone.setdefault(path, {}).update(_load_names(names))

    def _read(self, node: Node) -> None:
        data = self._nodes.getxattr(node, PREFIX)
        if data is not None:
            self._remember(node, load_record(data))

    def _remember(self, node: Node, record: Record) -> None:
        self.records[node.ino] = record
        if record.is_directory():
            if not record.is_filled:
                self.unfilled.add(node.ino)
            names: Names = {}
            for name in self._nodes.listxattr(node):
                if name.startswith(_NAMES):
                    names |= _load_names(json.loads(self._nodes.getxattr(node, name) or b"{}"))
            self.names[node.ino] = names
        elif record.seen.ino:
            self.by_base[record.seen.ino] = node

    # ---- transactions of the upper filesystem

    def begin(self) -> None:
        """Note what the calling thread changes from now on."""
        self._transaction.depth += 1

    def end(self, *, kept: bool) -> None:
        """Its changes were kept, or undone: then what they were about is read again."""
        transaction = self._transaction
        transaction.depth -= 1
        if not kept:
            for node in transaction.changed.values():
                self.records.pop(node.ino, None)
                self.names.pop(node.ino, None)
                self.unfilled.discard(node.ino)
                with suppress(OSError):  # it was made in the transaction, so there is none any more
                    self._read(node)
            self._read_gone()
        if not transaction.depth:
            transaction.changed = {}

    # ---- changes, through a view of the upper filesystem that is given

    def add(self, nodes: NodeOperations, node: Node, record: Record) -> None:
        """Begin to remember an inode."""
        self.save(nodes, node, record)
        self.records[node.ino] = record
        if record.is_directory():
            self.unfilled.add(node.ino)
            self.names[node.ino] = {}
        elif record.seen.ino:
            self.by_base[record.seen.ino] = node

    def save(self, nodes: NodeOperations, node: Node, record: Record) -> None:
        """Keep a record that was changed."""
        if self._transaction.depth:
            self._transaction.changed[node.ino] = node
        nodes.setxattr(node, PREFIX, record.dump())

    def drop(self, nodes: NodeOperations, node: Node) -> None:
        """The base has nothing any more that an inode came from."""
        if self._transaction.depth:
            self._transaction.changed[node.ino] = node
        nodes.removexattr(node, PREFIX)
        self.records.pop(node.ino, None)
        self.names.pop(node.ino, None)

    def filled(self, nodes: NodeOperations, directory: Node, names: Names) -> None:
        """The entries of a directory were taken over."""
        self._write_names(nodes, directory, names)
        record = self.records[directory.ino]
        record.is_filled = True
        self.save(nodes, directory, record)
        self.unfilled.discard(directory.ino)

    def renew_names(self, nodes: NodeOperations, directory: Node, names: Names) -> None:
        """Other entries are in a directory of the base by now."""
        for name in nodes.listxattr(directory):
            if name.startswith(_NAMES):
                nodes.removexattr(directory, name)
        self._write_names(nodes, directory, names)

    def _write_names(self, nodes: NodeOperations, directory: Node, names: Names) -> None:
        for start, part in _parts(names):
            nodes.setxattr(directory, f"{_NAMES}{start}", json.dumps(part).encode())
        self.names[directory.ino] = names

    def leaves(self, nodes: NodeOperations, directory: Node) -> None:
        """A directory of the base is about to be removed in the stage: what was in it stays known."""
        record = self.records.get(directory.ino)
        if record is None:
            return
        self.remember_gone(nodes, record.origins[0], self.names.get(directory.ino, {}))

    def stays(self, nodes: NodeOperations, directory: Node) -> None:
        """It was not removed after all."""
        record = self.records.get(directory.ino)
        if record is not None:
            self.forget_gone(nodes, record.origins[0])

    def remember_gone(self, nodes: NodeOperations, path: str, names: Names) -> None:
        """A directory of the base is not in the stage any more."""
        for start, part in _parts(names):
            nodes.setxattr(nodes.root, f"{_GONE}{_digest(path)}.{start}", json.dumps([path, part]).encode())
        self.gone[path] = dict(names)

    def forget_gone(self, nodes: NodeOperations, path: str) -> None:
        """It is not in the base any more, either, or in the stage again."""
        if self.gone.pop(path, None) is None:
            return
        for name in nodes.listxattr(nodes.root):
            if name.startswith(f"{_GONE}{_digest(path)}."):
                nodes.removexattr(nodes.root, name)


def is_ours(name: str) -> bool:
    """Whether an extended attribute is the stage's own."""
    return name == PREFIX or name.startswith(f"{PREFIX}.")


def _parts(names: Names) -> Iterator[tuple[int, dict[str, list[object]]]]:
    """Names in parts that an extended attribute takes; one empty part for none."""
    part: dict[str, list[object]] = {}
    size = number = 0
    for name, seen in names.items():
        part[name] = dump_seen(seen)
        size += len(json.dumps({name: part[name]}))
        if size > _SIZE_AT_ONCE:
            yield number, part
            part, size, number = {}, 0, number + 1
    if part or not number:
        yield number, part


def _digest(path: str) -> str:
    return blake2b(path.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _load_names(values: dict[str, list[object]]) -> Names:
    return {name: load_seen(seen) for name, seen in values.items()}


def _all(nodes: NodeOperations) -> Iterator[Node]:
    """Every inode that has a name, directories before what is in them."""
    pending = [nodes.root]
    yield nodes.root
    while pending:
        for _, node in nodes.entries(pending.pop()):
            yield node
            if stat.S_ISDIR(node.mode):
                pending.append(node)
