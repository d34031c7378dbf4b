"""The facade on every place for files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec import PreconditionFailed, VirtualFileSystem
from tests.facade.facade_kinds import PLAIN, error_of, fs, full, open_facade, tree

__all__ = ["fs", "full", "tree"]

# ---- content


def test_what_is_written_is_read(fs: VirtualFileSystem) -> None:
    fs.write_file("/a/b/text", "blåbær\r\n")
    fs.write_binary("/a/binary", bytes(range(256)))
    assert fs.read_file("/a/b/text") == "blåbær\r\n"
    assert fs.read_file("/a/b/text", as_text=False) == "blåbær\r\n".encode()
    assert fs.read_binary("/a/binary") == bytes(range(256))
    fs.write_file("/a/b/text", bytearray(b"new"))
    assert fs.read_text("/a/b/text") == "new"
    fs.write_text("/latin", "ø", encoding="latin-1")
    assert fs.read_binary("/latin") == b"\xf8"
    assert fs.read_text("/latin", "latin-1") == "ø"


def test_nobody_overwrites_what_he_has_not_seen(full: VirtualFileSystem) -> None:
    etag = full.write_file("/f", "1", if_none_match="*")
    assert etag is not None
    with pytest.raises(FileExistsError):
        full.write_text("/f", "2", if_none_match="*")
    full.write_binary("/f", b"3", if_match=etag)
    for call in (
        lambda: full.write_file("/f", "4", if_match=etag),
        lambda: full.stream_write("/f", [b"5"], if_match=etag),
    ):
        with pytest.raises(PreconditionFailed) as refused:
            call()
        assert refused.value.filename == "/f"
    assert full.read_file("/f") == "3"
    found = full.get_node_info("/f")
    assert found is not None
    assert full.stream_write("/f", [b"6"], if_match=found.etag).etag != etag


@pytest.mark.parametrize("kind", PLAIN)
def test_conditions_are_not_ignored(kind: str, tmp_path: Path) -> None:
    fs = open_facade(kind, tmp_path)
    for call in (
        lambda: fs.write_file("/f", "x", if_none_match="*"),
        lambda: fs.stream_write("/f", [b"x"], if_none_match="*"),
    ):
        assert error_of(call) == errno.ENOTSUP
    assert not fs.exists("/f")


def test_what_is_no_text_says_so(fs: VirtualFileSystem) -> None:
    fs.write_binary("/binary", b"\xff\x00")
    with pytest.raises(UnicodeDecodeError, match="/binary is not utf-8 text: read_binary"):
        fs.read_file("/binary")
    assert fs.read_text("/binary", errors="replace") == "\ufffd\0"


def test_content_of_the_wrong_kind_is_refused(fs: VirtualFileSystem) -> None:
    with pytest.raises(TypeError, match="write_text"):
        fs.write_binary("/f", "text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="write_binary"):
        fs.write_text("/f", b"bytes")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not NoneType"):
        fs.write_file("/f", None)  # type: ignore[arg-type]
    assert not fs.exists("/f")


def test_reading_what_is_not_there_raises(fs: VirtualFileSystem) -> None:
    with pytest.raises(FileNotFoundError):
        fs.read_file("/missing")
    fs.write_file("/d/f", "")
    with pytest.raises(OSError):
        fs.read_file("/d")


def test_touch(full: VirtualFileSystem) -> None:
    full.touch("/d/f")
    assert full.read_binary("/d/f") == b""
    full.write_file("/d/f", "kept")
    before = full.get_node_info("/d/f")
    full.touch("/d/f")
    after = full.get_node_info("/d/f")
    assert full.read_file("/d/f") == "kept"
    assert before is not None
    assert after is not None
    assert before.modified_at is not None
    assert after.modified_at is not None
    assert after.modified_at >= before.modified_at


@pytest.mark.parametrize("kind", PLAIN)
def test_touch_where_times_cannot_be_set(kind: str, tmp_path: Path) -> None:
    fs = open_facade(kind, tmp_path)
    fs.touch("/f")
    assert error_of(fs.touch, "/f") == errno.ENOTSUP


# ---- directories


def test_directories(full: VirtualFileSystem) -> None:
    full.mkdir("/a/b/c")
    full.mkdir("/a/b/c")
    full.write_file("/a/file", "x")
    assert full.ls("/a") == ["b", "file"]
    assert (full.is_dir("/a/b"), full.is_file("/a/b"), full.is_file("/a/file")) == (True, False, True)
    assert error_of(full.mkdir, "/a/file") == errno.EEXIST
    assert error_of(full.mkdir, "/a/file/below") == errno.ENOTDIR
    assert error_of(full.ls, "/a/file") == errno.ENOTDIR
    assert error_of(full.rmdir, "/a/b") == errno.ENOTEMPTY
    assert error_of(full.rmdir, "/a/file") == errno.ENOTDIR
    full.rmdir("/a/b/c")
    assert full.ls("/a/b") == []


def test_listing_what_is_not_there_raises(fs: VirtualFileSystem) -> None:
    assert error_of(fs.ls, "/missing") == errno.ENOENT
    assert error_of(fs.rmdir, "/missing") == errno.ENOENT


def test_relative_paths(fs: VirtualFileSystem) -> None:
    fs.write_file("/home/user/f", "x")
    fs.cd("/home")
    fs.cd("user/")
    assert fs.pwd() == "/home/user"
    assert fs.ls() == ["f"]
    fs.cp("f", "../copy")
    assert fs.read_file("/home/copy") == "x"
    assert fs.resolve_path("./a//b/../c/") == "/home/user/a/c"
    assert fs.split_path("a") == ("/home/user", "a")
    assert fs.split_path("/") == ("/", "")
    assert error_of(fs.cd, "missing") == errno.ENOENT
    assert error_of(fs.cd, "f") == errno.ENOTDIR
    assert error_of(fs.cd, "../../..") == errno.EINVAL
    assert fs.pwd() == "/home/user"
    fs.cd()
    assert fs.pwd() == "/"


# ---- copying, moving, removing


def test_copying(fs: VirtualFileSystem) -> None:
    fs.batch_write_files({"/d/a": "1", "/d/s/b": "2"})
    fs.cp("/d", "/copy")
    assert fs.read_file("/copy/s/b") == "2"
    fs.cp("/d", "/copy")
    assert fs.read_file("/copy/d/a") == "1"
    fs.cp("/d/a", "/new/")
    assert fs.read_file("/new/a") == "1"
    fs.write_file("/d/a", "newer")
    fs.cp("/d/a", "/new/a")
    assert fs.read_file("/new/a") == "newer"
    assert error_of(fs.cp, "/missing", "/x") == errno.ENOENT
    assert error_of(fs.cp, "/d", "/d/s/inside") == errno.EINVAL
    assert error_of(fs.cp, "/d/a", "/d/a") == errno.EINVAL
    assert error_of(fs.cp, "/d", "/new/a") == errno.ENOTDIR
    assert fs.read_file("/d/a") == "newer"


def test_copying_keeps_empty_directories_and_links(full: VirtualFileSystem) -> None:
    full.mkdir("/d/empty")
    full.write_file("/d/f", "x")
    full.fs.posix.symlink("f", "/d/link")
    full.fs.posix.symlink("nowhere", "/d/broken")
    full.cp("/d", "/copy")
    assert full.ls("/copy") == ["broken", "empty", "f", "link"]
    assert full.fs.posix.readlink("/copy/broken") == "nowhere"
    assert full.read_file("/copy/link") == "x"


def test_moving(tree: VirtualFileSystem) -> None:
    tree.batch_write_files({"/d/a": "1", "/d/s/b": "2", "/f": "3"})
    tree.mv("/d", "/e")
    assert not tree.exists("/d")
    assert tree.find(path="/e") == ["/e/a", "/e/s", "/e/s/b"]
    tree.mv("/f", "/e")
    assert tree.read_file("/e/f") == "3"
    tree.mv("/e/f", "/e/a")
    assert tree.read_file("/e/a") == "3"
    tree.mv("/e/a", "/e/a")
    assert tree.read_file("/e/a") == "3"
    assert error_of(tree.mv, "/missing", "/x") == errno.ENOENT
    assert error_of(tree.mv, "/e", "/e/s/inside") == errno.EINVAL
    assert tree.read_file("/e/s/b") == "2"


def test_removing(full: VirtualFileSystem) -> None:
    full.batch_write_files({"/d/a": "1", "/d/s/b": "2"})
    full.mkdir("/empty")
    full.rm("/d/a")
    full.rm("/empty")
    assert error_of(full.rm, "/d") == errno.ENOTEMPTY
    assert full.read_file("/d/s/b") == "2"
    full.rm("/d", recursive=True)
    assert full.ls("/") == []
    assert error_of(full.rm, "/d") == errno.ENOENT
    assert error_of(full.rm, "/", recursive=True) == errno.EBUSY


def test_a_directory_that_is_not_empty_stays(tree: VirtualFileSystem) -> None:
    tree.write_file("/d/a", "1")
    assert error_of(tree.rm, "/d") == errno.ENOTEMPTY
    assert error_of(tree.rmdir, "/d") == errno.ENOTEMPTY
    tree.rm("/d", recursive=True)
    assert not tree.exists("/d/a")
    assert error_of(tree.rm, "/d/a") == errno.ENOENT


def test_stars_are_letters(full: VirtualFileSystem) -> None:
    full.batch_write_files({"/ab": "1", "/ac": "2"})
    for call in (full.rm, full.read_file):
        assert error_of(call, "/a*") == errno.ENOENT
    for two in (full.cp, full.mv):
        assert error_of(two, "/a*", "/d/") == errno.ENOENT
    assert full.ls() == ["ab", "ac"]
    full.write_file("/a*", "star")
    full.cp("/a*", "/copy?")
    full.mv("/a*", "/d/[x]")
    assert (full.read_file("/copy?"), full.batch_read_files(["/d/[x]"])) == ("star", {"/d/[x]": b"star"})
    full.rm("/copy?")
    full.batch_delete_paths(["/d/[x]"])
    assert full.find() == ["/ab", "/ac", "/d"]


def test_removing_a_link_leaves_what_it_leads_to(full: VirtualFileSystem) -> None:
    full.write_file("/d/f", "x")
    full.fs.posix.symlink("/d", "/link")
    assert error_of(full.rmdir, "/link") == errno.ENOTDIR
    full.rm("/link", recursive=True)
    assert full.find() == ["/d", "/d/f"]


# ---- finding


def test_finding(fs: VirtualFileSystem) -> None:
    fs.batch_write_files({"/src/a.py": "", "/src/lib/b.py": "", "/src/lib/c.txt": ""})
    assert fs.find("*.py") == ["/src/a.py", "/src/lib/b.py"]
    assert fs.find("*.py", path="/src", recursive=False) == ["/src/a.py"]
    assert fs.find("lib", "/src") == ["/src/lib"]
    assert fs.find("/src", recursive=False) == ["/src/a.py", "/src/lib"]
    assert fs.find("/src", False) == ["/src/a.py", "/src/lib"]
    assert fs.find("lib/*", path="/src") == ["/src/lib/b.py", "/src/lib/c.txt"]
    assert fs.find("src/**/*.py") == ["/src/a.py", "/src/lib/b.py"]
    fs.cd("/src/lib")
    assert fs.find("*") == ["/src/lib/b.py", "/src/lib/c.txt"]
    assert fs.find("*.py", path="b.py") == ["/src/lib/b.py"]
    assert error_of(fs.find, "*", "/missing") == errno.ENOENT


def test_searching(fs: VirtualFileSystem) -> None:
    fs.batch_write_files(
        {
            "/src/a.py": "import os\n\nprint(os.name)\r\n",
            "/src/lib/b.py": "no\nIMPORT os",
            "/src/binary": b"\0import os",
            "/src/long": "x" * 200_000 + " import os\nimport os",
        }
    )
    assert fs.search("/src", "import os") == [("/src/a.py", 1, "import os"), ("/src/long", 2, "import os")]
    assert fs.search("/src/a.py", "os.name") == [("/src/a.py", 3, "print(os.name)")]
    assert fs.search("/src", "os.name", recursive=False)[0].line_number == 3
    assert fs.search("/src", "^import", ignore_case=True, regex=True)[1] == ("/src/lib/b.py", 2, "IMPORT os")
    assert fs.search("/src/lib", "a.c") == []
    assert len(fs.search("/src", "os", limit=1)) == 1
    assert error_of(fs.search, "/missing", "x") == errno.ENOENT
    for pattern, options in (("", {}), ("(", {"regex": True}), ("x", {"limit": 0})):
        with pytest.raises(ValueError, match=r"pattern|limit"):
            fs.search("/src", pattern, **options)


# ---- many at once


def test_batches(full: VirtualFileSystem) -> None:
    full.cd("/")
    specs: list[dict[str, Any]] = [
        {"path": "d/a", "content": "1", "metadata": {"k": 1}},
        {"path": "/d/b", "content": b"2"},
        {"path": "c"},
    ]
    assert full.batch_create_files(specs) == ["/d/a", "/d/b", "/c"]
    assert full.get_metadata("/d/a")["custom_meta"] == {"k": 1}
    assert full.batch_read_files(["d/a", "/d/b"]) == {"d/a": b"1", "/d/b": b"2"}
    assert full.batch_read_files(["c"], as_text=True) == {"c": ""}
    assert full.batch_write_files({"d/a": "3"}) == ["/d/a"]
    assert full.batch_write_files({}) == []
    assert full.batch_delete_paths(["/d", "/d/a", "/d/b"]) == ["/d", "/d/a", "/d/b"]
    assert full.ls() == ["c"]


def test_bad_batches_change_nothing(fs: VirtualFileSystem) -> None:
    fs.write_file("/a", "old")
    with pytest.raises(TypeError, match="/b: content must be bytes"):
        fs.batch_write_files({"/a": "new", "/b": 3})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"file_specs\[1\]"):
        fs.batch_create_files([{"path": "/a", "content": "new"}, {"path": "/b", "contents": "x"}])
    assert error_of(fs.batch_delete_paths, ["/a", "/missing"]) == errno.ENOENT
    assert error_of(fs.batch_read_files, ["/a", "/missing"]) == errno.ENOENT
    assert fs.find() == ["/a"]
    assert fs.read_file("/a") == "old"


# ---- streams


def test_streams(full: VirtualFileSystem) -> None:
    told: list[tuple[int, int]] = []
    result = full.stream_write(
        "/d/f", iter([b"x" * 10, b"", b"y" * 30_000]), progress_callback=lambda *one: told.append(one), author="Ada"
    )
    assert (result.path, result.bytes) == ("/d/f", 30_010)
    assert told[0] == (8192, -1) or told[0] == (10, -1)
    assert told[-1] == (30_010, -1)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert full.get_metadata("/d/f")["custom_meta"] == {"author": "Ada"}
    pieces = list(full.stream_read("/d/f", chunk_size=20_000))
    assert [len(piece) for piece in pieces] == [20_000, 10_010]


def test_a_stream_that_fails_leaves_what_was_there(fs: VirtualFileSystem) -> None:
    fs.write_file("/f", "old")

    def failing() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionError

    for path in ("/f", "/g"):
        with pytest.raises(ConnectionError):
            fs.stream_write(path, failing())
    assert fs.read_file("/f") == "old"
    assert fs.find() == ["/f"]
    fs.stream_write("/f", [])
    assert fs.read_binary("/f") == b""


# ---- care


def test_cleanup_empties_tmp(full: VirtualFileSystem) -> None:
    assert full.cleanup() == {"files_removed": 0, "bytes_freed": 0}
    full.batch_write_files({"/tmp/a": "123", "/tmp/d/b": "4", "/tmpfile": "5"})
    assert full.cleanup() == {"files_removed": 2, "bytes_freed": 4}
    assert full.find() == ["/tmp", "/tmpfile"]


def test_a_closed_one_says_so(fs: VirtualFileSystem) -> None:
    fs.close()
    fs.close()
    for call in (fs.ls, lambda: fs.write_file("/f", ""), lambda: fs.stream_read("/f"), fs.list_mounts):
        with pytest.raises(ValueError, match="closed"):
            call()
    assert "closed" in repr(fs)


def test_notebooks_show_a_tree(fs: VirtualFileSystem) -> None:
    fs.write_file("/d/<f>", "x")
    assert "&lt;f&gt;  1" in fs._repr_html_()
    assert fs.tree("/d") == "/d\n    <f>  1"
    assert error_of(fs.tree, "/d/<f>") == errno.ENOTDIR
