"""Archives as attackers write them, and the rule that refuses each."""

from __future__ import annotations

import gzip
import json
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.archives.archive_bytes import (
    FINE,
    GOOD,
    LINK,
    MEBI,
    NOISE,
    SOUND,
    SOUND_ZIP,
    Part,
    bomb,
    deflated,
    enclosing,
    entry,
    flipped,
    hard_link,
    header,
    link,
    overlapping,
    pack,
    pax,
    sealed,
    sparse_old,
    sparse_pax,
    tar,
    zip64,
    zstd,
)

SOON = {"limits": {"ratio_from": MEBI}}
ENDLESS = {"limits": {"max_file_size": 0, "max_total_size": 0, "ratio_from": MEBI}}


@dataclass(frozen=True)
class Hostile:
    """One attack.

    Attributes:
        build: makes the archive.
        rule: which rule has to refuse it.
        options: of the import.
    """

    build: Callable[[], bytes]
    rule: str
    options: dict[str, Any] = field(default_factory=dict)


TARS: dict[str, Hostile] = {
    "dotdot": Hostile(lambda: tar(GOOD, entry(b"../evil", b"x")), "names"),
    "dotdot inside": Hostile(lambda: tar(GOOD, entry(b"a/b/../../../evil", b"x")), "names"),
    "dotdot at the end": Hostile(lambda: tar(GOOD, entry(b"a/..", kind=b"5")), "names"),
    "absolute": Hostile(lambda: tar(GOOD, entry(b"/outside/secret", b"x")), "names"),
    "two slashes": Hostile(lambda: tar(GOOD, entry(b"//outside/secret", b"x")), "names"),
    "drive letter": Hostile(lambda: tar(GOOD, entry(b"C:/evil", b"x")), "names"),
    "drive relative": Hostile(lambda: tar(GOOD, entry(b"c:evil", b"x")), "names"),
    "backslashes": Hostile(lambda: tar(GOOD, entry(b"..\\..\\evil", b"x")), "names"),
    "UNC": Hostile(lambda: tar(GOOD, entry(b"\\\\host\\share\\evil", b"x")), "names"),
    "NUL": Hostile(lambda: tar(GOOD, pax(path=b"good\0.txt"), entry(b"x")), "names"),
    "no name": Hostile(lambda: tar(GOOD, entry(b"")), "names"),
    "dotdot in pax": Hostile(lambda: tar(GOOD, pax(path=b"../evil"), entry(b"fine", b"x")), "names"),
    "dotdot in a GNU long name": Hostile(lambda: tar(entry(b"L", b"../evil\0", b"L"), entry(b"fine", b"x")), "names"),
    "dotdot in a sparse name": Hostile(
        lambda: tar(pax(GNU__sparse__name=b"../evil", GNU__sparse__size=b"0", GNU__sparse__map=b""), entry(b"fine")),
        "names",
    ),
    "a link for the target itself": Hostile(lambda: tar(GOOD, link(b"./", b"../outside")), "names", {"links": "keep"}),
    "a name of 256 bytes": Hostile(lambda: tar(GOOD, pax(path=b"n" * 256), entry(b"x")), "name_bytes"),
    "a name of 256 bytes in 128 characters": Hostile(
        lambda: tar(GOOD, pax(path="é".encode() * 128), entry(b"x")), "name_bytes"
    ),
    "a path of 4097 bytes": Hostile(
        lambda: tar(GOOD, pax(path=b"n/" * 2048 + b"n"), entry(b"x")), "name_bytes", {"limits": {"max_path_depth": 0}}
    ),
    "deep nesting": Hostile(lambda: tar(GOOD, pax(path=b"d/" * 128 + b"f"), entry(b"x")), "max_path_depth"),
    "a link up": Hostile(lambda: tar(GOOD, link(b"l", b"../outside")), "links"),
    "a link to the root": Hostile(lambda: tar(GOOD, link(b"l", b"/outside/secret")), "links"),
    "a link up after names": Hostile(lambda: tar(GOOD, link(b"l", b"a/../../outside")), "links"),
    "links that climb together": Hostile(
        lambda: tar(link(b"a/b/up", b"../.."), link(b"l", b"a/b/up/../outside")), "links"
    ),
    "a link with backslashes": Hostile(lambda: tar(GOOD, link(b"l", b"..\\outside")), "links"),
    "a link with nothing": Hostile(lambda: tar(GOOD, link(b"l", b"")), "links", {"links": "keep"}),
    "a link with NUL": Hostile(lambda: tar(pax(linkpath=b"a\0b"), link(b"l", b"x")), "links", {"links": "keep"}),
    "a link of 5000 bytes": Hostile(
        lambda: tar(pax(linkpath=b"a/" * 2500), link(b"l", b"x")), "links", {"links": "keep"}
    ),
    "any link where none may be": Hostile(lambda: tar(GOOD, link(b"l", b"good")), "links", {"links": "refuse"}),
    "link, then a file through it": Hostile(
        lambda: tar(GOOD, link(b"l", b"../outside"), entry(b"l/secret", b"x")), "links", {"links": "keep"}
    ),
    "link, then a directory in its place, then a file": Hostile(
        lambda: tar(link(b"l", b"../outside"), entry(b"l", kind=b"5"), entry(b"l/secret", b"x")),
        "duplicate",
        {"links": "keep"},
    ),
    "link, then a file in its place": Hostile(
        lambda: tar(GOOD, link(b"l", b"../outside/secret"), entry(b"l", b"x")), "duplicate", {"links": "keep"}
    ),
    "link inside, then a file through it": Hostile(
        lambda: tar(entry(b"d/", kind=b"5"), link(b"l", b"d"), entry(b"l/f", b"x")), "links"
    ),
    "link under another spelling": Hostile(
        lambda: tar(link(b"l", b"../outside"), entry(b"./l//secret", b"x")), "links", {"links": "keep"}
    ),
    "hard link up": Hostile(lambda: tar(GOOD, hard_link(b"h", b"../outside/secret")), "names"),
    "hard link to the root": Hostile(lambda: tar(GOOD, hard_link(b"h", b"/outside/secret")), "names"),
    "hard link to what was there": Hostile(lambda: tar(GOOD, hard_link(b"h", b"mine")), "links"),
    "hard link to a later member": Hostile(lambda: tar(hard_link(b"h", b"good"), GOOD), "links"),
    "hard link to itself": Hostile(lambda: tar(hard_link(b"h", b"h")), "links"),
    "hard link to a link": Hostile(
        lambda: tar(link(b"l", b"../outside/secret"), hard_link(b"h", b"l"), entry(b"h", b"x")),
        "links",
        {"links": "keep"},
    ),
    "hard link to a directory": Hostile(lambda: tar(entry(b"d/", kind=b"5"), hard_link(b"h", b"d")), "links"),
    "duplicate": Hostile(lambda: tar(GOOD, GOOD), "duplicate"),
    "duplicate in another spelling": Hostile(lambda: tar(GOOD, entry(b"./good", b"x")), "duplicate"),
    "a file and a directory": Hostile(lambda: tar(GOOD, entry(b"good/", kind=b"5")), "duplicate"),
    "a directory and a file": Hostile(lambda: tar(entry(b"d/", kind=b"5"), entry(b"d", b"x")), "duplicate"),
    "through a file": Hostile(lambda: tar(GOOD, entry(b"good/f", b"x")), "links"),
    "FIFO": Hostile(lambda: tar(GOOD, entry(b"p", kind=b"6")), "special"),
    "character device": Hostile(lambda: tar(GOOD, entry(b"c", kind=b"3")), "special"),
    "block device": Hostile(lambda: tar(GOOD, entry(b"b", kind=b"4")), "special"),
    "unknown type": Hostile(lambda: tar(GOOD, entry(b"u", kind=b"Z")), "format"),
    "gzip bomb": Hostile(lambda: gzip.compress(bomb()), "ratio", SOON),
    "zstd bomb": Hostile(lambda: zstd(bomb()), "ratio", SOON),
    "one empty member many times": Hostile(lambda: gzip.compress(entry(b"%0100d" % 1) * 10 + bytes(1024)), "duplicate"),
    "bomb behind the end": Hostile(lambda: gzip.compress(tar(GOOD) + bytes(3 * MEBI)), "ratio", SOON),
    "bomb in what is skipped": Hostile(
        lambda: gzip.compress(entry(b"label", bytes(3 * MEBI), b"V") + bytes(1024)), "ratio", SOON
    ),
    "a large file": Hostile(
        lambda: tar(GOOD, entry(b"f", bytes(1001))), "max_file_size", {"limits": {"max_file_size": 1000}}
    ),
    "all files together": Hostile(
        lambda: tar(*[entry(b"%d" % n, bytes(400)) for n in range(3)]),
        "max_total_size",
        {"limits": {"max_total_size": 1000}},
    ),
    "many members": Hostile(
        lambda: tar(*[entry(b"%d" % n) for n in range(11)]), "max_files", {"limits": {"max_files": 10}}
    ),
    "thousands of empty members": Hostile(
        lambda: gzip.compress(b"".join(header(b"%d" % n) for n in range(2000)) * 3),
        "max_files",
        {"limits": {"max_files": 1000}},
    ),
    "an exabyte is announced": Hostile(lambda: tar(GOOD, entry(b"f", size=1 << 60)), "max_file_size"),
    "more is announced than there is": Hostile(lambda: tar(GOOD, entry(b"f", b"x", size=5000)), "damage"),
    "a negative size": Hostile(lambda: tar(GOOD, entry(b"f", size=-512)), "damage"),
    "a negative size in pax": Hostile(lambda: tar(GOOD, pax(size=b"-512"), entry(b"f")), "damage"),
    "a directory with content": Hostile(lambda: tar(GOOD, entry(b"d/", bytes(512), b"5")), "damage"),
    "a link with content": Hostile(lambda: tar(GOOD, entry(b"l", bytes(512), b"2", b"good")), "damage"),
    "a header of gigabytes": Hostile(lambda: tar(GOOD, entry(b"pax", b"", b"x", size=2 << 30)), "header_bytes"),
    "a long name of gigabytes": Hostile(lambda: tar(GOOD, entry(b"long", b"", b"L", size=2 << 30)), "header_bytes"),
    "headers without end": Hostile(lambda: gzip.compress(pax(comment=b"c" * 10_000) * 200), "header_bytes"),
    "headers for all": Hostile(lambda: tar(pax(b"g", path=b"../evil"), GOOD), "format"),
    "a pax length that lies": Hostile(lambda: tar(entry(b"pax", b"99 path=evil\n", b"x"), GOOD), "damage"),
    "a pax length without end": Hostile(lambda: tar(entry(b"pax", b"9" * 500, b"x"), GOOD), "damage"),
    "a pax record without a value": Hostile(lambda: tar(entry(b"pax", b"8 pathx\n", b"x"), GOOD), "damage"),
    "a time that is none": Hostile(lambda: tar(pax(mtime=b"now"), GOOD), "damage"),
    "nothing follows a header": Hostile(lambda: tar(GOOD, pax(path=b"evil")), "damage"),
    "a sparse exabyte": Hostile(lambda: tar(GOOD, sparse_pax(1 << 60, b"0\n")), "max_file_size"),
    "a sparse bomb": Hostile(
        lambda: tar(GOOD, sparse_pax(1 << 40, b"0\n")),
        "ratio",
        ENDLESS,
    ),
    "an old sparse bomb": Hostile(lambda: tar(sparse_old(8 << 30)), "ratio", ENDLESS),
    "sparse pieces that overlap": Hostile(lambda: tar(sparse_old(2000, (0, 512), (100, 512), stored=1024)), "damage"),
    "sparse pieces past the end": Hostile(lambda: tar(sparse_old(100, (0, 512), stored=512)), "damage"),
    "sparse pieces that are not there": Hostile(lambda: tar(sparse_pax(600, b"1\n0\n512\n")), "damage"),
    "a sparse map without end": Hostile(lambda: tar(sparse_pax(600, b"99999999\n")), "damage"),
    "a sparse map of letters": Hostile(lambda: tar(sparse_pax(600, b"1\nx\ny\n")), "damage"),
    "a sparse map that is cut off": Hostile(lambda: tar(sparse_pax(600, b"500\n1\n")), "damage"),
    "an odd sparse map": Hostile(
        lambda: tar(pax(GNU__sparse__size=b"9", GNU__sparse__map=b"0,1,2"), entry(b"f", b"x")), "damage"
    ),
    "a wrong checksum": Hostile(lambda: tar(GOOD, flipped(GOOD, 3)), "damage"),
    "letters for a number": Hostile(
        lambda: tar(GOOD, sealed(header(b"f")[:124] + b"9zz" + header(b"f")[127:])), "damage"
    ),
    "no end": Hostile(lambda: SOUND[:-1024], "damage"),
    "cut in a header": Hostile(lambda: SOUND[:1300], "damage"),
    "cut in content": Hostile(lambda: SOUND[:4000], "damage"),
    "something after the end": Hostile(lambda: SOUND + b"x", "damage"),
    "another archive after the end": Hostile(lambda: SOUND + tar(entry(b"evil", b"x")), "damage"),
    "gzip, cut": Hostile(lambda: gzip.compress(SOUND)[:-12], "damage"),
    "gzip, cut in its trailer": Hostile(lambda: gzip.compress(SOUND)[:-2], "damage"),
    "gzip, one bit": Hostile(lambda: flipped(gzip.compress(SOUND), 3000), "damage"),
    "gzip, wrong checksum": Hostile(lambda: flipped(gzip.compress(SOUND), -5), "damage"),
    "gzip, then something else": Hostile(lambda: gzip.compress(SOUND) + b"evil", "damage"),
    "zstd, cut": Hostile(lambda: zstd(SOUND)[:-3], "damage"),
    "zstd, one bit": Hostile(lambda: flipped(zstd(SOUND), 3000), "damage"),
    "no archive": Hostile(lambda: b"just some text\n", "format"),
    "nothing": Hostile(lambda: b"", "format"),
    "only zeros": Hostile(lambda: b"\0" * 100, "format"),
    "bzip2": Hostile(lambda: b"BZh91AY&SY" + bytes(600), "format"),
}


