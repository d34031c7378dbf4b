"""Paths: one normal form, whatever was typed, and the names it may hold."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.paths import NAME_MAX, PATH_MAX
from chuk_fsspec.testing.checks import fails_with, files_below, names_below
from chuk_fsspec.testing.needs import needs

TAKES_A_PATH: dict[str, Callable[[AbstractFileSystem, Any], Any]] = {
    "cat_file": lambda fs, path: fs.cat_file(path),
    "cp_from": lambda fs, path: fs.cp_file(path, "/x"),
    "info": lambda fs, path: fs.info(path),
    "ls": lambda fs, path: fs.ls(path),
    "mkdir": lambda fs, path: fs.mkdir(path),
    "makedirs": lambda fs, path: fs.makedirs(path, exist_ok=True),
    "mv_from": lambda fs, path: fs.mv(path, "/x"),
    "open_ab": lambda fs, path: fs.open(path, "ab").close(),
    "open_rb": lambda fs, path: fs.open(path, "rb"),
    "open_wb": lambda fs, path: fs.open(path, "wb").close(),
    "pipe_file": lambda fs, path: fs.pipe_file(path, b""),
    "rm": lambda fs, path: fs.rm(path),
    "rm_file": lambda fs, path: fs.rm_file(path),
    "rm_recursive": lambda fs, path: fs.rm(path, recursive=True),
    "rmdir": lambda fs, path: fs.rmdir(path),
    "touch": lambda fs, path: fs.touch(path),
}

ODD_NAMES = [
    " ",
    " lead and trail ",
    "...",
    "..a",
    ".hidden",
    "-rf",
    "~",
    "a:b",
    "a\\b",
    "a\nb",
    "100%",
    "%2e%2e",
    "#frag?query=1&x",
    "quote'\"`$(x)",
    "CON",
    "grün",
    "日本語",
    "🦀",
    "e\u0301",
    "x" * NAME_MAX,
    "ü" * (NAME_MAX // 2),
]
GLOB_NAMES = ["w[1].txt", "star*", "what?", "[", "**"]


class Paths:
    """The normal form, and its limits."""

    @pytest.mark.parametrize(
        "spelled",
        [
            "{root}/d/f",
            "{root}//d///f",
            "{root}/./d/./f",
            "{root}/d/f/",
            "{root}/x/../d/f",
            "{root}/d/../d/f/.",
            "/{root}/d/f",
            "{url}",
            "{bare}",
        ],
    )
    def test_every_spelling_is_the_same_file(self, fs: AbstractFileSystem, root: str, spelled: str) -> None:
        path = spelled.format(root=root, url=fs.unstrip_protocol(f"{root}/d/f"), bare=f"{root}/d/f"[1:])
        fs.pipe_file(path, b"content")
        assert fs.find(root) == [f"{root}/d/f"]
        assert fs.info(path)["name"] == f"{root}/d/f"
        assert fs.cat_file(path) == b"content"
        fs.rm_file(path)
        assert fs.find(root) == []

    def test_path_objects_are_paths(self, fs: AbstractFileSystem, root: str) -> None:
        path = PurePosixPath(root, "f")
        fs.pipe_file(path, b"content")
        assert fs.cat_file(path) == b"content"
        assert fs.info(path)["name"] == f"{root}/f"
        with fs.open(path, "rb") as file:
            assert file.read() == b"content"
        fs.cp_file(path, PurePosixPath(root, "g"))
        fs.mv(path, PurePosixPath(root, "h"))
        fs.rm(PurePosixPath(root, "g"))
        assert files_below(fs, root) == {"h": b"content"}

    def test_stripping_gives_the_normal_form_once_and_for_all(self, fs: AbstractFileSystem, root: str) -> None:
        for path in (root, f"{root}/a/", f"{root}//a/../b", fs.unstrip_protocol(f"{root}/x"), "/", "", "a"):
            normal = fs._strip_protocol(path)
            assert normal.startswith("/")
            assert normal == "/" or not normal.endswith("/")
            assert "//" not in normal
            assert fs._strip_protocol(normal) == normal
        assert fs._strip_protocol([f"{root}/a/", "/"]) == [f"{root}/a", "/"]
        assert fs._parent("/") == fs._parent("/a") == "/"
        assert fs._parent(f"{root}/a/b/") == f"{root}/a"

    @pytest.mark.parametrize("act", TAKES_A_PATH)
    @pytest.mark.parametrize("path", ["/..", "..", "/a/../..", "../etc/passwd", "/a/../../b"])
    def test_above_the_root_there_is_nothing(self, fs: AbstractFileSystem, act: str, path: str) -> None:
        with fails_with(errno.EINVAL, path):
            TAKES_A_PATH[act](fs, path)

    @pytest.mark.parametrize("act", TAKES_A_PATH)
    def test_nul_is_refused(self, fs: AbstractFileSystem, act: str) -> None:
        fs.exists("/x")  # so that a short cut to known directories is tested too
        with fails_with(errno.EINVAL, "/a\0b"):
            TAKES_A_PATH[act](fs, "/a\0b")

    @pytest.mark.parametrize("act", TAKES_A_PATH)
    def test_half_a_surrogate_pair_is_refused(self, fs: AbstractFileSystem, act: str) -> None:
        with pytest.raises(OSError) as caught:
            TAKES_A_PATH[act](fs, "/a\ud800b")
        assert caught.value.errno in (errno.EINVAL, errno.ENOENT)

    @pytest.mark.parametrize("act", TAKES_A_PATH)
    @pytest.mark.parametrize(
        "path", ["/" + "x" * (NAME_MAX + 1), "/" + "ü" * (NAME_MAX // 2 + 1), "/x" * (PATH_MAX // 2) + "/y"]
    )
    def test_what_is_too_long_is_refused(self, fs: AbstractFileSystem, act: str, path: str) -> None:
        fs.exists("/x")  # so that a short cut to known directories is tested too
        with fails_with(errno.ENAMETOOLONG, path):
            TAKES_A_PATH[act](fs, path)

    @pytest.mark.parametrize("path", ["/..", "/a\0b", "/" + "x" * (NAME_MAX + 1)])
    def test_two_paths_are_both_looked_at(self, fs: AbstractFileSystem, root: str, path: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        for act in (fs.cp_file, fs.mv, fs.copy):
            with pytest.raises(OSError) as caught:
                act(f"{root}/f", path)
            assert caught.value.errno in (errno.EINVAL, errno.ENAMETOOLONG)
        assert files_below(fs, root) == {"f": b"content"}

    def test_the_longest_path_works(self, fs: AbstractFileSystem, root: str) -> None:
        room = PATH_MAX - len(root)
        longest = root + "/x" * (room // 2 - 1) + "/" + "y" * (room % 2 + 1)
        assert len(longest) == PATH_MAX
        fs.pipe_file(longest, b"content")
        assert fs.cat_file(longest) == b"content"
        for act in (lambda path: fs.pipe_file(path, b""), fs.touch, lambda path: fs.cp_file(longest, path)):
            with fails_with(errno.ENAMETOOLONG):
                act(longest + "y")
        assert fs.find(root) == [longest]

    def test_the_root_has_one_name(self, fs: AbstractFileSystem, root: str) -> None:
        top = "/" + root.split("/")[1]
        fs.info(top[1:])
        for spelled in (top, "/" + top, top + "/", "/." + top, top[1:]):
            assert fs.info(spelled)["name"] == top
            assert fs.ls(spelled, detail=False) == fs.ls(top, detail=False)

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_are_names(self, fs: AbstractFileSystem, root: str, name: str) -> None:
        path = f"{root}/{name}"
        fs.pipe_file(path, b"1")
        with fs.open(path, "wb") as file:
            file.write(b"2")
        assert fs.cat_file(path) == b"2"
        assert fs.ls(root, detail=False) == [path]
        assert fs.info(path)["name"] == path
        fs.mv(path, f"{root}/plain")
        fs.cp_file(f"{root}/plain", f"{root}/d/{name}")
        assert fs.find(f"{root}/d") == [f"{root}/d/{name}"]
        fs.rm(f"{root}/d/{name}")
        assert files_below(fs, root) == {"plain": b"2"}

    @pytest.mark.parametrize("name", GLOB_NAMES)
    def test_patterns_are_names_to_whoever_takes_one_file(self, fs: AbstractFileSystem, root: str, name: str) -> None:
        path = f"{root}/{name}"
        fs.pipe_file(path, b"content")
        assert fs.cat_file(path) == b"content"
        assert fs.info(path)["name"] == path
        assert fs.isfile(path)
        with fs.open(path, "rb") as file:
            assert file.read() == b"content"
        fs.cp_file(path, f"{root}/copy")
        assert names_below(fs, root) == sorted([name, "copy"])
        fs.rm_file(path)
        assert names_below(fs, root) == ["copy"]

    def test_case_and_composition_matter(self, fs: AbstractFileSystem, root: str) -> None:
        names = ["A", "a", "e\u0301", "\u00e9"]
        for name in names:
            fs.pipe_file(f"{root}/{name}", name.encode())
        assert files_below(fs, root) == {name: name.encode() for name in names}

    @needs("directories")
    def test_a_name_and_the_start_of_another_are_two_things(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/ab": b"1", f"{root}/a/b": b"2"})
        fs.mkdir(f"{root}/abc")
        assert sorted(fs.ls(f"{root}/a", detail=False)) == [f"{root}/a/b"]
        fs.mv(f"{root}/a", f"{root}/z", recursive=True)
        assert names_below(fs, root) == ["ab", "abc", "z", "z/b"]
