"""Every way to look at a path, and every way to change something, through fsspec and ``fs.posix``.

Each takes the filesystem, a path and a directory of the host for downloads, and returns what it could see as plain
values. ``SOURCE`` is a file of the attacker's own, ``TAKEN`` a place where it puts what it got hold of.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import RENAME_EXCHANGE

SOURCE = "/w/source"
TAKEN = "/w/taken"
NEW = b"written by the attacker"

Way = Callable[[Any, str, Path], Any]


def _opened(fs: Any, path: str, mode: str, **options: Any) -> Any:
    with fs.open(path, mode, **options) as file:
        return file.read()


def _written(fs: Any, path: str, mode: str) -> None:
    with fs.open(path, mode) as file:
        file.write(NEW if "b" in mode else NEW.decode())


def _handle(fs: Any, path: str, flags: int) -> Any:
    handle = fs.posix.open_handle(path, flags)
    try:
        if flags & (os.O_WRONLY | os.O_RDWR):
            handle.pwrite(NEW, 0)
        if not flags & os.O_WRONLY:
            return handle.pread(1 << 20, 0), handle.stat().st_mtime
    finally:
        handle.close()


def _downloaded(fs: Any, path: str, host: Path, **options: Any) -> Any:
    with TemporaryDirectory(dir=host) as directory:
        target = Path(directory, "target")
        (fs.get if options else fs.get_file)(path, str(target), **options)
        files = [target, *target.rglob("*")] if target.exists() else []
        return [(str(file.relative_to(host)), file.read_bytes() if file.is_file() else b"") for file in files]


def _uploaded(fs: Any, path: str, host: Path, **options: Any) -> None:
    source = host / "upload"
    source.mkdir(exist_ok=True)
    (source / "file").write_bytes(NEW)
    if options:
        fs.put(str(source), path, **options)
    else:
        fs.put_file(str(source / "file"), path)


def _taken(fs: Any, path: str) -> Any:
    """All that lies where it was taken to."""
    if not fs.lexists(path):
        return None
    found = fs.find(path, withdirs=True, detail=True)
    return [(name, _known(info), fs.cat_file(name) if fs.isfile(name) else b"") for name, info in found.items()]


def _known(info: dict[str, Any]) -> dict[str, Any]:
    """Info without what is a number of the filesystem's own choice."""
    return {key: value for key, value in info.items() if key not in ("ino", "etag")}


def _stat(found: os.stat_result) -> tuple[Any, ...]:
    return found.st_mode, found.st_size, found.st_mtime


def _copied(fs: Any, path: str) -> Any:
    fs.copy(path, TAKEN, recursive=True)
    return _taken(fs, TAKEN)


def _copied_file(fs: Any, path: str) -> Any:
    fs.cp_file(path, TAKEN)
    return _taken(fs, TAKEN)


def _moved(fs: Any, path: str) -> Any:
    fs.mv(path, TAKEN)
    return _taken(fs, TAKEN)


def _renamed(fs: Any, path: str, flags: int = 0) -> Any:
    if flags:
        fs.posix.rename(path, SOURCE, flags)
        return _taken(fs, SOURCE)
    fs.posix.rename(path, TAKEN)
    return _taken(fs, TAKEN)


def _linked(fs: Any, path: str) -> Any:
    fs.posix.link(path, TAKEN)
    found = _taken(fs, TAKEN)
    fs.pipe_file(TAKEN, NEW)
    with fs.open(TAKEN, "ab") as file:
        file.write(NEW)
    return found


def _read_by_name(fs: Any, path: str) -> Any:
    directory, name = split(fs._strip_protocol(path))
    return fs.posix.reader(directory)(name)


def _in_transaction(fs: Any, path: str) -> None:
    with fs.transaction:
        fs.pipe_file(path, NEW)


def _set_items(fs: Any, path: str) -> None:
    mapper = fs.get_mapper(path)
    mapper["file"] = NEW
    mapper.setitems({"sub/file": NEW, "../file": NEW})


def _delete_items(fs: Any, path: str) -> None:
    mapper = fs.get_mapper(path)
    mapper.delitems(["sub/file"])
    del mapper["file"]


