"""Names that no system can have, and databases that break the rules: nothing leads astray, hangs or crashes."""

from __future__ import annotations

import errno
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.agentfs import names
from chuk_fsspec.contract.paths import check_name
from tests.agentfs.agentfs_files import CHUNK, DIRECTORY, FILE, LINK, Maker, pattern


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    maker = Maker(tmp_path / "agent.db")
    maker.file("good", b"good")
    yield maker
    maker.close()


# ---- names

ODD = {
    "": "%",
    ".": "%2E",
    "..": "%2E%2E",
    "/": "%2F",
    "../../etc/passwd": "..%2F..%2Fetc%2Fpasswd",
    "n\0ul": "n%00ul",
    "50%/day": "50%25%2Fday",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_shown_under_others(maker: Maker, name: str) -> None:
    maker.file(name, b"odd")
    fs = maker.open()
    path = f"/{ODD[name]}"
    assert fs.ls("/", detail=False) == sorted([path, "/good"])
    assert fs.cat(path) == b"odd"
    assert fs.find("/") == sorted([path, "/good"])
    assert fs.posix.stat(path).st_size == 3


def test_odd_directories_are_entered_by_the_shown_name_only(maker: Maker) -> None:
    up = maker.directory("..")
    maker.file("inside", b"inside", up)
    slash = maker.directory("a/b")
    maker.file("c", b"c", slash)
    fs = maker.open()
    assert fs.cat("/%2E%2E/inside") == b"inside"
    assert fs.cat("/a%2Fb/c") == b"c"
    assert not fs.exists("/a/b/c")
    assert not fs.exists("/inside")
    with pytest.raises(OSError):
        fs.cat("/../inside")
    nodes = fs.posix.nodes
    for name in ("..", ".", "", "a/b", "n\0ul"):
        assert nodes.lookup(nodes.root, name) is None


def test_long_names_are_cut(maker: Maker) -> None:
    first, second = "x" * 5000 + "1", "x" * 5000 + "2"
    maker.file(first, b"1")
    maker.file(second, b"2")
    maker.file("é" * 128, b"accents")
    maker.file("y" * 255, b"as it is")
    fs = maker.open()
    listed = fs.ls("/", detail=False)
    assert len(listed) == 5
    assert all(len(path.encode()) <= 256 for path in listed)
    assert sorted(fs.cat(path) for path in listed) == [b"1", b"2", b"accents", b"as it is", b"good"]
    assert fs.cat("/" + "y" * 255) == b"as it is"


def test_a_shown_name_never_hides_a_real_one(maker: Maker, caplog: pytest.LogCaptureFixture) -> None:
    maker.file("%2E%2E", b"real")
    maker.file("..", b"odd")
    fs = maker.open()
    with caplog.at_level(logging.WARNING):
        assert fs.ls("/", detail=False) == ["/%2E%2E", "/good"]
    assert fs.cat("/%2E%2E") == b"real"
    assert "is left out" in caplog.text
    assert len(fs.left_out()) == 1


def test_names_that_only_look_odd_stay(maker: Maker) -> None:
    for name in ("...", "%", "%2F", "a%zz", "-", "~", "a\\b", "new\nline", "\x7f", "e\u0301", "\u00e9", "日本", "*?["):
        maker.file(name, name.encode())
    fs = maker.open()
    for path in fs.find("/"):
        assert path == "/good" or fs.cat_file(path) == path[1:].encode()
    assert len(fs.find("/")) == 14


def test_names_that_are_not_utf8(maker: Maker) -> None:
    ino = maker.inode(FILE)
    maker.run("INSERT INTO fs_dentry (name, parent_ino, ino) VALUES (CAST(? AS TEXT), 1, ?)", b"\xff\xfe", ino)
    fs = maker.open()
    assert fs.ls("/", detail=False) == ["/good", "/\udcff\udcfe"]
    assert fs.info("/\udcff\udcfe")["ino"] == ino


@given(st.text(max_size=400))
def test_every_name_is_shown_as_one_that_can_be(name: str) -> None:
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    shown = names.shown(name)
    assert check_name(shown) == shown
    assert (shown == name) == names.is_sayable(name)
    assert names.shown(shown) == shown


# ---- entries and inodes


def refused(maker: Maker, name: str, reason: str) -> None:
    """An entry that is not listed, and an error for whoever asks for it."""
    fs = maker.open()
    assert fs.ls("/", detail=False) == ["/good"]
    assert fs.find("/", withdirs=True) == ["/", "/good"]
    with pytest.raises(OSError, match=reason) as caught:
        fs.info(f"/{name}")
    assert caught.value.errno == errno.EIO
    (left_out,) = fs.left_out()
    assert left_out.path == f"/{name}"
    assert reason in left_out.reason
    assert fs.cat("/good") == b"good"


def test_an_entry_that_leads_to_nothing(maker: Maker) -> None:
    maker.entry(1, "bad", 999)
    refused(maker, "bad", "missing")


def test_an_entry_that_leads_to_the_root(maker: Maker) -> None:
    maker.entry(1, "bad", 1)
    refused(maker, "bad", "root")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("mode = 420", "kind of file"),
        ("mode = 'x'", "no number"),
        ("size = -1", "size"),
        ("size = 'x'", "size"),
        ("size = x''", "size"),
        ("uid = 'root'", "owner"),
        ("mtime = 'yesterday'", "time"),
        ("ctime = 9e999", "time"),
    ],
)
def test_attributes_that_mean_nothing(maker: Maker, columns: str, reason: str) -> None:
    ino = maker.file("bad", b"x")
    maker.run(f"UPDATE fs_inode SET {columns} WHERE ino = ?", ino)
    refused(maker, "bad", reason)


