"""A service that is busy, forgets to reply, or ends logins: nothing is done twice, and nothing half."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from tests.gdrive.conftest import LARGE, Opening
from tests.gdrive.owner import Owner
from tests.gdrive.server.files import Refusal
from tests.gdrive.server.running import DriveServer

LIMIT = (403, "userRateLimitExceeded")
BUSY = [LIMIT, (403, "rateLimitExceeded"), (429, "rateLimitExceeded"), (500, "backendError"), (503, ""), (408, "")]

STEPS: dict[str, Callable[[GoogleDriveFileSystem], object]] = {
    "write a new file": lambda fs: fs.pipe_file("/new", b"content"),
    "replace a file": lambda fs: fs.pipe_file("/d/f", b"content"),
    "send a large file": lambda fs: fs.pipe_file("/large", b"x" * LARGE),
    "replace by a large file": lambda fs: fs.pipe_file("/d/f", b"x" * LARGE),
    "make a folder": lambda fs: fs.mkdir("/e"),
    "move": lambda fs: fs.mv("/d/f", "/moved"),
    "copy": lambda fs: fs.cp_file("/d/f", "/copied"),
    "remove": lambda fs: fs.rm_file("/d/f"),
    "remove a tree": lambda fs: fs.rm("/d", recursive=True),
    "read": lambda fs: fs.cat_file("/d/f"),
    "list": lambda fs: fs.ls("/d"),
}


def tree_of(fs: GoogleDriveFileSystem) -> dict[str, bytes | None]:
    found = fs.find("/", withdirs=True, detail=True)
    return {path: fs.cat_file(path) if info["type"] == "file" else None for path, info in found.items()}


def prepared(opening: Opening, **options: object) -> GoogleDriveFileSystem:
    fs = opening(**options)
    fs.pipe_file("/d/f", b"old")
    return fs


@pytest.mark.parametrize("step", STEPS)
def test_what_is_refused_for_a_moment_is_asked_again(step: str, opening: Opening, server: DriveServer) -> None:
    calm, busy = prepared(opening, root_folder="calm"), prepared(opening, root_folder="busy")
    STEPS[step](calm)
    server.refusals[:] = [Refusal(*BUSY[len(step) % len(BUSY)])]
    STEPS[step](busy)
    assert server.refusals == []
    assert tree_of(busy) == tree_of(calm)
    for fs in (calm, busy):
        fs.rm("/", recursive=True)


@pytest.mark.parametrize("lost", range(1, 5))
@pytest.mark.parametrize("step", STEPS)
def test_what_was_done_without_a_reply_is_not_done_twice(
    step: str, lost: int, opening: Opening, server: DriveServer
) -> None:
    """The reply to the first, second, … request does not come, and the connection breaks."""
    calm, broken = prepared(opening, root_folder="calm"), prepared(opening, root_folder="broken")
    owner = Owner(server, broken)
    STEPS[step](calm)
    server.lose_reply(lost)
    STEPS[step](broken)
    server.lost_replies.clear()
    broken.invalidate_cache()
    assert tree_of(broken) == tree_of(calm)
    for path in sorted(set(broken.find("/", withdirs=True)) - {"/"}):
        assert len(owner.at(path)) == 1
    for fs in (calm, broken):
        fs.rm("/", recursive=True)


def test_a_service_that_stays_busy_is_given_up(opening: Opening, server: DriveServer) -> None:
    fs = prepared(opening, attempts=2)
    server.refusals[:] = [Refusal(*LIMIT) for _ in range(9)]
    with pytest.raises(OSError) as caught:
        fs.cat_file("/d/f")
    assert caught.value.errno == errno.EBUSY
    assert "asked too often" in str(caught.value)
    assert caught.value.filename == "/d/f"
    assert len(server.refusals) == 7


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        (403, "storageQuotaExceeded", errno.ENOSPC),
        (403, "insufficientFilePermissions", errno.EACCES),
        (403, "dailyLimitExceeded", errno.EACCES),
        (400, "invalid", errno.EINVAL),
    ],
)
def test_what_stays_refused_is_not_asked_again(
    status: int, reason: str, code: int, opening: Opening, server: DriveServer
) -> None:
    fs = prepared(opening)
    server.refusals[:] = [Refusal(status, reason)]
    with pytest.raises(OSError) as caught:
        fs.pipe_file("/d/f", b"new")
    assert caught.value.errno == code
    assert reason in str(caught.value)
    assert fs.cat_file("/d/f") == b"old"


def test_an_old_token_is_renewed(opening: Opening, server: DriveServer) -> None:
    fs = prepared(opening)
    server.accounts.expire_tokens()
    assert fs.cat_file("/d/f") == b"old"
    server.accounts.expire_tokens()
    fs.pipe_file("/d/f", b"x" * LARGE)
    assert fs.info("/d/f")["size"] == LARGE


def test_a_writer_that_fails_leaves_nothing(opening: Opening, server: DriveServer) -> None:
    fs = prepared(opening)
    owner = Owner(server, fs)
    unfinished = server.unfinished

    class Unhappy(Exception):  # noqa: N818 - the name says enough
        pass

    def write() -> None:
        with fs.transaction, fs.open("/d/f", "wb") as file:
            file.write(b"x" * LARGE)
            raise Unhappy

    with pytest.raises(Unhappy):
        write()
    assert owner.one("/d/f").content == b"old"
    assert server.unfinished == unfinished


def test_a_file_that_is_replaced_while_another_is_sent(opening: Opening, server: DriveServer) -> None:
    """Two who write one file in parts: one of them is there at the end, whole."""
    fs, other = prepared(opening), opening()
    with fs.open("/d/f", "wb") as file:
        file.write(b"1" * LARGE)
        other.pipe_file("/d/f", b"2")
    (found,) = Owner(server, fs).at("/d/f")
    assert found.content in (b"2", b"1" * LARGE)
