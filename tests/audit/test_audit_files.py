"""Open files and transactions on record, and what is refused when nothing can be recorded."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.wrappers.audit import AuditFileSystem, verify
from tests.audit.audit_logs import Make, entries, said
from tests.wrappers.async_fs import AsyncObjectFileSystem

# ---- open files


def test_files_are_counted_until_they_are_closed(fs: AuditFileSystem) -> None:
    with fs.open("/f", "wb") as file:
        file.write(b"one\n")
        file.writelines([b"two\n", b"three\n"])
    with fs.open("/f") as file:
        assert file.readline() == b"one\n"
        assert file.readline(2) == b"tw"
        assert next(file) == b"o\n"
        assert file.readinto(bytearray(3)) == 3
        assert file.read() == b"ee\n"
        file.close()
    with fs.open("/f", "rt") as text:
        assert text.readlines() == ["one\n", "two\n", "three\n"]
    opens, closes = (entries(fs, operation=name) for name in ("open", "close"))
    assert [entry.call for entry in opens] == [entry.call for entry in closes]
    assert len({entry.call for entry in opens}) == 3
    assert [(e.effect, e.bytes_read, e.bytes_written) for e in closes] == [
        ("write", None, 14),
        ("read", 14, None),
        ("read", 14, None),
    ]
    assert closes[0].etag_before is None
    assert closes[0].etag_after == opens[1].etag_before == fs.info("/f")["etag"]


def test_what_is_discarded_is_on_record(fs: AuditFileSystem) -> None:
    fs.pipe_file("/f", b"old")

    def fail() -> NoReturn:
        with fs.open("/f", "wb") as file:
            file.write(b"new")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    [closed] = entries(fs, operation="close")
    assert closed.detail == {"mode": "wb", "discarded": True}
    assert closed.etag_before == closed.etag_after
    assert fs.cat_file("/f") == b"old"


def test_what_is_published_later_is_on_record(fs: AuditFileSystem) -> None:
    file = fs.open("/f", "wb", autocommit=False)
    file.write(b"later")
    file.close()
    assert not fs.exists("/f")
    file.commit()
    found = [(e.operation, e.etag_after is not None) for e in entries(fs, path="/f") if e.effect == "write"]
    assert found == [("open", False), ("close", False), ("commit", True)]


def test_what_was_opened_and_not_recorded_is_not_handed_out(
    make: Make, chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs = make()

    def fail(recorded: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fs._log, "_extend", fail)
    with pytest.raises(OSError, match="carried out, but the audit log did not take it"):
        fs.open("/f", "wb")
    fs._log._lost = 0
    with pytest.raises(OSError, match="carried out"):
        fs.posix.open_handle("/g", os.O_RDWR | os.O_CREAT)
    assert not chukmem.exists("/f")


def test_a_failing_close_is_on_record(chukmem: MemoryFileSystem, make: Make) -> None:
    fs = make()
    file = fs.open("/d/f", "xb")
    chukmem.pipe_file("/d/f", b"faster")
    with pytest.raises(FileExistsError):
        file.close()
    [closed] = entries(fs, operation="close")
    assert (closed.decision, closed.error) == ("failed", "EEXIST")


def test_handles_are_counted_until_they_are_closed(fs: AuditFileSystem) -> None:
    handle = fs.posix.open_handle("/f", os.O_RDWR | os.O_CREAT)
    handle.pwrite(b"12345", 0)
    handle.pwrite(b"67", 5)
    assert handle.pread(100, 2) == b"34567"
    handle.truncate(4)
    with pytest.raises(OSError, match="Invalid"):
        handle.pwrite(b"", -1)
    handle.close()
    handle.close()
    opened, failed, closed = entries(fs)
    assert (failed.operation, failed.decision, failed.error) == ("posix.pwrite", "failed", "EINVAL")
    assert (closed.operation, closed.bytes_read, closed.bytes_written) == ("posix.close", 5, 7)
    assert closed.detail["size"] == 4
    assert opened.call == failed.call == closed.call
    assert closed.etag_after == fs.info("/f")["etag"]


def test_asynchronous_files_are_counted(make: Make) -> None:
    fs = make(fs=AsyncObjectFileSystem(name="audited"))

    async def work() -> bytes:
        async with await fs.open_async("/b/f", "wb") as file:
            await file.write(b"written")
        async with await fs.open_async("/b/f") as stream:
            data: bytes = await stream.read(4)
            return data

    assert asyncio.run(work()) == b"writ"
    with pytest.raises(FileNotFoundError):
        asyncio.run(fs.open_async("/b/none"))
    assert said(fs, "operation", "effect", "bytes_read", "bytes_written", "decision") == [
        ("open_async", "write", None, None, "allowed"),
        ("close", "write", None, 7, "allowed"),
        ("open_async", "read", None, None, "allowed"),
        ("close", "read", 4, None, "allowed"),
        ("open_async", "read", None, None, "failed"),
    ]
    assert verify(fs.audit_log).ok


# ---- transactions


def test_the_end_of_a_transaction_tells_what_became_of_its_files(fs: AuditFileSystem) -> None:
    fs.pipe_file("/old", b"1")
    with fs.transaction:
        fs.pipe_file("/old", b"2")
        with fs.open("/new", "wb") as file:
            file.write(b"3")
    ends = entries(fs, operation="end_transaction")
    assert [(end.path, end.detail, end.decision) for end in ends] == [
        ("/old", {"commit": True}, "allowed"),
        ("/new", {"commit": True}, "allowed"),
    ]
    assert [end.etag_after for end in ends] == [fs.info(path)["etag"] for path in ("/old", "/new")]
    with pytest.raises(InterruptedError), fs.transaction:
        raise InterruptedError
    assert entries(fs)[-1].detail == {"commit": False}


# ---- what cannot be recorded


@pytest.fixture
def broken(make: Make, monkeypatch: pytest.MonkeyPatch) -> AuditFileSystem:
    """A filesystem whose log can be written no more: its disk is full and its reserve was used up."""
    fs = make()
    fs.pipe_file("/f", b"old")
    write = os.write
    sizes = Path(fs.audit_log).stat().st_size

    def full(fd: int, data: bytes) -> int:
        if os.fstat(fd).st_size in (sizes, 256):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data)

    os.truncate(fs.audit_log + ".guard", 256)
    monkeypatch.setattr(os, "write", full)
    return fs


@pytest.mark.parametrize(
    "change",
    [
        lambda fs: fs.pipe_file("/f", b"new"),
        lambda fs: fs.rm("/f"),
        lambda fs: fs.mv("/f", "/g"),
        lambda fs: fs.open("/f", "wb"),
        lambda fs: fs.posix.open_handle("/f", os.O_RDWR | os.O_TRUNC),
        lambda fs: fs.posix.chmod("/f", 0),
        lambda fs: fs.start_transaction(),
        lambda fs: fs.cat_file("/f"),
    ],
)
def test_what_cannot_be_recorded_is_not_done(
    change: Callable[[Any], Any], broken: AuditFileSystem, chukmem: MemoryFileSystem
) -> None:
    before = chukmem.posix.stat("/f")
    with pytest.raises(OSError, match="nothing was done") as refusal:
        change(broken)
    assert refusal.value.errno == errno.ENOSPC
    assert broken.audit_log not in str(refusal.value)
    assert chukmem.posix.stat("/f") == before


def test_open_files_publish_nothing_that_cannot_be_recorded(
    make: Make, chukmem: MemoryFileSystem, request: pytest.FixtureRequest
) -> None:
    fs = make()
    file, handle = fs.open("/g", "wb"), fs.posix.open_handle("/h", os.O_RDWR | os.O_CREAT)
    file.write(b"new")
    request.getfixturevalue("broken")
    with pytest.raises(OSError, match="nothing was done"):
        handle.pwrite(b"new", 0)
    with pytest.raises(OSError, match="nothing was done"):
        file.close()
    assert file.closed
    assert not chukmem.exists("/g")
    assert chukmem.cat_file("/h") == b""


def test_a_transaction_that_cannot_be_recorded_is_rolled_back(
    make: Make, chukmem: MemoryFileSystem, request: pytest.FixtureRequest
) -> None:
    fs = make()
    fs.start_transaction()
    fs.mkdir("/made")
    request.getfixturevalue("broken")
    with pytest.raises(OSError, match="nothing was done"):
        fs.end_transaction()
    assert not chukmem.exists("/made")
