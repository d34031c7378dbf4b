"""Inode operations for those who carry files: directories by path, and content in blocks."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.contract.posix import Buffer

BLOCK = 1 << 20
"""Bytes of a file that are held in memory at once."""

Read = Callable[[int, int], bytes]
Write = Callable[[Buffer, int], int]


def directory_at(nodes: NodeOperations, path: str) -> Node:
    """The directory at a path without symbolic links. ENOENT, ENOTDIR."""
    node = nodes.root
    for name in normalise(path).split("/"):
        if not name:
            continue
        found = nodes.lookup(node, name)
        if found is None:
            raise os_error(errno.ENOENT, path)
        node = found
    if not stat.S_ISDIR(node.mode):
        raise os_error(errno.ENOTDIR, path, hint="a directory is needed; of a symbolic link, give what it leads to")
    return node


def blocks(nodes: NodeOperations, node: Node, start: int, stop: int | None, size: int) -> Iterator[bytes]:
    """The bytes of a file in blocks; each but the last has ``size`` bytes, and ``stop`` is None for the end."""
    with _reader(nodes, node) as read:
        while stop is None or start < stop:
            wanted = size if stop is None else min(size, stop - start)
            data = read(wanted, start)
            while len(data) < wanted and (more := read(wanted - len(data), start + len(data))):
                data += more
            if data:
                yield data
            if len(data) < wanted:
                return
            start += len(data)


def read_whole(nodes: NodeOperations, node: Node, size: int) -> bytes:
    """The bytes of a small file that had ``size``; another number of them if it has changed since."""
    if nodes.stateless:
        data = b"".join(nodes.read(node, size + 1, 0))
        if len(data) >= size:
            return data
    return b"".join(blocks(nodes, node, 0, None, BLOCK))


@contextmanager
def _reader(nodes: NodeOperations, node: Node) -> Iterator[Read]:
    if nodes.stateless:
        yield lambda size, offset: b"".join(nodes.read(node, size, offset))
        return
    handle = nodes.open(node, os.O_RDONLY)
    try:
        yield handle.pread
    finally:
        handle.close()


@contextmanager
def writer(nodes: NodeOperations, node: Node) -> Iterator[Write]:
    """A function that writes bytes into a file at an offset."""
    if nodes.stateless:
        yield lambda data, offset: nodes.write(node, data, offset)
        return
    handle = nodes.open(node, os.O_WRONLY)
    try:
        yield handle.pwrite
    finally:
        handle.close()