READS: dict[str, Way] = {
    "cat_file": lambda fs, path, host: fs.cat_file(path),
    "cat_file part": lambda fs, path, host: fs.cat_file(path, start=0, end=1 << 20),
    "cat": lambda fs, path, host: fs.cat(path),
    "cat -r": lambda fs, path, host: fs.cat(path, recursive=True),
    "cat pattern": lambda fs, path, host: fs.cat(path[:-1] + "?"),
    "cat_ranges": lambda fs, path, host: fs.cat_ranges([path], 0, 1 << 20, on_error="raise"),
    "cat_ranges errors": lambda fs, path, host: fs.cat_ranges([path], 0, 1 << 20, on_error="return"),
    "open": lambda fs, path, host: _opened(fs, path, "rb"),
    "open text": lambda fs, path, host: _opened(fs, path, "r", errors="replace"),
    "open infer": lambda fs, path, host: _opened(fs, path, "rb", compression="infer"),
    "head": lambda fs, path, host: fs.head(path),
    "tail": lambda fs, path, host: fs.tail(path, 1 << 20),
    "read_block": lambda fs, path, host: fs.read_block(path, 0, 1 << 20),
    "read_bytes": lambda fs, path, host: fs.read_bytes(path),
    "read_text": lambda fs, path, host: fs.read_text(path, errors="replace"),
    "get_file": _downloaded,
    "get": lambda fs, path, host: _downloaded(fs, path, host, recursive=False),
    "get -r": lambda fs, path, host: _downloaded(fs, path, host, recursive=True),
    "mapper": lambda fs, path, host: dict(fs.get_mapper(path)),
    "mapper getitems": lambda fs, path, host: fs.get_mapper(path).getitems(["file", "../file"], on_error="return"),
    "info": lambda fs, path, host: _known(fs.info(path)),
    "ls": lambda fs, path, host: [_known(info) for info in fs.ls(path)],
    "ls names": lambda fs, path, host: fs.ls(path, detail=False),
    "find": lambda fs, path, host: [_known(info) for info in fs.find(path, withdirs=True, detail=True).values()],
    "walk": lambda fs, path, host: list(fs.walk(path)),
    "walk up": lambda fs, path, host: list(fs.walk(path, topdown=False)),
    "glob": lambda fs, path, host: fs.glob(path),
    "glob *": lambda fs, path, host: fs.glob(f"{path}/*"),
    "glob **": lambda fs, path, host: fs.glob(f"{path}/**"),
    "glob above": lambda fs, path, host: fs.glob(f"{path}/../*"),
    "expand_path": lambda fs, path, host: fs.expand_path(path, recursive=True),
    "du": lambda fs, path, host: fs.du(path, total=False),
    "tree": lambda fs, path, host: fs.tree(path),
    "size": lambda fs, path, host: fs.size(path),
    "created": lambda fs, path, host: fs.created(path),
    "modified": lambda fs, path, host: fs.modified(path),
    "checksum": lambda fs, path, host: fs.checksum(path) and None,
    "ukey": lambda fs, path, host: fs.ukey(path) and None,
    "sign": lambda fs, path, host: fs.sign(path),
    "stat": lambda fs, path, host: _stat(fs.posix.stat(path)),
    "lstat": lambda fs, path, host: _stat(fs.posix.lstat(path)),
    "readlink": lambda fs, path, host: fs.posix.readlink(path),
    "listxattr": lambda fs, path, host: fs.posix.listxattr(path),
    "open_handle": lambda fs, path, host: _handle(fs, path, os.O_RDONLY),
    "reader": lambda fs, path, host: fs.posix.reader(path)("file"),
    "reader by name": lambda fs, path, host: _read_by_name(fs, path),
    "nofollow": lambda fs, path, host: fs.posix.nofollow.cat_file(path),
    "nofollow find": lambda fs, path, host: fs.posix.nofollow.find(path),
    "copy out": lambda fs, path, host: _copied(fs, path),
    "cp_file out": lambda fs, path, host: _copied_file(fs, path),
}