ZIPS: dict[str, Hostile] = {
    "dotdot": Hostile(lambda: pack(FINE, Part(b"../evil")), "names"),
    "absolute": Hostile(lambda: pack(FINE, Part(b"/outside/secret")), "names"),
    "drive letter": Hostile(lambda: pack(FINE, Part(b"C:\\evil")), "names"),
    "backslashes": Hostile(lambda: pack(FINE, Part(b"..\\..\\evil")), "names"),
    "NUL": Hostile(lambda: pack(FINE, Part(b"good\0.txt")), "names"),
    "dotdot in the other name": Hostile(
        lambda: pack(
            FINE,
            Part(b"fine", extra=struct.pack("<HHBL", 0x7075, 5 + 7, 1, zlib.crc32(b"fine")) + b"../evil"),
        ),
        "names",
    ),
    "a long name": Hostile(lambda: pack(FINE, Part(b"n" * 256)), "name_bytes"),
    "a link up": Hostile(lambda: pack(FINE, Part(b"l", b"../outside", mode=LINK)), "links"),
    "a link of a mebibyte": Hostile(
        lambda: pack(FINE, Part(b"l", b"a/" * MEBI, mode=LINK)), "links", {"links": "keep"}
    ),
    "link, then a file through it": Hostile(
        lambda: pack(Part(b"l", b"../outside", mode=LINK), Part(b"l/secret")), "links", {"links": "keep"}
    ),
    "FIFO": Hostile(lambda: pack(Part(b"p", b"", mode=stat.S_IFIFO | 0o644)), "special"),
    "device": Hostile(lambda: pack(Part(b"p", b"", mode=stat.S_IFBLK | 0o644)), "special"),
    "duplicate": Hostile(lambda: pack(FINE, FINE), "duplicate"),
    "bomb": Hostile(lambda: pack(FINE, Part(b"bomb", bytes(3 * MEBI))), "ratio", SOON),
    "bomb of many files": Hostile(lambda: pack(*[Part(b"%d" % n, bytes(MEBI)) for n in range(4)]), "ratio", SOON),
    "overlapping entries": Hostile(overlapping, "damage"),
    "an entry in another": Hostile(enclosing, "damage"),
    "a large file": Hostile(
        lambda: pack(Part(b"f", bytes(1001))), "max_file_size", {"limits": {"max_file_size": 1000}}
    ),
    "many members": Hostile(
        lambda: pack(*[Part(b"%d" % n, b"") for n in range(11)]), "max_files", {"limits": {"max_files": 10}}
    ),
    "a million members are announced": Hostile(lambda: zip64(FINE, count=1_000_000), "max_files"),
    "a directory with content": Hostile(lambda: pack(Part(b"d/", b"content")), "damage"),
    "encrypted": Hostile(lambda: pack(Part(b"f", flags=1)), "format"),
    "strongly encrypted": Hostile(lambda: pack(Part(b"f", flags=1 | 1 << 6)), "format"),
    "an unknown method": Hostile(lambda: pack(Part(b"f", method=97)), "format"),
    "less comes out than it says": Hostile(lambda: pack(Part(b"f", b"abc", size=4)), "damage"),
    "more comes out than it says": Hostile(lambda: pack(Part(b"f", bytes(MEBI), size=3)), "damage"),
    "more comes out, with the checksum of less": Hostile(
        lambda: pack(Part(b"f", b"abcdef", size=3, crc=zlib.crc32(b"abc"))), "damage"
    ),
    "stored in another size": Hostile(lambda: pack(Part(b"f", b"abc", method=0, size=2)), "damage"),
    "a wrong checksum": Hostile(lambda: pack(Part(b"f", b"abc", crc=1)), "damage"),
    "something after the compressed content": Hostile(
        lambda: pack(Part(b"f", b"abc", packed=deflated(b"abc") + b"evil")), "damage"
    ),
    "much after the compressed content": Hostile(
        lambda: pack(Part(b"f", b"abc", packed=deflated(b"abc") + bytes(200_000))), "damage"
    ),
    "no deflate": Hostile(lambda: pack(Part(b"f", b"abc", packed=b"\xff" * 9)), "damage"),
    "deflate that is cut off": Hostile(lambda: pack(Part(b"f", NOISE, packed=deflated(NOISE)[:-4])), "damage"),
    "another name in the header": Hostile(lambda: pack(Part(b"fine", local_name=b"evil")), "damage"),
    "another size in the header": Hostile(lambda: pack(Part(b"f", local_size=9)), "damage"),
    "another method in the header": Hostile(lambda: pack(Part(b"f", local_method=0)), "damage"),
    "a header somewhere else": Hostile(lambda: pack(FINE, Part(b"f", offset=3)), "damage"),
    "a header past the end": Hostile(lambda: pack(FINE, Part(b"f", offset=1 << 31)), "damage"),
    "more entries than it says": Hostile(lambda: pack(FINE, Part(b"f"), count=1), "damage"),
    "fewer entries than it says": Hostile(lambda: pack(FINE, count=2), "damage"),
    "a directory somewhere else": Hostile(lambda: pack(FINE, shift=-1), "damage"),
    "a program before it": Hostile(lambda: b"PK\3\4" + SOUND_ZIP, "damage"),
    "something after it": Hostile(lambda: SOUND_ZIP + b"evil", "damage"),
    "another archive after it": Hostile(lambda: SOUND_ZIP + pack(Part(b"evil")), "damage"),
    "another end in its comment": Hostile(
        lambda: SOUND_ZIP[:-2] + struct.pack("<H", 22) + b"PK\5\6" + bytes(18), "damage"
    ),
    "ZIP64 with another count": Hostile(lambda: zip64(FINE, count=2), "damage"),
    "ZIP64 with another size": Hostile(lambda: zip64(FINE, count=1, size_lie=1), "damage"),
    "ZIP64 somewhere else": Hostile(lambda: zip64(FINE, count=1, at_lie=-1), "damage"),
    "a large size without ZIP64": Hostile(lambda: pack(Part(b"f", size=0xFFFFFFFF)), "damage"),
    "an extra field that is too long": Hostile(lambda: pack(Part(b"f", extra=struct.pack("<HH", 1, 99))), "damage"),
    "on several disks": Hostile(lambda: SOUND_ZIP[:-18] + b"\1\0" + SOUND_ZIP[-16:], "format"),
    "cut at the end": Hostile(lambda: SOUND_ZIP[:-1], "damage"),
    "cut in the middle": Hostile(lambda: SOUND_ZIP[:2000], "damage"),
    "one bit of the directory": Hostile(lambda: flipped(SOUND_ZIP, -80), "damage"),
    "one bit of the content": Hostile(lambda: flipped(SOUND_ZIP, 300), "damage"),
}


