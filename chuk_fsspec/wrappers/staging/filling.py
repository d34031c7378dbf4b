"""Taking the entries of a directory of the base over into the upper filesystem: names and attributes, no content."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Any

from chuk_fsspec.contract.info import mode_of
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import join
from chuk_fsspec.wrappers.staging.base import Base, seen
from chuk_fsspec.wrappers.staging.book import Book, Names
from chuk_fsspec.wrappers.staging.record import Record, Seen

_LINK_MODE = stat.S_IFLNK | 0o777


def take_over_root(base: Base, book: Book, nodes: NodeOperations) -> None:
    """Begin a stage: the root of the upper filesystem becomes that of the base."""
    info = base.info("/")
    found = seen(info or {"name": "/", "type": "directory", "size": 0})
    book.add(nodes, nodes.root, Record(["/"], found, found))
    _dress(nodes, nodes.root, found, info or {})


def take_over(
    base: Base, book: Book, nodes: NodeOperations, directory: Node, infos: Mapping[str, Mapping[str, Any]]
) -> None:
    """Make the entries of a directory, each with the attributes that it has in the base.

    Args:
        base: the filesystem below.
        book: the records.
        nodes: the view of the upper filesystem through which that is done.
        directory: the directory there.
        infos: the entries in the base, by name.
    """
    above = book.records[directory.ino].origins[0]
    kept = nodes.getattr(directory)
    times = kept.atime_ns, kept.mtime_ns, kept.ctime_ns
    names: Names = {}
    for name, info in infos.items():
        found = names[name] = seen(info)
        if nodes.lookup(directory, name) is None:  # it is there where a crash has ended the taking over half-way
            _make(base, book, nodes, directory, name, join(above, name), found, info)
    book.filled(nodes, directory, names)
    nodes.setattr(directory, atime_ns=times[0], mtime_ns=times[1], ctime_ns=times[2])


def _make(
    base: Base,
    book: Book,
    nodes: NodeOperations,
    directory: Node,
    name: str,
    path: str,
    found: Seen,
    info: Mapping[str, Any],
) -> None:
    facts = found.facts
    other = _other_name(book, nodes, found)
    if other is not None:
        nodes.link(other, directory, name)
        record = book.records[other.ino]
        record.origins.append(path)
        book.save(nodes, other, record)
        return
    uid, gid = facts.uid or 0, facts.gid or 0
    if facts.type == "link":
        node = nodes.symlink(directory, name, facts.target or "?", uid, gid)
    elif facts.type == "directory":
        node = nodes.mkdir(directory, name, mode_of(info), uid, gid)
    else:
        mode = mode_of(info)
        device = base.device(path) if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else 0
        node = nodes.create(directory, name, mode, uid, gid, device)
    book.add(nodes, node, Record([path], found, found, limit=facts.size if facts.type == "file" else 0))
    _dress(nodes, node, found, info)


def _other_name(book: Book, nodes: NodeOperations, found: Seen) -> Node | None:
    """The inode that a file of the base has here already, under another name."""
    other = book.by_base.get(found.ino) if found.nlink > 1 and found.ino else None
    record = book.records.get(other.ino) if other is not None else None
    if other is None or record is None or record.seen.ino != found.ino or found.facts.type == "directory":
        return None
    # With one name only it was met first in a stage below that knew of no other, or the number was given away since.
    is_same = record.seen.nlink > 1 or record.seen.identity == found.identity
    return other if is_same and nodes.getattr(other).nlink else None


def _dress(nodes: NodeOperations, node: Node, found: Seen, info: Mapping[str, Any]) -> None:
    """Give an inode the attributes of the base, as far as it has them."""
    facts = found.facts
    ctime = info.get("ctime")
    atime = info.get("atime")
    nodes.setattr(
        node,
        mode=None if facts.type == "link" else stat.S_IMODE(mode_of(info)),
        uid=facts.uid,
        gid=facts.gid,
        size=facts.size if facts.type == "file" else None,
        atime_ns=int(atime * 1e9) if isinstance(atime, float) else facts.mtime_ns,
        mtime_ns=facts.mtime_ns,
        ctime_ns=int(ctime * 1e9) if isinstance(ctime, float) else facts.mtime_ns,
    )