@pytest.mark.parametrize("target", [None, "", "a\0b", "x" * 5000, b"bytes"])
def test_links_without_a_good_target(maker: Maker, target: object) -> None:
    ino = maker.entry(1, "bad", maker.inode(LINK))
    if target is not None:
        maker.run("INSERT INTO fs_symlink VALUES (?, ?)", ino, target)
    refused(maker, "bad", "target")


@pytest.mark.parametrize(
    "columns",
    [
        "nlink = 0",
        "nlink = -5",
        "nlink = 99999999999",
        "mtime = 99999999999999",
        "mtime = -99999999999999",
        "mtime = 9223372036854775807, mtime_nsec = 9223372036854775807",
        "mtime_nsec = -1",
        "mtime = 1.5",
        "uid = -1, gid = 99999999999",
        "mode = mode | 67108864",
    ],
)
def test_attributes_out_of_range_are_brought_into_it(maker: Maker, columns: str) -> None:
    maker.run(f"UPDATE fs_inode SET {columns} WHERE ino = 2")
    fs = maker.open()
    info = fs.info("/good")
    assert info["nlink"] >= 1
    assert 0 <= info["uid"] < 2**32
    assert 0 <= info["gid"] < 2**32
    assert fs.modified("/good").year >= 1
    assert fs.created("/good").year >= 1
    with fs.posix.open_handle("/good") as handle:
        assert handle.pread(10, 0) == b"good"
        assert stat.S_ISREG(handle.stat().st_mode)


def test_a_name_that_is_no_text(maker: Maker) -> None:
    maker.entry(1, b"bytes", maker.inode(FILE))
    fs = maker.open()
    assert fs.find("/") == ["/good"]
    assert len(fs.left_out()) == 1


def test_entries_below_a_file(maker: Maker) -> None:
    maker.file("below", b"x", parent=2)
    fs = maker.open()
    assert fs.find("/") == ["/good"]
    with pytest.raises(NotADirectoryError):
        fs.cat("/good/below")


# ---- circles


def test_a_directory_inside_itself(maker: Maker) -> None:
    first = maker.directory("first")
    second = maker.directory("second", first)
    maker.entry(second, "again", first)
    maker.entry(second, "self", second)
    fs = maker.open()
    assert fs.find("/", withdirs=True) == ["/", "/first", "/first/second", "/good"]
    assert [top for top, _, _ in fs.walk("/")] == ["/", "/first", "/first/second"]
    for path in ("/first/second/again", "/first/second/again/second/again", "/first/second/self"):
        with pytest.raises(OSError, match="second name"):
            fs.info(path)
    assert len(fs.left_out()) == 2


