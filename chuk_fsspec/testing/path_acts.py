"""Calls of every operation that takes a path, by whether it would follow a link that is the path's last component.

The keys are names of ``contract.operations``, those of ``fs.posix`` after ``posix.``, with what tells two calls of one
operation apart behind a blank.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from fsspec import AbstractFileSystem

Act = Callable[[AbstractFileSystem, str], Any]
Acts = Mapping[str, tuple[str, Act]]
"""The capability that a call needs, and the call. Its path is one of links, ``…/link…``, beside a file ``…/f``."""


def _needing(capability: str, acts: Mapping[str, Act]) -> dict[str, tuple[str, Act]]:
    return {name: (capability, act) for name, act in acts.items()}


def _beside(path: str, name: str) -> str:
    """Another name in the directory of the link that a path holds."""
    return f"{path.partition('/link')[0]}/{name}"


FOLLOWING: Acts = {
    **_needing(
        "symlinks",
        {
            "exists": lambda fs, path: fs.exists(path),
            "isdir": lambda fs, path: fs.isdir(path),
            "isfile": lambda fs, path: fs.isfile(path),
            "checksum": lambda fs, path: fs.checksum(path),
            "ukey": lambda fs, path: fs.ukey(path),
            "ls": lambda fs, path: fs.ls(path),
            "listdir": lambda fs, path: fs.listdir(path),
            "find": lambda fs, path: fs.find(path),
            "glob": lambda fs, path: fs.glob(path),
            "glob below": lambda fs, path: fs.glob(f"{path}/*"),
            "walk": lambda fs, path: list(fs.walk(path)),
            "du": lambda fs, path: fs.du(path),
            "disk_usage": lambda fs, path: fs.disk_usage(path),
            "tree": lambda fs, path: fs.tree(path),
            "expand_path": lambda fs, path: fs.expand_path(path, recursive=True),
            "cat_file": lambda fs, path: fs.cat_file(path),
            "cat_file range": lambda fs, path: fs.cat_file(path, 1, 2),
            "cat": lambda fs, path: fs.cat(path),
            "cat_ranges": lambda fs, path: fs.cat_ranges([path], 0, 1, on_error="raise"),
            "open": lambda fs, path: fs.open(path, "rb"),
            "head": lambda fs, path: fs.head(path),
            "tail": lambda fs, path: fs.tail(path),
            "read_block": lambda fs, path: fs.read_block(path, 0, 1),
            "read_bytes": lambda fs, path: fs.read_bytes(path),
            "read_text": lambda fs, path: fs.read_text(path),
            "get_file": lambda fs, path: fs.get_file(path, os.devnull),
            "get": lambda fs, path: fs.get(path, os.devnull),
            "download": lambda fs, path: fs.download(path, os.devnull),
            "get_mapper": lambda fs, path: fs.get_mapper(path)["key"],
            "open to write": lambda fs, path: fs.open(path, "wb"),
            "pipe_file": lambda fs, path: fs.pipe_file(path, b"written"),
            "pipe": lambda fs, path: fs.pipe(path, b"written"),
            "write_bytes": lambda fs, path: fs.write_bytes(path, b"written"),
            "write_text": lambda fs, path: fs.write_text(path, "written"),
            "touch": lambda fs, path: fs.touch(path),
            "touch times": lambda fs, path: fs.touch(path, truncate=False),
            "makedirs exist_ok": lambda fs, path: fs.makedirs(path, exist_ok=True),
            "put_file": lambda fs, path: fs.put_file(os.devnull, path),
            "put": lambda fs, path: fs.put(os.devnull, path),
            "upload": lambda fs, path: fs.upload(os.devnull, path),
            "cp_file": lambda fs, path: fs.cp_file(path, _beside(path, "copy")),
            "cp_file target": lambda fs, path: fs.cp_file(_beside(path, "f"), path),
            "copy": lambda fs, path: fs.copy(path, _beside(path, "copy")),
            "copy tree": lambda fs, path: fs.copy(path, _beside(path, "copy"), recursive=True),
            "copy target": lambda fs, path: fs.copy(_beside(path, "f"), path),
            "cp": lambda fs, path: fs.cp(path, _beside(path, "copy")),
            "posix.stat": lambda fs, path: fs.posix.stat(path),
        },
    ),
    **_needing(
        "modified_times",
        {
            "created": lambda fs, path: fs.created(path),
            "modified": lambda fs, path: fs.modified(path),
        },
    ),
    **_needing("append", {"open to append": lambda fs, path: fs.open(path, "ab")}),
    **_needing(
        "random_write",
        {
            "open to update": lambda fs, path: fs.open(path, "r+b"),
            "posix.truncate": lambda fs, path: fs.posix.truncate(path, 1),
            "posix.open_handle": lambda fs, path: fs.posix.open_handle(path),
            "posix.open_handle to make": lambda fs, path: fs.posix.open_handle(path, os.O_RDWR | os.O_CREAT),
        },
    ),
    **_needing(
        "attributes",
        {
            "posix.chmod": lambda fs, path: fs.posix.chmod(path, 0o600),
            "posix.chown": lambda fs, path: fs.posix.chown(path, -1, -1),
            "posix.utime": lambda fs, path: fs.posix.utime(path),
        },
    ),
    **_needing(
        "xattrs",
        {
            "posix.setxattr": lambda fs, path: fs.posix.setxattr(path, "user.x", b""),
            "posix.getxattr": lambda fs, path: fs.posix.getxattr(path, "user.x"),
            "posix.listxattr": lambda fs, path: fs.posix.listxattr(path),
            "posix.removexattr": lambda fs, path: fs.posix.removexattr(path, "user.x"),
        },
    ),
}

NOT_FOLLOWING: Acts = {
    **_needing(
        "symlinks",
        {
            "info": lambda fs, path: fs.info(path),
            "stat": lambda fs, path: fs.stat(path),
            "size": lambda fs, path: fs.size(path),
            "sizes": lambda fs, path: fs.sizes([path]),
            "lexists": lambda fs, path: fs.lexists(path),
            "mkdir": lambda fs, path: fs.mkdir(path),
            "makedir": lambda fs, path: fs.makedir(path),
            "makedirs": lambda fs, path: fs.makedirs(path),
            "mkdirs": lambda fs, path: fs.mkdirs(path),
            "rmdir": lambda fs, path: fs.rmdir(path),
            "rm_file": lambda fs, path: fs.rm_file(path),
            "rm": lambda fs, path: fs.rm(path),
            "rm recursive": lambda fs, path: fs.rm(path, recursive=True),
            "delete": lambda fs, path: fs.delete(path),
            "mv": lambda fs, path: fs.mv(path, _beside(path, "moved")),
            "mv target": lambda fs, path: fs.mv(_beside(path, "f"), path),
            "move": lambda fs, path: fs.move(path, _beside(path, "moved")),
            "rename": lambda fs, path: fs.rename(path, _beside(path, "moved")),
            "posix.lstat": lambda fs, path: fs.posix.lstat(path),
            "posix.readlink": lambda fs, path: fs.posix.readlink(path),
            "posix.symlink": lambda fs, path: fs.posix.symlink("x", path),
            "posix.unlink": lambda fs, path: fs.posix.unlink(path),
            "posix.rename": lambda fs, path: fs.posix.rename(path, _beside(path, "moved")),
            "posix.rename target": lambda fs, path: fs.posix.rename(_beside(path, "f"), path),
            "posix.mkdir": lambda fs, path: fs.posix.mkdir(path),
            "posix.rmdir": lambda fs, path: fs.posix.rmdir(path),
        },
    ),
    **_needing(
        "attributes",
        {
            "posix.chown link": lambda fs, path: fs.posix.chown(path, -1, -1, follow_symlinks=False),
            "posix.utime link": lambda fs, path: fs.posix.utime(path, follow_symlinks=False),
        },
    ),
    **_needing(
        "exclusive_create",
        {
            "pipe_file create": lambda fs, path: fs.pipe_file(path, b"", mode="create"),
            "open exclusively": lambda fs, path: fs.open(path, "xb"),
        },
    ),
    **_needing(
        "hardlinks",
        {
            "posix.link": lambda fs, path: fs.posix.link(path, _beside(path, "second")),
            "posix.link target": lambda fs, path: fs.posix.link(_beside(path, "f"), path),
        },
    ),
    **_needing("special_files", {"posix.mknod": lambda fs, path: fs.posix.mknod(path, 0o010644)}),
    **_needing(
        "random_write",
        {
            "posix.open_handle exclusively": lambda fs, path: fs.posix.open_handle(
                path, os.O_RDWR | os.O_CREAT | os.O_EXCL
            ),
            "posix.open_handle nofollow": lambda fs, path: fs.posix.open_handle(path, os.O_RDONLY | os.O_NOFOLLOW),
        },
    ),
}

TAKEN_BY_A_LINK = (
    "mkdir",
    "makedirs",
    "posix.mkdir",
    "posix.symlink",
    "posix.link target",
    "posix.mknod",
    "pipe_file create",
    "open exclusively",
    "posix.open_handle exclusively",
)
"""Those of ``NOT_FOLLOWING`` that make a new name, and find it taken."""
