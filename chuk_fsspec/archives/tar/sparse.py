"""Files with holes, in the four ways of GNU tar (manual, "Storing Sparse Files"): holes become zeros again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chuk_fsspec.archives.refusal import damaged
from chuk_fsspec.archives.tar.headers import BLOCK
from chuk_fsspec.archives.tar.pax import Record, number
from chuk_fsspec.contract.posix import Buffer

PREFIX = b"GNU.sparse."

_ZEROS = bytes(1 << 20)
_OLD_ENTRIES = 21
_MAP_LIMIT = 1 << 20
"""Bytes of a map of holes that stands before the content."""

Piece = tuple[int, int]
"""Data at an offset of the file: offset and length."""


@dataclass(frozen=True)
class SparseMap:
    """Where the data of a file goes.

    Attributes:
        size: bytes of the file, holes included.
        pieces: in order; the rest is zeros.
        name: of the file, where the header holds another one.
        stored: bytes that the archive holds of it.
    """

    size: int
    pieces: tuple[Piece, ...]
    name: bytes
    stored: int


def checked(size: int, pieces: Sequence[Piece], name: bytes, stored: int) -> SparseMap:
    """A map whose pieces are in order, inside the file, and all that the archive holds. ArchiveRefused otherwise."""
    end = 0
    for offset, length in pieces:
        if offset < end or length < 0:
            raise damaged("the map of a sparse file is out of order")
        end = offset + length
    if end > size or sum(length for _, length in pieces) != stored:
        raise damaged("the map of a sparse file does not fit its sizes")
    return SparseMap(size, tuple(pieces), name, stored)


def with_zeros(found: SparseMap, read: Callable[[int], Iterator[Buffer]]) -> Iterator[Buffer]:
    """The whole content.

    Args:
        found: the map.
        read: gives the next bytes that the archive holds of the file.
    """
    position = 0
    for offset, length in (*found.pieces, (found.size, 0)):
        while position < offset:
            zeros = _ZEROS[: offset - position]
            position += len(zeros)
            yield zeros
        yield from read(length)
        position += length


# ---- maps


def old_map(block: bytes, following: Callable[[], bytes], stored: int, limit: Callable[[int], None]) -> SparseMap:
    """The oldest way: in the header block, and in blocks after it.

    Args:
        block: the header block.
        following: reads one more block.
        stored: bytes that follow the map.
        limit: told how many bytes the map has; refuses too many.
    """
    pieces, more = _old_pieces(block[386:482], 4), block[482]
    size, taken = _octal(block[483:495]), BLOCK
    while more:
        taken += BLOCK
        limit(taken)
        extension = following()
        pieces += _old_pieces(extension, _OLD_ENTRIES)
        more = extension[504]
    return checked(size, pieces, b"", stored)


def _old_pieces(data: bytes, count: int) -> list[Piece]:
    fields = [data[at : at + 12] for at in range(0, count * 24, 12)]
    return [(_octal(fields[n]), _octal(fields[n + 1])) for n in range(0, len(fields), 2) if fields[n].strip(b"\0 ")]


def _octal(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b"\0 ") or b"0", 8)
    except ValueError:
        raise damaged("the map of a sparse file holds something else than numbers") from None


def pax_map(records: Sequence[Record], stored: int, line: Callable[[], bytes]) -> SparseMap | None:
    """The ways that use extended headers, 0.0, 0.1 and 1.0; None for a file without holes.

    Args:
        records: of the member's extended header.
        stored: bytes that the archive holds of the file, with the map of 1.0.
        line: reads the next block of them, where 1.0 has its map.
    """
    mine = [(keyword[len(PREFIX) :], value) for keyword, value in records if keyword.startswith(PREFIX)]
    if not mine:
        return None
    known = dict(mine)
    name = known.get(b"name", b"")
    if (known.get(b"major"), known.get(b"minor")) == (b"1", b"0"):
        pieces, taken = _map_before_content(line)
        return checked(number(known.get(b"realsize", b"")), pieces, name, stored - taken)
    if b"map" in known:
        numbers = [number(value) for value in known[b"map"].split(b",")] if known[b"map"] else []
    else:
        numbers = [number(value) for keyword, value in mine if keyword in {b"offset", b"numbytes"}]
    size = number(known.get(b"size", known.get(b"realsize", b"")))
    return checked(size, _pairs(numbers), name, stored)


def _map_before_content(block: Callable[[], bytes]) -> tuple[list[Piece], int]:
    """Lines of one number each: how many pieces, and each piece's offset and length, filled up to a block."""
    data = block()
    while b"\n" not in data and len(data) <= BLOCK:
        data += block()
    first, _, _ = data.partition(b"\n")
    wanted = 1 + 2 * number(first)
    if wanted > _MAP_LIMIT // 2:
        raise damaged("the map of a sparse file is too long")
    while data.count(b"\n") < wanted:
        if len(data) > _MAP_LIMIT:
            raise damaged("the map of a sparse file is too long")
        data += block()
    return _pairs([number(line) for line in data.split(b"\n")[1:wanted]]), len(data)


def _pairs(numbers: list[int]) -> list[Piece]:
    if len(numbers) % 2:
        raise damaged("the map of a sparse file is cut off")
    return list(zip(numbers[::2], numbers[1::2], strict=True))