def test_directories_with_two_names_do_not_multiply(maker: Maker) -> None:
    parent = 1
    maker.run("BEGIN")
    for _ in range(60):  # 2 ** 60 paths
        below = maker.inode(DIRECTORY)
        maker.entry(parent, "left", below)
        maker.entry(parent, "right", below)
        parent = below
    maker.run("COMMIT")
    fs = maker.open()
    assert len(fs.find("/", withdirs=True)) == 62
    assert sum(1 for _ in fs.walk("/")) == 61
    assert fs.isdir("/left/left")
    with pytest.raises(OSError, match="second name"):
        fs.info("/right")


def test_the_second_name_counts_when_the_first_is_gone(maker: Maker) -> None:
    ino = maker.directory("first")
    maker.entry(1, "second", ino)
    fs = maker.open()
    assert fs.ls("/", detail=False) == ["/first", "/good"]
    maker.run("DELETE FROM fs_dentry WHERE name = 'first'")
    assert fs.ls("/", detail=False) == ["/good", "/second"]


def test_directories_without_end(maker: Maker) -> None:
    parent = 1
    maker.run("BEGIN")
    for _ in range(5000):
        parent = maker.directory("d", parent)
    maker.run("COMMIT")
    fs = maker.open()
    assert len(fs.find("/", withdirs=True)) == 2048 + 2
    assert "deep" in fs.left_out()[0].reason


def test_a_circle_that_nothing_leads_to(maker: Maker) -> None:
    first, second = maker.inode(DIRECTORY), maker.inode(DIRECTORY)
    maker.entry(first, "second", second)
    maker.entry(second, "first", first)
    assert maker.open().find("/", withdirs=True) == ["/", "/good"]


# ---- content


def test_missing_chunks_are_zeros(maker: Maker) -> None:
    ino = maker.file("f", pattern(3 * CHUNK))
    maker.run("DELETE FROM fs_data WHERE ino = ? AND chunk_index = 1", ino)
    fs = maker.open()
    assert fs.cat("/f") == pattern(3 * CHUNK)[:CHUNK] + bytes(CHUNK) + pattern(3 * CHUNK)[2 * CHUNK :]
    assert fs.cat_file("/f", CHUNK + 1, CHUNK + 5) == bytes(4)


def test_short_chunks_end_in_zeros(maker: Maker) -> None:
    ino = maker.file("f", pattern(2 * CHUNK))
    maker.run("UPDATE fs_data SET data = ? WHERE ino = ? AND chunk_index = 0", b"short", ino)
    assert maker.open().cat("/f") == b"short" + bytes(CHUNK - 5) + pattern(2 * CHUNK)[CHUNK:]


def test_the_size_of_the_inode_counts(maker: Maker) -> None:
    ino = maker.file("f", pattern(2 * CHUNK))
    fs = maker.open()
    maker.run("UPDATE fs_inode SET size = 10 WHERE ino = ?", ino)
    assert fs.cat("/f") == pattern(10)
    maker.run("UPDATE fs_inode SET size = ? WHERE ino = ?", 3 * CHUNK, ino)
    assert fs.cat("/f") == pattern(2 * CHUNK) + bytes(CHUNK)


@pytest.mark.parametrize("data", [bytes(CHUNK + 1), "text", 5])
def test_chunks_that_are_none(maker: Maker, data: object) -> None:
    ino = maker.file("f", pattern(2 * CHUNK))
    maker.run("UPDATE fs_data SET data = ? WHERE ino = ? AND chunk_index = 1", data, ino)
    fs = maker.open()
    assert fs.cat_file("/f", 0, CHUNK) == pattern(CHUNK)
    with pytest.raises(OSError, match="chunk") as caught:
        fs.cat("/f")
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize("size", [2**40, 2**62, 2**63 - 1])
def test_a_size_without_content_is_a_hole_that_is_not_read_at_once(maker: Maker, size: int) -> None:
    ino = maker.file("f", b"start")
    maker.run("UPDATE fs_inode SET size = ? WHERE ino = ?", size, ino)
    fs = maker.open()
    assert fs.info("/f")["size"] == size
    assert fs.cat_file("/f", 0, 10) == b"start" + bytes(5)
    assert fs.cat_file("/f", size - 3) == bytes(3)
    with pytest.raises(OSError) as caught:
        fs.cat("/f")
    assert caught.value.errno == errno.EFBIG
    with fs.open("/f") as file:
        assert file.seek(-2, 2) == size - 2
        assert file.read() == bytes(2)
