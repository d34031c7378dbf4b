"""Packs: files that hold many blobs one after the other, so that ten thousand small files are one object of a store.

A pack is a magic word, the blobs, a table of them, and a footer that says how long the table is. It is named after the
SHA-256 of all its bytes.
"""

from __future__ import annotations

import errno
import hashlib
import struct
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from chuk_fsspec.contract.errors import os_error

MAGIC = b"chuksnp1"
PACK_BYTES = 16 << 20
"""A pack that has got this long is written, and another one begun."""

RAW, DEFLATED = 0, 1
"""How a blob is stored."""

_ROW = struct.Struct(">32sBII")
_FOOTER = struct.Struct(">I8s")


class Row(NamedTuple):
    """Where a blob is in its pack: how it is stored, its first byte and its length there."""

    blob: bytes
    how: int
    offset: int
    length: int


class PackBuilder:
    """A pack in the making."""

    def __init__(self) -> None:
        self._data = bytearray(MAGIC)
        self.rows: list[Row] = []

    @property
    def is_full(self) -> bool:
        """Whether it should be written."""
        return len(self._data) >= PACK_BYTES

    def add(self, blob: bytes, data: bytes, how: int) -> None:
        """Put a blob at the end, in the form that ``how`` says."""
        self.rows.append(Row(blob, how, len(self._data), len(data)))
        self._data += data

    def build(self) -> tuple[str, bytes]:
        """The name of the pack, and its bytes."""
        table = zlib.compress(b"".join(_ROW.pack(*row) for row in self.rows), 1)
        data = b"".join((self._data, table, _FOOTER.pack(len(table), MAGIC)))
        return hashlib.sha256(data).hexdigest(), data


def rows_of(name: str, data: bytes) -> list[Row]:
    """The table of a pack, from its last bytes; EIO if they are not those of a pack, or too few."""
    try:
        length, magic = _FOOTER.unpack(data[-_FOOTER.size :])
        table = data[-_FOOTER.size - length : -_FOOTER.size]
        if magic != MAGIC or len(table) != length:
            raise ValueError("not the end of a pack")
        return [Row(*row) for row in _ROW.iter_unpack(zlib.decompress(table))]
    except (ValueError, struct.error, zlib.error) as error:
        raise os_error(errno.EIO, name, hint="this is no whole pack of snapshots") from error


def table_bytes(data: bytes) -> int:
    """How many bytes at the end of a pack hold table and footer, from its last twelve."""
    length, magic = _FOOTER.unpack(data[-_FOOTER.size :])
    return int(length) + _FOOTER.size if magic == MAGIC else 0


def encode_rows(packs: Iterable[tuple[str, list[Row]]]) -> bytes:
    """An index: the tables of several packs."""
    parts: list[bytes] = []
    for name, rows in packs:
        parts += [bytes.fromhex(name), struct.pack(">I", len(rows)), *(_ROW.pack(*row) for row in rows)]
    return zlib.compress(b"".join(parts), 1)


def decode_rows(name: str, data: bytes) -> list[tuple[str, list[Row]]]:
    """The tables of an index; EIO if it is damaged."""
    try:
        plain = zlib.decompress(data)
        packs: list[tuple[str, list[Row]]] = []
        at = 0
        while at < len(plain):
            pack = plain[at : at + 32].hex()
            (count,) = struct.unpack_from(">I", plain, at + 32)
            at += 36
            rows = [Row(*row) for row in _ROW.iter_unpack(plain[at : at + count * _ROW.size])]
            if len(rows) != count:
                raise ValueError("an index ends too early")
            at += count * _ROW.size
            packs.append((pack, rows))
    except (ValueError, struct.error, zlib.error) as error:
        raise os_error(errno.EIO, name, hint="this index of snapshots is damaged") from error
    return packs
