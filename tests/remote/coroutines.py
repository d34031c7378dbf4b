"""Every coroutine of fsspec, on a filesystem that is empty before and afterwards but for one directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


async def use_every_coroutine(fs: Any, local: Path) -> None:
    """Await each and see what it does.

    Args:
        fs: a filesystem made with ``asynchronous=True``.
        local: an empty directory of this machine.
    """
    await _make(fs)
    await _look(fs)
    await _read(fs)
    await _open(fs)
    await _carry(fs, local)
    await _remove(fs)


async def _make(fs: Any) -> None:
    await fs._pipe({"/d/a.txt": b"1", "/d/e/b.csv": b"22"})
    await fs._pipe_file("/d/piped", b"333")
    await fs._makedirs("/empty/below", exist_ok=True)
    await fs._mkdir("/made")
    await fs._touch("/d/touched")
    with pytest.raises(FileExistsError):
        await fs._pipe_file("/d/a.txt", b"2", mode="create")


async def _look(fs: Any) -> None:
    assert await fs._ls("/d", detail=False) == ["/d/a.txt", "/d/e", "/d/piped", "/d/touched"]
    assert (await fs._info("/d/a.txt"))["size"] == 1
    assert await fs._glob("/d/**/*.csv") == ["/d/e/b.csv"]
    assert await fs._expand_path("/d/*.txt") == ["/d/a.txt"]
    assert [step async for step in fs._walk("/d")] == [
        ("/d", ["e"], ["a.txt", "piped", "touched"]),
        ("/d/e", [], ["b.csv"]),
    ]
    assert await fs._du("/d") == 6
    assert await fs._size("/d/piped") == 3
    assert await fs._sizes(["/d/a.txt", "/d/e/b.csv"]) == [1, 2]
    assert [await fs._exists(path) for path in ("/d/a.txt", "/d", "/none")] == [True, True, False]
    assert [await fs._isdir(path) for path in ("/d/a.txt", "/d", "/none")] == [False, True, False]
    assert [await fs._isfile(path) for path in ("/d/a.txt", "/d", "/none")] == [True, False, False]
    assert await fs._lexists("/d/a.txt")
    assert (await fs._modified("/d/a.txt")).tzinfo is not None
    assert (await fs._created("/d/a.txt")).tzinfo is not None
    assert await fs._ukey("/d/a.txt") != await fs._ukey("/d/piped")
    assert await fs._checksum("/d/a.txt") == await fs._checksum("/d/a.txt")


async def _read(fs: Any) -> None:
    assert await fs._cat_file("/d/e/b.csv", -1) == b"2"
    assert await fs._cat(["/d/a.txt", "/d/piped"]) == {"/d/a.txt": b"1", "/d/piped": b"333"}
    assert await fs._cat_ranges(["/d/e/b.csv", "/d/piped"], [1, 0], [2, 2]) == [b"2", b"33"]
    with pytest.raises(FileNotFoundError):
        await fs._cat_file("/d/none")


async def _open(fs: Any) -> None:
    async with await fs.open_async("/d/opened", "wb") as file:
        await file.write(b"some ")
        await file.write(b"content")
    async with await fs.open_async("/d/opened") as file:
        file.seek(5)
        assert await file.read() == b"content"
    async with await fs.open_async("/d/never", "wb") as file:
        await file.write(b"half")
        await file.discard()
    assert not await fs._exists("/d/never")
    await fs._rm_file("/d/opened")


async def _carry(fs: Any, local: Path) -> None:
    await fs._cp_file("/d/a.txt", "/d/copied")
    await fs._copy("/d", "/copy", recursive=True)
    await fs._mv("/copy", "/moved", recursive=True)
    await fs._mv("/moved/copied", "/moved/renamed")
    await fs._get("/moved", str(local / "got"), recursive=True)
    await fs._put(str(local / "got"), "/put", recursive=True)
    await fs._get_file("/put/renamed", str(local / "file"))
    await fs._put_file(str(local / "file"), "/put/again")
    assert await fs._cat(await fs._find("/put")) == {
        "/put/a.txt": b"1",
        "/put/again": b"1",
        "/put/e/b.csv": b"22",
        "/put/piped": b"333",
        "/put/renamed": b"1",
        "/put/touched": b"",
    }


async def _remove(fs: Any) -> None:
    with pytest.raises(OSError, match="not empty"):
        await fs._rmdir("/d")
    await fs._rmdir("/made")
    await fs._rm(["/d", "/moved", "/put"], recursive=True)
    assert await fs._find("/", withdirs=True) == ["/", "/empty", "/empty/below"]
