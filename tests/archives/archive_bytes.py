"""Archives written byte by byte, so that they can say what no well-behaved library would write."""

from __future__ import annotations

import random
import stat
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

MEBI = 1 << 20


# ---- tar


def entry(name: bytes, data: bytes = b"", kind: bytes = b"0", target: bytes = b"", size: int | None = None) -> bytes:
    """A header, which may lie about the size, and content."""
    told = len(data) if size is None else size
    return header(name, told, kind, target) + data + bytes(-len(data) % 512)


def header(name: bytes, size: int = 0, kind: bytes = b"0", target: bytes = b"", rest: bytes = b"") -> bytes:
    number = b"%011o\0" % size if 0 <= size < 8**11 else bytes([0x80 if size >= 0 else 0xFF]) + big(size)
    block = name[:100].ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + number + b"00000000000\0"
    block += b" " * 8 + kind + target[:100].ljust(100, b"\0") + b"ustar\x0000"
    block = block.ljust(386, b"\0")[: 386 if rest else 512] + rest
    return sealed(block.ljust(512, b"\0"))


def sealed(block: bytes) -> bytes:
    """A header with the right checksum, whatever it says."""
    blank = block[:148] + b" " * 8 + block[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def big(size: int) -> bytes:
    return (size % 256**11).to_bytes(11, "big")


def pax(kind: bytes = b"x", **records: bytes) -> bytes:
    return entry(b"pax", raw_pax({key.replace("__", "."): value for key, value in records.items()}.items()), kind)


def raw_pax(records: Any) -> bytes:
    data = b""
    for key, value in records:
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = next(total for total in range(len(rest), len(rest) + 9) if len(str(total)) + len(rest) == total)
        data += str(length).encode() + rest
    return data


def tar(*parts: bytes) -> bytes:
    return b"".join(parts) + bytes(1024)


def link(name: bytes, target: bytes) -> bytes:
    return entry(name, kind=b"2", target=target)


def hard_link(name: bytes, target: bytes) -> bytes:
    return entry(name, kind=b"1", target=target)


GOOD = entry(b"good", b"good")


def sparse_old(size: int, *pieces: tuple[int, int], stored: int = 0) -> bytes:
    fields = b"".join(b"%011o\0%011o\0" % piece for piece in pieces).ljust(96, b"\0")
    return header(b"sparse", stored, b"S", rest=fields + b"\0" + b"%011o\0" % size) + bytes(stored + -stored % 512)


def sparse_pax(realsize: int, table: bytes, data: bytes = b"") -> bytes:
    said = pax(
        GNU__sparse__major=b"1",
        GNU__sparse__minor=b"0",
        GNU__sparse__name=b"sparse",
        GNU__sparse__realsize=b"%d" % realsize,
    )
    return said + entry(b"GNUSparseFile.0/sparse", table + bytes(-len(table) % 512) + data)


def bomb(size: int = 3 * MEBI) -> bytes:
    return header(b"bomb", size) + bytes(size) + bytes(1024)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


def zstd(data: bytes) -> bytes:
    from backports import zstd as library

    return library.compress(data, options={library.CompressionParameter.checksum_flag: 1})


NOISE = random.Random(5).randbytes(5000)
SOUND = tar(GOOD, entry(b"d/more", NOISE))

# ---- zip


@dataclass(frozen=True)
class Part:
    """One entry, whose parts may disagree. ``None`` takes what is right."""

    name: bytes
    data: bytes = b"x"
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    mode: int = 0
    extra: bytes = b""
    local_name: bytes | None = None
    local_size: int | None = None
    local_method: int | None = None
    offset: int | None = None
    disk: int = 0

    @property
    def content(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == 8 else self.data

    @property
    def facts(self) -> tuple[int, int, int]:
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        return crc, len(self.content), len(self.data) if self.size is None else self.size

    def local(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        crc, packed, size = self.facts
        size = size if self.local_size is None else self.local_size
        method = self.method if self.local_method is None else self.local_method
        numbers = (b"PK\3\4", 45, self.flags, method, 0, 0x21, crc, packed, size, len(name), 0)
        return struct.pack("<4s5H3L2H", *numbers) + name + self.content

    def central(self, offset: int) -> bytes:
        crc, packed, size = self.facts
        offset = offset if self.offset is None else self.offset
        lengths = (len(self.name), len(self.extra), 0)
        numbers = (b"PK\1\2", 3 << 8 | 45, 45, self.flags, self.method, 0, 0x21, crc, packed, size, *lengths)
        rest = (self.disk, 0, self.mode << 16, offset)
        return struct.pack("<4s6H3L5H2L", *numbers, *rest) + self.name + self.extra


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def pack(*parts: Part, count: int | None = None, shift: int = 0, before: bytes = b"", record: bytes = b"") -> bytes:
    """A zip file. ``count`` and ``shift`` are lies about the directory, ``record`` stands before the end."""
    central, position = [], 0
    for part in parts:
        central.append(part.central(position))
        position += len(part.local())
    told = len(parts) if count is None else count
    start = position + shift
    directory = b"".join(central)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, told, told, len(directory), start, 0)
    return b"".join((before, *(part.local() for part in parts), directory, record, end))


def zip64(*parts: Part, count: int, size_lie: int = 0, at_lie: int = 0) -> bytes:
    plain = pack(*parts)
    end = plain[-22:]
    size, start = struct.unpack_from("<2L", end, 12)
    at = len(plain) - 22
    if count > 0xFFFF:
        end = end[:8] + b"\xff" * 4 + end[12:]
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size + size_lie, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at + at_lie, 1)
    return plain[:-22] + record + locator + end


FINE = Part(b"good", b"good")
LINK = stat.S_IFLNK | 0o777


def overlapping() -> bytes:
    """Many entries that all have the content of one, as in zip bombs without recursion (Fifield 2019)."""
    whole = Part(b"0", bytes(MEBI))
    return pack(whole, *[replace(whole, name=b"%d" % n, offset=0) for n in range(1, 50)])


def enclosing() -> bytes:
    """An entry whose content is the next entry, header and all."""
    inner = Part(b"inner", b"x" * 100, method=0)
    outer = Part(b"outer", inner.local(), method=0)
    return pack(outer, replace(inner, offset=len(outer.local()) - len(inner.local())))


SOUND_ZIP = pack(FINE, Part(b"d/more", NOISE))
