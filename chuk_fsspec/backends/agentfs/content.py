"""The bytes of a file, by the chunks that a range of it touches. A chunk that is not there reads as zeros."""

from __future__ import annotations

import errno
import os
import sqlite3

from chuk_fsspec.backends.agentfs.inodes import DamagedError
from chuk_fsspec.backends.agentfs.schema import Schema
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer

ZEROS_MAX = 8 << 30
"""Bytes: the longest hole that one read gives. A damaged size can say anything."""

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)

# What is no bytes, or too long, comes as NULL, before it is loaded.
_CHUNKS = """SELECT CAST(chunk_index AS INTEGER), CASE WHEN typeof(data) = 'blob' AND length(data) <= ? THEN data END
FROM fs_data WHERE ino = ? AND chunk_index BETWEEN ? AND ? ORDER BY chunk_index"""
_PIECES = """SELECT offset, CASE WHEN typeof(data) = 'blob' AND typeof(offset) = 'integer' THEN data END
FROM fs_data WHERE ino = ? AND offset < ? AND offset + length(data) > ? ORDER BY offset, id"""


def read_range(connection: sqlite3.Connection, schema: Schema, ino: int, start: int, end: int) -> list[Buffer]:
    """A file's bytes from ``start`` up to ``end``, in pieces.

    Raises:
        DamagedError: for a chunk that breaks the rules.
        OSError: EFBIG if most of it would be zeros that nobody wrote.
    """
    size = schema.chunk_size
    if size:
        rows = connection.execute(_CHUNKS, (size, ino, start // size, (end - 1) // size))
    else:
        rows = connection.execute(_PIECES, (ino, end, start))
    pieces: list[Buffer] = []
    position = start
    for place, data in rows:
        if data is None:
            raise DamagedError(f"a chunk of inode {ino} is longer than others, or holds no bytes")
        offset = place * size if size else place
        position += _add_zeros(pieces, min(offset, end) - position)
        piece = memoryview(data)[max(position - offset, 0) : max(end - offset, 0)]
        if len(piece):
            pieces.append(piece)
            position += len(piece)
    _add_zeros(pieces, end - position)
    return pieces


def find_edge(connection: sqlite3.Connection, schema: Schema, ino: int, offset: int, end: int, whence: int) -> int:
    """The next data or hole from ``offset`` (lseek(2)); the end of the file counts as a hole. ENXIO."""
    size = schema.chunk_size
    if not size:
        return offset if whence == os.SEEK_DATA else end
    sql = "SELECT chunk_index FROM fs_data WHERE ino = ? AND chunk_index BETWEEN ? AND ? ORDER BY chunk_index"
    index = offset // size
    for (present,) in connection.execute(sql, (ino, index, (end - 1) // size)):
        if whence == os.SEEK_DATA:
            return int(max(present * size, offset))
        if present != index:
            break
        index += 1
    if whence == os.SEEK_DATA:
        raise os_error(errno.ENXIO)
    return min(max(index * size, offset), end)


def _add_zeros(pieces: list[Buffer], count: int) -> int:
    if count <= 0:
        return 0
    if count > ZEROS_MAX:
        raise os_error(errno.EFBIG, hint="most of the file is a hole; read it in ranges")
    pieces += [_ZEROS] * (count // _BLOCK)
    if count % _BLOCK:
        pieces.append(memoryview(_ZEROS)[: count % _BLOCK])
    return count
