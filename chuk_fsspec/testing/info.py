"""Info dicts: one shape, from everything that returns one."""

from __future__ import annotations

import json
import stat
import time
from datetime import datetime, timezone

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.info import Info, mode_of
from chuk_fsspec.testing.checks import TICK
from chuk_fsspec.testing.needs import needs


class Infos:
    """``info``, and what ``ls``, ``find``, ``walk`` and ``glob`` say in its shape."""

    @pytest.fixture
    def file(self, fs: AbstractFileSystem, root: str) -> str:
        """A file of seven bytes."""
        fs.pipe_file(f"{root}/d/file", b"content")
        return f"{root}/d/file"

    def test_of_a_file(self, fs: AbstractFileSystem, file: str) -> None:
        info = fs.info(file)
        assert (info["name"], info["size"], info["type"]) == (file, 7, "file")
        assert stat.S_ISREG(mode_of(info))

    def test_of_a_directory(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        for path in (root, f"{root}/d", f"{root}/d/"):
            info = fs.info(path)
            assert (info["name"], info["size"], info["type"]) == (path.rstrip("/"), 0, "directory")
            assert stat.S_ISDIR(mode_of(info))

    def test_of_the_root(self, fs: AbstractFileSystem, root: str) -> None:
        for path in ("/", ""):
            info = fs.info(path)
            assert (info["name"], info["size"], info["type"]) == ("/", 0, "directory")

    def test_the_same_from_everywhere(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        info = fs.info(file)
        _, _, files = next(fs.walk(f"{root}/d", detail=True))
        _, directories, _ = next(fs.walk(root, detail=True))
        assert fs.ls(f"{root}/d") == [info]
        assert fs.ls(file) == [info]
        assert fs.stat(file) == info
        assert fs.find(root, detail=True) == {file: info}
        assert fs.find(file, detail=True) == {file: info}
        assert fs.glob(f"{root}/**/file", detail=True) == {file: info}
        assert files == {"file": info}
        assert directories == {"d": fs.info(f"{root}/d")}
        assert fs.ls(root) == [fs.info(f"{root}/d")]
        assert fs.find(root, withdirs=True, detail=True)[root] == fs.info(root)

    def test_keys_and_values_are_plain(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        kinds = {
            **dict.fromkeys(("name", "type", "destination", "etag"), str),
            **dict.fromkeys(("size", "mode", "ino", "nlink", "uid", "gid", "mtime_ns"), int),
            **dict.fromkeys(("mtime", "created", "atime", "ctime"), float),
            "islink": bool,
        }
        assert kinds.keys() == Info.__required_keys__ | Info.__optional_keys__
        for path in (file, root, "/"):
            info = fs.info(path)
            assert info.keys() >= Info.__required_keys__
            assert {key: type(value) for key, value in info.items() if key in kinds} == {
                key: kind for key, kind in kinds.items() if key in info
            }
            assert json.loads(json.dumps(info)) == info

    def test_a_dict_belongs_to_whoever_asked(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        fs.info(file)["size"] = 99
        for info in fs.ls(f"{root}/d"):
            info.clear()
        assert fs.info(file)["size"] == 7
        assert fs.ls(f"{root}/d")[0]["name"] == file

    @needs("modified_times")
    def test_times_are_those_of_the_writing(self, fs: AbstractFileSystem, root: str) -> None:
        before = time.time() - TICK
        fs.pipe_file(f"{root}/f", b"1")
        after = time.time() + TICK
        first = fs.info(f"{root}/f")
        assert before <= first["created"] <= after
        assert before <= first["mtime"] <= after
        time.sleep(TICK)
        fs.pipe_file(f"{root}/f", b"2")
        second = fs.info(f"{root}/f")
        assert second["mtime"] > first["mtime"]
        assert second["created"] <= second["mtime"]

    @needs("modified_times")
    def test_created_and_modified_agree_with_it(self, fs: AbstractFileSystem, file: str) -> None:
        info = fs.info(file)
        for found, expected in ((fs.created(file), info["created"]), (fs.modified(file), info["mtime"])):
            assert isinstance(found, datetime)
            assert found.tzinfo == timezone.utc
            assert found.timestamp() == pytest.approx(expected, abs=1e-5)

    @needs("etags")
    def test_etags_change_with_the_content_and_only_then(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        seen = [fs.info(file)["etag"]]
        for content in (b"other", b"content", b"", b"content"):
            fs.pipe_file(file, content)
            seen.append(fs.info(file)["etag"])
        with fs.open(file, "wb") as out:
            out.write(b"content")
        seen.append(fs.info(file)["etag"])
        assert len(set(seen)) == len(seen)
        fs.cat_file(file)
        fs.pipe_file(f"{root}/another", b"content")
        assert fs.info(file)["etag"] == seen[-1]

    @needs("etags", "attributes")
    def test_etags_do_not_change_with_attributes(self, fs: AbstractFileSystem, file: str) -> None:
        etag = fs.info(file)["etag"]
        fs.posix.chmod(file, 0o600)
        fs.posix.utime(file, ns=(1, 1))
        assert fs.info(file)["etag"] == etag

    @needs("etags", "rename")
    def test_a_new_file_under_an_old_name_has_a_new_etag(self, fs: AbstractFileSystem, file: str, root: str) -> None:
        etag = fs.info(file)["etag"]
        fs.rm_file(file)
        fs.pipe_file(file, b"content")
        assert fs.info(file)["etag"] != etag
        fs.pipe_file(f"{root}/other", b"content")
        etag = fs.info(file)["etag"]
        fs.mv(f"{root}/other", file + "2")
        fs.mv(file + "2", f"{root}/moved")
        assert fs.info(f"{root}/moved")["etag"] != etag

    def test_checksum_and_ukey_change_with_the_content_and_only_then(self, fs: AbstractFileSystem, file: str) -> None:
        first = fs.checksum(file), fs.ukey(file)
        fs.cat_file(file)
        assert (fs.checksum(file), fs.ukey(file)) == first
        time.sleep(0.01)
        fs.pipe_file(file, b"another")
        second = fs.checksum(file), fs.ukey(file)
        assert second[0] != first[0]
        assert second[1] != first[1]
        assert isinstance(first[0], int)
        assert isinstance(first[1], str)
