"""Errors: Python's own classes, with an errno and the path, whatever failed."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.testing.checks import fails_with, files_below
from chuk_fsspec.testing.needs import needs

Act = Callable[[AbstractFileSystem, str], Any]

WANTS_SOMETHING: dict[str, Act] = {
    "cat": lambda fs, path: fs.cat(path),
    "cat_file": lambda fs, path: fs.cat_file(path),
    "checksum": lambda fs, path: fs.checksum(path),
    "copy": lambda fs, path: fs.copy(path, path + "2"),
    "cp_file": lambda fs, path: fs.cp_file(path, path + "2"),
    "created": lambda fs, path: fs.created(path),
    "head": lambda fs, path: fs.head(path),
    "info": lambda fs, path: fs.info(path),
    "ls": lambda fs, path: fs.ls(path),
    "modified": lambda fs, path: fs.modified(path),
    "mv": lambda fs, path: fs.mv(path, path + "2"),
    "open_r": lambda fs, path: fs.open(path, "r"),
    "open_rb": lambda fs, path: fs.open(path, "rb"),
    "read_block": lambda fs, path: fs.read_block(path, 0, 1),
    "read_bytes": lambda fs, path: fs.read_bytes(path),
    "read_text": lambda fs, path: fs.read_text(path),
    "rm": lambda fs, path: fs.rm(path),
    "rm_file": lambda fs, path: fs.rm_file(path),
    "rm_recursive": lambda fs, path: fs.rm(path, recursive=True),
    "size": lambda fs, path: fs.size(path),
    "stat": lambda fs, path: fs.stat(path),
    "tail": lambda fs, path: fs.tail(path),
    "ukey": lambda fs, path: fs.ukey(path),
}

WANTS_A_FILE: dict[str, Act] = {
    "append": lambda fs, path: fs.open(path, "ab"),
    "cat_file": lambda fs, path: fs.cat_file(path),
    "cat_range": lambda fs, path: fs.cat_file(path, start=0, end=1),
    "head": lambda fs, path: fs.head(path),
    "open_rb": lambda fs, path: fs.open(path, "rb"),
    "open_w": lambda fs, path: fs.open(path, "w"),
    "open_wb": lambda fs, path: fs.open(path, "wb"),
    "pipe_file": lambda fs, path: fs.pipe_file(path, b""),
    "read_text": lambda fs, path: fs.read_text(path),
    "rm_file": lambda fs, path: fs.rm_file(path),
    "touch": lambda fs, path: fs.touch(path),
    "write_text": lambda fs, path: fs.write_text(path, ""),
}

UNDECLARED: dict[str, dict[str, Callable[[Any, str], Any]]] = {
    "attributes": {
        "chmod": lambda posix, path: posix.chmod(path, 0o600),
        "chown": lambda posix, path: posix.chown(path, 0, 0),
        "utime": lambda posix, path: posix.utime(path),
    },
    "hardlinks": {"link": lambda posix, path: posix.link(path, path + "2")},
    "nodes": {"nodes": lambda posix, path: posix.nodes},
    "random_write": {"open_handle": lambda posix, path: posix.open_handle(path, 2)},
    "rename_flags": {"rename": lambda posix, path: posix.rename(path, path + "2", 1)},
    "special_files": {"mknod": lambda posix, path: posix.mknod(path + "2", 0o010644)},
    "statvfs": {"statvfs": lambda posix, path: posix.statvfs()},
    "symlinks": {
        "symlink": lambda posix, path: posix.symlink("x", path + "2"),
        "readlink": lambda posix, path: posix.readlink(path),
    },
    "xattrs": {
        "setxattr": lambda posix, path: posix.setxattr(path, "user.x", b""),
        "getxattr": lambda posix, path: posix.getxattr(path, "user.x"),
        "listxattr": lambda posix, path: posix.listxattr(path),
        "removexattr": lambda posix, path: posix.removexattr(path, "user.x"),
    },
}


class Errors:
    """What a failure looks like, over the whole surface."""

    @pytest.mark.parametrize("act", WANTS_SOMETHING)
    def test_nothing_there(self, fs: AbstractFileSystem, root: str, act: str) -> None:
        with fails_with(errno.ENOENT, f"{root}/missing"):
            WANTS_SOMETHING[act](fs, f"{root}/missing")
        assert fs.find(root) == []

    @pytest.mark.parametrize("act", WANTS_SOMETHING)
    def test_nothing_there_nor_a_directory_for_it(self, fs: AbstractFileSystem, root: str, act: str) -> None:
        with fails_with(errno.ENOENT, f"{root}/missing/below"):
            WANTS_SOMETHING[act](fs, f"{root}/missing/below")

    @needs("directories")
    @pytest.mark.parametrize("act", WANTS_SOMETHING)
    def test_a_file_where_a_directory_should_be(self, fs: AbstractFileSystem, root: str, act: str) -> None:
        fs.pipe_file(f"{root}/file", b"content")
        with fails_with(errno.ENOTDIR, f"{root}/file/below"):
            WANTS_SOMETHING[act](fs, f"{root}/file/below")

    @pytest.mark.parametrize("act", WANTS_A_FILE)
    def test_a_directory_where_a_file_should_be(self, fs: AbstractFileSystem, root: str, act: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        with fails_with(errno.EISDIR, f"{root}/d"):
            WANTS_A_FILE[act](fs, f"{root}/d")
        assert files_below(fs, root) == {"d/f": b"content"}

    @pytest.mark.parametrize("act", WANTS_SOMETHING)
    def test_the_path_is_named_in_normal_form(self, fs: AbstractFileSystem, root: str, act: str) -> None:
        for spelled in (f"{root}//x/../missing", fs.unstrip_protocol(f"{root}/missing")):
            with pytest.raises(OSError) as caught:
                WANTS_SOMETHING[act](fs, spelled)
            assert caught.value.filename == f"{root}/missing"

    def test_a_writer_names_the_path_in_normal_form(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"")
        for act in ("pipe_file", "open_wb", "touch"):
            for spelled in (f"{root}//x/../d", fs.unstrip_protocol(f"{root}/d")):
                with fails_with(errno.EISDIR, f"{root}/d"):
                    WANTS_A_FILE[act](fs, spelled)

    def test_what_is_missing_locally_is_told_by_its_local_path(
        self, fs: AbstractFileSystem, root: str, tmp_path: Path
    ) -> None:
        local = str(tmp_path / "missing")
        with fails_with(errno.ENOENT, local):
            fs.put_file(local, f"{root}/f")
        assert fs.find(root) == []

    @pytest.mark.parametrize(
        ("capability", "act"), [(capability, act) for capability, acts in UNDECLARED.items() for act in acts]
    )
    def test_what_is_not_declared_is_not_supported(
        self, fs: AbstractFileSystem, root: str, capability: str, act: str
    ) -> None:
        if getattr(capabilities_of(fs), capability):
            pytest.skip(f"{capability} is declared")
        fs.pipe_file(f"{root}/f", b"content")
        with fails_with(errno.ENOTSUP):
            UNDECLARED[capability][act](fs.posix, f"{root}/f")
        assert files_below(fs, root) == {"f": b"content"}

    def test_capabilities_are_declared(self, fs: AbstractFileSystem) -> None:
        assert isinstance(fs.capabilities, Capabilities)
        assert capabilities_of(fs) == fs.capabilities
