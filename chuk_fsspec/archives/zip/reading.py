"""Zip archives as they are read: what the directory says has to be what the entry says, and what comes out."""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from chuk_fsspec.archives.compression import BLOCK
from chuk_fsspec.archives.limits import Meter
from chuk_fsspec.archives.members import DIRECTORY_MODE, FILE_MODE, Entry, Kind, Member, kind_of_mode
from chuk_fsspec.archives.refusal import damaged, refused
from chuk_fsspec.archives.zip.directory import Directory, ZipEntry
from chuk_fsspec.contract.paths import PATH_MAX
from chuk_fsspec.contract.posix import Buffer

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8
_UNIX = frozenset((3, 19))
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_SIZES_LATER = 1 << 3
_PATCHED = 1 << 5
_DOS_DIRECTORY = 0x10
_OUT = 1 << 18


class ZipReader:
    """Gives the members of an archive in the order of its directory."""

    def __init__(self, file: Any, meter: Meter) -> None:
        """Read the directory.

        Args:
            file: can be read and can seek.
            meter: counts what is read; for the limits.
        """
        self._file, self._meter = file, meter
        self._directory = Directory(file, meter)

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._directory:
            self._require_readable(entry)
            start = self._start_of(entry)
            content = self._content(entry, start)
            kind, mode = _kind_of(entry)
            target = self._target(entry, content) if kind is Kind.SYMLINK else ""
            size = entry.size if kind is Kind.FILE else 0
            if size != entry.size and kind is not Kind.SYMLINK:
                raise damaged(f"a {kind.value} with content", entry.name)
            yield Member(entry.name, kind, mode, mtime_ns=entry.mtime_ns, size=size, target=target), content

    def _require_readable(self, entry: ZipEntry) -> None:
        if entry.flags & _ENCRYPTED:
            raise refused("format", "it is encrypted: decrypt it first", entry.name, errno.ENOTSUP)
        if entry.method not in {_STORED, _DEFLATED} or entry.flags & _PATCHED:
            why = f"compression method {entry.method} is not read: pack it with deflate"
            raise refused("format", why, entry.name, errno.ENOTSUP)
        if entry.method == _STORED and entry.packed != entry.size:
            raise damaged("its two sizes differ, though it is not compressed", entry.name)

    def _start_of(self, entry: ZipEntry) -> int:
        """Where the content begins, behind a local header that says the same as the directory."""
        self._file.seek(entry.offset)
        head = self._read(_LOCAL.size, entry)
        magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
        if magic != _LOCAL_MAGIC:
            raise damaged("it has no header", entry.name)
        name = self._read(name_length, entry)
        if (name, method, flags & _SIZES_LATER) != (entry.raw_name, entry.method, entry.flags & _SIZES_LATER):
            raise damaged("its header says something else than the directory", entry.name)
        large = 0xFFFFFFFF
        told = ((packed, entry.packed), (size, entry.size), (crc, entry.crc))
        if not flags & _SIZES_LATER and any(here not in {there, large} for here, there in told):
            raise damaged("its header says something else than the directory", entry.name)
        start: int = entry.offset + _LOCAL.size + name_length + extra_length
        if start + entry.packed > self._directory.end_of(entry):
            raise damaged("entries share their content", entry.name)
        return start

    def _content(self, entry: ZipEntry, start: int) -> Iterator[Buffer]:
        """The content, which is right in size and checksum once it was read to the end."""
        crc = count = 0
        for piece in self._unpacked(entry, start):
            crc = zlib.crc32(piece, crc)
            count += memoryview(piece).nbytes
            if count > entry.size:
                raise damaged("more comes out of it than it says", entry.name)
            yield piece
        if (count, crc) != (entry.size, entry.crc):
            raise damaged("something else comes out of it than it says", entry.name)

    def _unpacked(self, entry: ZipEntry, start: int) -> Iterator[Buffer]:
        if entry.method == _STORED:
            yield from self._packed(entry, start)
            return
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for packed in self._packed(entry, start):
                if inflate.eof:
                    break
                data = packed
                while data and not inflate.eof:
                    yield inflate.decompress(data, _OUT)
                    data = inflate.unconsumed_tail
            while not inflate.eof and (rest := inflate.decompress(b"", _OUT)):
                yield rest
        except zlib.error as error:
            raise damaged(f"it cannot be decompressed ({error})", entry.name) from None
        if not inflate.eof or inflate.unused_data or self._file.tell() != start + entry.packed:
            raise damaged("its compressed content has another size than it says", entry.name)

    def _packed(self, entry: ZipEntry, start: int) -> Iterator[bytes]:
        self._file.seek(start)
        left = entry.packed
        while left:
            data = self._read(min(left, BLOCK), entry)
            left -= len(data)
            yield data

    def _target(self, entry: ZipEntry, content: Iterator[Buffer]) -> str:
        if entry.size > PATH_MAX:
            raise refused("links", f"the text of a link has more than {PATH_MAX} bytes", entry.name, errno.ENAMETOOLONG)
        return b"".join(content).decode("utf-8", "surrogateescape")

    def _read(self, count: int, entry: ZipEntry) -> bytes:
        pieces = []
        while count:
            data: bytes = self._file.read(count)
            if not data:
                raise damaged("it is cut off", entry.name)
            pieces.append(data)
            count -= len(data)
        return b"".join(pieces)


def _kind_of(entry: ZipEntry) -> tuple[Kind, int]:
    """What an entry is, and its permission bits: those of Unix where a program noted them."""
    is_directory = entry.name.endswith("/") or (not entry.size and bool(entry.attributes & _DOS_DIRECTORY))
    mode = entry.attributes >> 16 if entry.system in _UNIX else 0
    kind = kind_of_mode(mode)
    if is_directory or kind is Kind.DIRECTORY:
        return Kind.DIRECTORY, mode & 0o7777 if kind is Kind.DIRECTORY else DIRECTORY_MODE
    if kind is None:
        return Kind.FILE, mode & 0o7777 or FILE_MODE
    return kind, mode & 0o7777
