"""The 512 bytes before each member, read and written (POSIX.1-2017, pax, "ustar Interchange Format")."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass

from chuk_fsspec.archives.refusal import ArchiveRefused, damaged

BLOCK = 512
END = bytes(BLOCK)

_CHECKSUM = slice(148, 156)
_GNU_MAGIC = b"ustar  \0"
_POSIX_MAGIC = b"ustar\0"


@dataclass(frozen=True)
class Header:
    """What one header block says. Names are bytes, as they stand there."""

    name: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    type: bytes
    target: bytes
    rdev_major: int
    rdev_minor: int


def read_header(block: bytes) -> Header:
    """Take a header block apart. ArchiveRefused for a wrong checksum or a field that is no number."""
    if not _is_sound(block):
        raise damaged("a header has the wrong checksum")
    name, kind = _text(block[:100]), block[156:157]
    magic = block[257:265]
    if magic.startswith(_POSIX_MAGIC) and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    has_devices = magic == _GNU_MAGIC or magic.startswith(_POSIX_MAGIC)
    return Header(
        name=name,
        mode=_number(block[100:108]),
        uid=_number(block[108:116]),
        gid=_number(block[116:124]),
        size=_number(block[124:136]),
        mtime=_number(block[136:148]),
        type=kind,
        target=_text(block[157:257]),
        rdev_major=_number(block[329:337]) if has_devices else 0,
        rdev_minor=_number(block[337:345]) if has_devices else 0,
    )


def is_header(block: bytes) -> bool:
    """Whether a block can be the first one of an archive; an empty archive begins with its end."""
    try:
        return block == END or bool(read_header(block))
    except ArchiveRefused:
        return False


def write_header(header: Header) -> bytes:
    """Make a header block, whose fields have to fit."""
    info = tarfile.TarInfo()
    info.name, info.linkname = header.name.decode("latin-1"), header.target.decode("latin-1")
    info.mode, info.uid, info.gid = header.mode, header.uid, header.gid
    info.size, info.mtime, info.type = header.size, header.mtime, header.type
    info.devmajor, info.devminor = header.rdev_major, header.rdev_minor
    return info.tobuf(tarfile.USTAR_FORMAT, "latin-1")


def padding(size: int) -> int:
    """Bytes that follow content of a size, up to the next block."""
    return -size % BLOCK


def _is_sound(block: bytes) -> bool:
    expected = _number(block[_CHECKSUM])
    rest = block[: _CHECKSUM.start] + b" " * 8 + block[_CHECKSUM.stop :]
    # Some old programs counted bytes from -128 to 127.
    return expected == sum(rest) or expected == sum(byte - 256 if byte > 127 else byte for byte in rest)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """An octal number, or where the first bit is set, a binary one (GNU)."""
    if field[0] in (0x80, 0xFF):
        value = int.from_bytes(field[1:], "big")
        return value - 256 ** (len(field) - 1) if field[0] == 0xFF else value
    digits = field.replace(b"\0", b" ").strip()
    if digits and not (digits.isdigit() and max(digits) < ord("8")):
        raise damaged("a header holds something else where a number belongs")
    return int(digits or b"0", 8)
