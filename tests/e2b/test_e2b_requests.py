"""What is asked of the service, what happens when it refuses, and what is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.e2b import Change, E2BFileSystem
from tests.e2b.server.cloud import Refusal
from tests.e2b.service import Service

CONTENT = bytes(range(256)) * 4096
"""1 MiB."""


@pytest.fixture
def root(fs: E2BFileSystem) -> Path:
    """Where the files are on this machine."""
    fs.ls("/")
    return Path(fs._shown.root)


@contextmanager
def counted(service: Service) -> Iterator[Counter[str]]:
    """The requests of a block, by the last part of their path."""
    before, made = service.cloud.requests.copy(), Counter[str]()
    yield made
    for name, number in (service.cloud.requests - before).items():
        made[name.rpartition("/")[2]] += number


ASKED: dict[str, tuple[Callable[[E2BFileSystem], Any], dict[str, int]]] = {
    "write": (lambda fs: fs.pipe_file("/new", b"1"), {"Stat": 1, "files": 1, "Move": 1}),
    "read": (lambda fs: fs.cat_file("/f"), {"files": 1}),
    "range": (lambda fs: fs.cat_file("/f", 10, 20), {"files": 1}),
    "info": (lambda fs: fs.info("/f"), {"Stat": 1}),
    "ls": (lambda fs: fs.ls("/"), {"ListDir": 1}),
    "ls with links": (lambda fs: fs.ls("/links"), {"Stat": 4, "ListDir": 1, "Start": 1}),
    "find": (lambda fs: fs.find("/d"), {"Stat": 1, "ListDir": 1}),
    "copy": (lambda fs: fs.cp_file("/f", "/g"), {"Stat": 1, "Start": 1, "Move": 1}),
    "move": (lambda fs: fs.posix.rename("/f", "/g"), {"Stat": 2, "Start": 1}),
    "chmod": (lambda fs: fs.posix.chmod("/f", 0o600), {"Stat": 1, "Start": 1}),
    "rm_file": (lambda fs: fs.rm_file("/f"), {"Start": 1}),
    "mkdir": (lambda fs: fs.mkdir("/e"), {"Start": 1}),
}


@pytest.mark.parametrize("what", ASKED)
def test_how_much_is_asked(what: str, service: Service, fs: E2BFileSystem) -> None:
    fs.pipe({"/f": CONTENT, "/d/f": b""})
    fs.mkdir("/links")
    for number in range(3):
        fs.posix.symlink("../f", f"/links/{number}")
    fs.invalidate_cache()
    act, expected = ASKED[what]
    with counted(service) as made:
        act(fs)
    assert made == expected


def test_ranges_are_ranges(fs: E2BFileSystem) -> None:
    fs.pipe_file("/f", CONTENT)
    assert fs.cat_file("/f", 1000, 1010) == CONTENT[1000:1010]
    assert fs.cat_file("/f", len(CONTENT) - 3) == CONTENT[-3:]
    assert fs.cat_file("/f", len(CONTENT), len(CONTENT) + 5) == b""
    with fs.open("/f", "rb") as file:
        file.seek(700_000)
        assert file.read(7) == CONTENT[700_000:700_007]


@pytest.mark.parametrize(("status", "words"), [(500, "oh"), (503, "slow down"), (429, "too many"), (502, "lost")])
def test_what_passes_is_tried_again(status: int, words: str, service: Service, fs: E2BFileSystem) -> None:
    fs.pipe_file("/f", b"old")
    for act in (lambda: fs.pipe_file("/f", b"new"), lambda: fs.info("/f"), lambda: fs.cat_file("/f")):
        service.cloud.refusals.extend([Refusal(status, words)] * 2)
        act()
        assert service.cloud.refusals == []
    assert fs.cat_file("/f") == b"new"


def test_what_stays_is_told(service: Service, fs: E2BFileSystem, root: Path) -> None:
    fs.pipe_file("/f", b"old")
    service.cloud.refusals.append(Refusal(507, "no space", "/files"))
    with pytest.raises(OSError) as caught:
        fs.pipe_file("/f", b"new")
    assert caught.value.errno == errno.ENOSPC
    assert fs.cat_file("/f") == b"old"
    assert os.listdir(root) == ["f"]


def test_a_large_file_is_whole_or_not_there(fs: E2BFileSystem, root: Path) -> None:
    data = os.urandom(1 << 20) * 20
    with fs.open("/big", "wb") as file:
        for start in range(0, len(data), 3_000_000):
            file.write(data[start : start + 3_000_000])
            assert not (root / "big").exists()
    assert (root / "big").read_bytes() == data
    with suppress(InterruptedError), fs.open("/big", "wb") as file:
        file.write(data)
        raise InterruptedError
    assert os.listdir(root) == ["big"]
    fs.get_file("/big", str(root / "copy"))
    assert (root / "copy").read_bytes() == data


def test_an_upload_that_is_refused(service: Service, fs: E2BFileSystem, root: Path) -> None:
    fs.pipe_file("/f", b"old")
    service.cloud.refusals.append(Refusal(500, "oh", "/files"))
    with pytest.raises(OSError), fs.open("/f", "wb") as file:
        file.write(CONTENT * 20)
    assert fs.cat_file("/f") == b"old"
    assert os.listdir(root) == ["f"]


def test_replacing_keeps_the_permissions(fs: E2BFileSystem, root: Path) -> None:
    fs.pipe_file("/run.sh", b"#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    fs.pipe_file("/run.sh", b"#!/bin/sh\necho hello\n")
    assert fs.run(["./run.sh"]).stdout == "hello\n"


def test_what_others_left_behind_goes(fs: E2BFileSystem, root: Path) -> None:
    old, young, timeless = (root / (".chuk-tmp-" + digit * 16) for digit in "012")
    for file in (old, young, timeless):
        file.write_bytes(b"half")
    os.utime(old, (1, 1))
    os.utime(timeless, (0, 0))
    assert fs.ls("/") == []
    assert set(os.listdir(root)) == {young.name, timeless.name}
    with pytest.raises(OSError) as caught:
        fs.cat_file(f"/{young.name}")
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("ahead", [-10_000, 10_000])
def test_how_old_that_is_the_clock_of_the_sandbox_says(
    ahead: int, fs: E2BFileSystem, root: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.cloud, "ahead", ahead)
    old, young = (root / (".chuk-tmp-" + digit * 16) for digit in "01")
    for file, age in ((old, 3700), (young, 3500)):
        file.write_bytes(b"half")
        made = time.time() + ahead - age
        os.utime(file, (made, made))
    assert fs.ls("/") == []
    assert os.listdir(root) == [young.name]


def test_an_empty_directory_is_removed_and_no_other(fs: E2BFileSystem) -> None:
    fs.pipe_file("/d/f", b"")
    with pytest.raises(OSError) as caught:
        fs.rmdir("/d")
    assert caught.value.errno == errno.ENOTEMPTY
    fs.rm_file("/d/f")
    fs.rmdir("/d")
    assert fs.ls("/") == []


def test_permissions_and_times(fs: E2BFileSystem, root: Path) -> None:
    fs.pipe_file("/d/f", b"content")
    fs.posix.symlink("d/f", "/link")
    fs.posix.chmod("/link", 0o4750)
    fs.posix.utime("/link", ns=(0, 1_600_000_000_500_000_000))
    status = (root / "d/f").stat()
    assert (status.st_mode & 0o7777, status.st_mtime) == (0o4750, 1_600_000_000.5)
    assert fs.info("/d/f")["mode"] & 0o7777 == fs.ls("/d")[0]["mode"] & 0o7777 == 0o4750
    fs.posix.utime("/link", ns=(0, 0), follow_symlinks=False)
    assert ((root / "link").lstat().st_mtime, fs.info("/d/f")["mtime"]) == (0, 1_600_000_000.5)
    fs.posix.chmod("/d", 0o2775)
    fs.posix.chmod("/d", 0o755)
    assert (root / "d").stat().st_mode & 0o7777 == 0o755
    with pytest.raises(FileNotFoundError):
        fs.posix.chmod("/missing", 0o600)


def test_a_directory_that_is_gone_is_not_made_by_a_move(fs: E2BFileSystem, root: Path) -> None:
    fs.pipe({"/f": b"content", "/d/g": b""})
    shutil.rmtree(root / "d")
    with pytest.raises(FileNotFoundError):
        fs.posix.rename("/f", "/d/f")
    assert os.listdir(root) == ["f"]


def test_links_of_programs_are_links(fs: E2BFileSystem, root: Path) -> None:
    fs.pipe_file("/d/f", b"content")
    for name, text in {"near": "d/f", "absolute": f"{root}/d/f", "nowhere": "missing", "out": "/nowhere"}.items():
        (root / name).symlink_to(text)
    shown = {info["name"]: info["destination"] for info in fs.ls("/") if info["islink"]}
    assert shown == {"/near": "d/f", "/absolute": "/d/f", "/nowhere": "missing", "/out": "/nowhere"}
    assert (fs.info("/absolute")["type"], fs.cat_file("/absolute")) == ("file", b"content")
    assert fs.find("/") == ["/absolute", "/d/f", "/near", "/nowhere", "/out"]
    fs.pipe_file("/near", b"written through")
    assert (root / "d/f").read_bytes() == b"written through"
    for name in ("near", "nowhere"):
        fs.rm_file(f"/{name}")
    assert sorted(os.listdir(root)) == ["absolute", "d", "out"]


def test_links_are_made_as_programs_read_them(fs: E2BFileSystem, root: Path) -> None:
    fs.pipe_file("/d/f", b"content")
    fs.posix.symlink("/d/f", "/absolute")
    fs.posix.symlink("$(id); 'd' --", "/odd")
    assert fs.run(["cat", "absolute"]).stdout == "content"
    assert os.readlink(root / "odd") == fs.posix.readlink("/odd") == "$(id); 'd' --"
    with pytest.raises(FileExistsError):
        fs.posix.symlink("f", "/odd")


def test_metadata(fs: E2BFileSystem) -> None:
    fs.pipe_file("/f", b"", metadata={"kind": "note"})
    assert fs.info("/f")["metadata"] == {"kind": "note"}


def test_signed_urls(fs: E2BFileSystem) -> None:
    fs.pipe_file("/f", b"content")
    with urllib.request.urlopen(fs.sign("/f", expiration=60)) as answer:
        assert answer.read() == b"content"


def test_changes_are_heard_of(fs: E2BFileSystem, root: Path) -> None:
    fs.mkdir("/d")
    heard: list[Change] = []
    written, removed = threading.Event(), threading.Event()

    def on_change(change: Change) -> None:
        heard.append(change)
        (removed if change.kind == "remove" else written).set()

    with fs.watch("/d", on_change, recursive=True):
        fs.pipe_file("/d/f", b"content")
        assert written.wait(10)
        (root / "d/f").unlink()
        assert removed.wait(10)
    assert {change.path for change in heard} == {"/d/f"}
    with pytest.raises(FileNotFoundError):
        fs.watch("/nowhere", on_change)