# ---- JSON


def snapshot(**files: Any) -> bytes:
    described = {path: {"content": content} for path, content in files.items()}
    return json.dumps({"snapshot": {"version": 1, "directories": {}, "files": described}}).encode()


JSONS: dict[str, Hostile] = {
    "dotdot": Hostile(lambda: snapshot(**{"/good": "", "/../evil": "eA=="}), "names"),
    "two slashes": Hostile(lambda: snapshot(**{"//outside/secret": "eA=="}), "names"),
    "drive letter": Hostile(lambda: snapshot(**{"C:\\evil": "eA=="}), "names"),
    "half a character": Hostile(lambda: snapshot(**{"/\ud800": ""}), "names"),
    "NUL": Hostile(lambda: snapshot(**{"/good\0": ""}), "names"),
    "duplicate": Hostile(lambda: snapshot(**{"/a": "", "/./a": ""}), "duplicate"),
    "through a file": Hostile(lambda: snapshot(**{"/a": "", "/a/b": ""}), "links"),
    "no base64": Hostile(lambda: snapshot(**{"/a": "!!!!"}), "damage"),
    "half base64": Hostile(lambda: snapshot(**{"/a": "eA="}), "damage"),
    "base64 that goes on": Hostile(lambda: snapshot(**{"/a": "eA==" * 40_000}), "damage"),
    "a number for content": Hostile(lambda: snapshot(**{"/a": 5}), "damage"),
    "two contents": Hostile(lambda: b'{"snapshot": {"files": {"/a": {"content": "", "content": "eA=="}}}}', "damage"),
    "a large file": Hostile(
        lambda: snapshot(**{"/a": "AAAA" * 500}), "max_file_size", {"limits": {"max_file_size": 1000}}
    ),
    "many members": Hostile(
        lambda: snapshot(**{f"/{n}": "" for n in range(11)}), "max_files", {"limits": {"max_files": 10}}
    ),
    "a long path": Hostile(lambda: snapshot(**{"/" + "n" * 100_000: ""}), "damage"),
    "deep JSON": Hostile(lambda: b'{"snapshot": ' + b'{"x": ' * 10_000, "damage"),
    "deep lists": Hostile(lambda: b'{"x": ' + b"[" * 10_000, "damage"),
    "a long number": Hostile(lambda: b'{"snapshot": {"version": ' + b"1" * 10_000 + b"}}", "damage"),
    "another version": Hostile(lambda: b'{"snapshot": {"version": 2, "files": {}}}', "format"),
    "no snapshot": Hostile(lambda: b'{"name": "package", "scripts": {"a": [1, {"b": null}]}}', "format"),
    "cut": Hostile(lambda: snapshot(**{"/a": "eA=="})[:-9], "damage"),
    "no UTF-8": Hostile(lambda: b'{"snapshot": {"\xff": 1}}', "damage"),
    "a wrong escape": Hostile(lambda: b'{"snapshot": {"\\x": 1}}', "damage"),
    "something after it": Hostile(lambda: snapshot() + b"{}", "damage"),
}

ALL = {
    **{f"tar: {name}": hostile for name, hostile in TARS.items()},
    **{f"zip: {name}": hostile for name, hostile in ZIPS.items()},
    **{f"json: {name}": hostile for name, hostile in JSONS.items()},
}
