"""Archives with bytes changed anywhere: they are read or refused, and nothing else happens."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chuk_fsspec.archives import ArchiveLimits, export_archive, import_archive
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.agentfs.test_agentfs_transfer import fill, new_memory
from tests.archives.archive_bytes import MEBI, NOISE, sparse_old, sparse_pax, tar

LIMITS = ArchiveLimits(max_file_size=8 * MEBI, max_total_size=16 * MEBI)


def samples() -> dict[str, bytes]:
    fs = new_memory("damage")
    fill(fs)
    fs.rm_file("/size-2500000")
    fs.pipe_file("/noise", NOISE)
    fs.pipe_file("/" + "n" * 200, b"")
    fs.posix.setxattr("/noise", "user.x", b"y")
    made = {}
    for format in ("tar", "tar.gz", "tar.zst", "zip", "json"):
        file = io.BytesIO()
        export_archive(fs, "/", file, format=format, special="keep")
        made[format] = file.getvalue()
    made["sparse"] = tar(sparse_old(5000, (0, 512), (2048, 512), stored=1024))
    made["sparse pax"] = tar(sparse_pax(2000, b"2\n100\n100\n900\n50\n", b"x" * 150))
    return made


SAMPLES = samples()
changes: Any = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.one_of(st.integers(0, 255), st.sampled_from([b"", b"\0" * 40, b"9" * 12]))),
    min_size=1,
    max_size=4,
)


def changed(data: bytes, edits: list[tuple[int, int | bytes]]) -> bytes:
    """A byte replaced, or more bytes put over others; without any, the rest is cut off."""
    for at, what in edits:
        position = at % max(len(data), 1)
        if what == b"":
            data = data[:position]
        elif isinstance(what, bytes):
            data = data[:position] + what + data[position + len(what) :]
        else:
            data = data[:position] + bytes([what]) + data[position + 1 :]
    return data


def resealed(data: bytes) -> bytes:
    """A tar whose headers have the right checksums again, so that what they say is looked at."""
    blocks = [data[at : at + 512] for at in range(0, len(data), 512)]
    for number, block in enumerate(blocks):
        if block[257:262] == b"ustar" and len(block) == 512:
            blank = block[:148] + b" " * 8 + block[156:]
            blocks[number] = blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]
    return b"".join(blocks)


def attempt(data: bytes) -> None:
    target = MemoryFileSystem("damage-target")
    if target.exists("/new"):
        target.rm("/new", recursive=True)
    target.pipe_file("/mine", b"mine")
    try:
        options: dict[str, Any] = {"links": "keep", "special": "keep", "owners": True}
        import_archive(io.BytesIO(data), target, "/new", limits=LIMITS, **options)
    except OSError:
        assert not target.lexists("/new")
    assert target.ls("/", detail=False) in (["/mine"], ["/mine", "/new"])


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_sound(name: str) -> None:
    attempt(SAMPLES[name])
    assert MemoryFileSystem("damage-target").lexists("/new")


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(SAMPLES)), edits=changes)
def test_any_change(name: str, edits: Any) -> None:
    attempt(changed(SAMPLES[name], edits))


@settings(max_examples=300)
@given(name=st.sampled_from(["tar", "sparse", "sparse pax"]), edits=changes, packed=st.booleans())
def test_any_change_under_right_checksums(name: str, edits: Any, packed: bool) -> None:
    data = resealed(changed(SAMPLES[name], edits))
    attempt(gzip.compress(data, 1) if packed else data)
