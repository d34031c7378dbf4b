"""Tar archives as they are read: in one pass, and nothing is believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from chuk_fsspec.archives.compression import BLOCK as PIECE
from chuk_fsspec.archives.compression import Source
from chuk_fsspec.archives.limits import Meter
from chuk_fsspec.archives.members import Entry, Kind, Member
from chuk_fsspec.archives.refusal import damaged, refused
from chuk_fsspec.archives.tar.headers import BLOCK, END, Header, padding, read_header
from chuk_fsspec.archives.tar.pax import XATTR, Record, in_range, nanoseconds, number, read_records, xattr_name
from chuk_fsspec.archives.tar.sparse import PREFIX, SparseMap, old_map, pax_map, with_zeros
from chuk_fsspec.contract.posix import Buffer

_KINDS = {
    b"\0": Kind.FILE,
    b"0": Kind.FILE,
    b"7": Kind.FILE,
    b"S": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMLINK,
    b"3": Kind.CHARACTER,
    b"4": Kind.BLOCK,
    b"5": Kind.DIRECTORY,
    b"6": Kind.FIFO,
}
_EXTENDED, _FOR_ALL, _LONG_NAME, _LONG_TARGET, _SPARSE, _LABEL = b"x", b"g", b"L", b"K", b"S", b"V"
_DEVICE_MAX = 1 << 20
_OF_ONE_MEMBER = (b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime", XATTR, PREFIX)


@dataclass
class _Before:
    """What was said of a member before its own header."""

    records: list[Record] = field(default_factory=list)
    name: bytes | None = None
    target: bytes | None = None
    taken: int = 0


class TarReader:
    """Gives the members of an archive in the order in which they stand there."""

    def __init__(self, source: Source, meter: Meter) -> None:
        """Begin.

        Args:
            source: the archive, decompressed.
            meter: for the limit of what describes one member.
        """
        self._source, self._meter = source, meter
        self._buffer, self._at = b"", 0
        self._left = 0

    def __iter__(self) -> Iterator[Entry]:
        before = _Before()
        while (block := self._exactly(BLOCK)) != END:
            header = read_header(block)
            if header.size < 0:
                raise damaged("a header says a negative size")
            if header.type in {_EXTENDED, _FOR_ALL, _LONG_NAME, _LONG_TARGET}:
                self._read_before(header, before)
            elif header.type == _LABEL:
                self._skip(header.size + padding(header.size))
            else:
                yield from self._member(header, block, before)
                before = _Before()
        if before.taken:
            raise damaged("it ends after the description of a member")
        self._require_end()

    # ---- members

    def _read_before(self, header: Header, before: _Before) -> None:
        before.taken += header.size + BLOCK
        self._meter.require_header(before.taken, _text(header.name))
        data = self._exactly(header.size + padding(header.size))[: header.size]
        if header.type == _LONG_NAME:
            before.name = data.rstrip(b"\0")
        elif header.type == _LONG_TARGET:
            before.target = data.rstrip(b"\0")
        elif header.type == _EXTENDED:
            before.records += read_records(data)
        elif any(keyword.startswith(_OF_ONE_MEMBER) for keyword, _ in read_records(data)):
            raise refused("format", "a global header that describes single members is not read")

    def _member(self, header: Header, block: bytes, before: _Before) -> Iterator[Entry]:
        known = dict(before.records)
        raw_name = known.get(b"path") or before.name or header.name
        name = _text(raw_name)
        kind = _KINDS.get(header.type)
        if kind is None:
            raise refused("format", f"an entry of the unknown type {header.type!r}", name)
        if kind is Kind.FILE and raw_name.endswith(b"/"):
            kind = Kind.DIRECTORY
        stored = number(known[b"size"]) if b"size" in known else header.size
        if kind is not Kind.FILE and stored:
            raise damaged(f"a {kind.value} with content", name)
        self._left = stored
        holes = self._holes(header, block, before)
        if holes is not None and holes.name:
            name = _text(holes.name)
        member = Member(
            path=name,
            kind=kind,
            mode=header.mode & 0o7777,
            uid=number(known[b"uid"]) if b"uid" in known else header.uid,
            gid=number(known[b"gid"]) if b"gid" in known else header.gid,
            mtime_ns=nanoseconds(known[b"mtime"]) if b"mtime" in known else in_range(header.mtime * 10**9),
            size=stored if holes is None else holes.size,
            target=_text(known.get(b"linkpath") or before.target or header.target),
            rdev=_device(header, name) if kind in {Kind.CHARACTER, Kind.BLOCK} else 0,
            xattrs={_text(xattr_name(key)): value for key, value in known.items() if key.startswith(XATTR)},
        )
        yield member, self._pieces(self._left) if holes is None else with_zeros(holes, self._pieces)
        self._skip(self._left + padding(stored))

    def _holes(self, header: Header, block: bytes, before: _Before) -> SparseMap | None:
        if header.type == _SPARSE:
            return old_map(block, lambda: self._exactly(BLOCK), self._left, self._meter.require_header)
        return pax_map(before.records, self._left, self._block_of_content)

    # ---- bytes

    def _block_of_content(self) -> bytes:
        if self._left < BLOCK:
            raise damaged("the map of a sparse file is cut off")
        self._left -= BLOCK
        return self._exactly(BLOCK)

    def _pieces(self, count: int) -> Iterator[Buffer]:
        """The next bytes of the member's content."""
        while count:
            data = self._some(min(count, PIECE))
            count -= len(data)
            self._left -= len(data)
            yield data

    def _exactly(self, count: int) -> bytes:
        pieces = []
        while count:
            pieces.append(self._some(count))
            count -= len(pieces[-1])
        return b"".join(pieces)

    def _skip(self, count: int) -> None:
        while count:
            count -= len(self._some(min(count, PIECE)))

    def _some(self, count: int) -> bytes:
        if self._at == len(self._buffer):
            self._buffer, self._at = self._source.read(PIECE), 0
            if not self._buffer:
                raise damaged("it is cut off")
        data = self._buffer[self._at : self._at + count]
        self._at += len(data)
        return data

    def _require_end(self) -> None:
        """Read on to the end of the stream, where its checksum stands. Only zeros may be there."""
        data = self._buffer[self._at :]
        while data or (data := self._source.read(PIECE)):
            if data.strip(b"\0"):
                raise damaged("something follows the end of the archive")
            data = b""


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _device(header: Header, name: str) -> int:
    if not (0 <= header.rdev_major < _DEVICE_MAX and 0 <= header.rdev_minor < _DEVICE_MAX):
        raise damaged("a number of a device is out of range", name)
    return os.makedev(header.rdev_major, header.rdev_minor)