WRITES: dict[str, Way] = {
    "link out": lambda fs, path, host: _linked(fs, path),
    "setxattr": lambda fs, path, host: fs.posix.setxattr(path, "user.attacker", b"1"),
    "chmod": lambda fs, path, host: fs.posix.chmod(path, 0o4777),
    "chown": lambda fs, path, host: fs.posix.chown(path, 1234, 1234),
    "lchown": lambda fs, path, host: fs.posix.chown(path, 1234, 1234, follow_symlinks=False),
    "utime": lambda fs, path, host: fs.posix.utime(path, ns=(1, 1)),
    "open ab": lambda fs, path, host: _written(fs, path, "ab"),
    "open r+b": lambda fs, path, host: _written(fs, path, "r+b"),
    "open w+b": lambda fs, path, host: _written(fs, path, "w+b"),
    "open wb": lambda fs, path, host: _written(fs, path, "wb"),
    "open xb": lambda fs, path, host: _written(fs, path, "xb"),
    "open w": lambda fs, path, host: _written(fs, path, "w"),
    "open_handle O_RDWR": lambda fs, path, host: _handle(fs, path, os.O_RDWR),
    "open_handle O_TRUNC": lambda fs, path, host: _handle(fs, path, os.O_WRONLY | os.O_TRUNC),
    "open_handle O_CREAT": lambda fs, path, host: _handle(fs, path, os.O_RDWR | os.O_CREAT),
    "open_handle O_EXCL": lambda fs, path, host: _handle(fs, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "open_handle O_TMPFILE": lambda fs, path, host: _handle(fs, path, os.O_RDWR | os.O_TMPFILE),
    "truncate": lambda fs, path, host: fs.posix.truncate(path, 3),
    "pipe_file": lambda fs, path, host: fs.pipe_file(path, NEW),
    "pipe_file create": lambda fs, path, host: fs.pipe_file(path, NEW, mode="create"),
    "pipe": lambda fs, path, host: fs.pipe({path: NEW, SOURCE: NEW}),
    "write_text": lambda fs, path, host: fs.write_text(path, "x"),
    "touch": lambda fs, path, host: fs.touch(path),
    "touch kept": lambda fs, path, host: fs.touch(path, truncate=False),
    "put_file": _uploaded,
    "put -r": lambda fs, path, host: _uploaded(fs, path, host, recursive=True),
    "put -r inside": lambda fs, path, host: _uploaded(fs, f"{path}/", host, recursive=True),
    "cp_file in": lambda fs, path, host: fs.cp_file(SOURCE, path),
    "copy in": lambda fs, path, host: fs.copy(SOURCE, f"{path}/"),
    "copy list": lambda fs, path, host: fs.copy([SOURCE], [path]),
    "copy -r": lambda fs, path, host: fs.copy("/w/dir", path, recursive=True),
    "mv in": lambda fs, path, host: fs.mv(SOURCE, path),
    "mv into": lambda fs, path, host: fs.mv(SOURCE, f"{path}/"),
    "rename in": lambda fs, path, host: fs.posix.rename(SOURCE, path),
    "link in": lambda fs, path, host: fs.posix.link(SOURCE, path),
    "symlink": lambda fs, path, host: fs.posix.symlink("nowhere", path),
    "symlink inside": lambda fs, path, host: fs.posix.symlink("nowhere", f"{path}/attacker"),
    "mkdir": lambda fs, path, host: fs.mkdir(path),
    "mkdir inside": lambda fs, path, host: fs.mkdir(f"{path}/attacker"),
    "makedirs": lambda fs, path, host: fs.makedirs(f"{path}/attacker/deep", exist_ok=True),
    "posix.mkdir": lambda fs, path, host: fs.posix.mkdir(path),
    "mknod": lambda fs, path, host: fs.posix.mknod(path, 0o100644),
    "mapper set": lambda fs, path, host: _set_items(fs, path),
    "mapper del": lambda fs, path, host: _delete_items(fs, path),
    "transaction": lambda fs, path, host: _in_transaction(fs, path),
    "exchange": lambda fs, path, host: _renamed(fs, path, RENAME_EXCHANGE),
    "rename out": lambda fs, path, host: _renamed(fs, path),
    "mv out": lambda fs, path, host: _moved(fs, path),
    "unlink": lambda fs, path, host: fs.posix.unlink(path),
    "rmdir": lambda fs, path, host: fs.rmdir(path),
    "posix.rmdir": lambda fs, path, host: fs.posix.rmdir(path),
    "rm_file": lambda fs, path, host: fs.rm_file(path),
    "rm": lambda fs, path, host: fs.rm(path),
    "rm pattern": lambda fs, path, host: fs.rm(f"{path}/*", recursive=True),
    "mapper clear": lambda fs, path, host: fs.get_mapper(path).clear(),
    "rm -r": lambda fs, path, host: fs.rm(path, recursive=True),
}

CORE = frozenset(
    (
        *("cat_file", "open", "ls", "find", "info", "open_handle", "reader by name", "copy out", "nofollow", "get -r"),
        *("setxattr", "chmod", "open ab", "open_handle O_CREAT", "truncate", "pipe_file", "cp_file in", "mv into"),
        *("link out", "symlink inside", "mkdir inside", "rename out", "rm -r"),
    )
)
"""One for each way in which paths are taken: what is tried where all of them would take long."""
