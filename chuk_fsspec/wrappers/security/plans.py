"""What each operation by path does to the books."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from chuk_fsspec.wrappers.security.books import Plan
from chuk_fsspec.wrappers.security.footprints import Surveyor

_O_TMPFILE = getattr(os, "O_TMPFILE", 0)

Paths = tuple[Any, ...]
Options = Mapping[str, Any]
Planner = Callable[[Surveyor, Paths, tuple[Any, ...], Options], Plan]


def _pipe_file(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    size = memoryview(arguments[0]).nbytes
    return Plan("pipe_file", sizes={paths[0]: size}, makes_parents=True, exact=True)


def _pipe(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    sizes = {path: memoryview(value).nbytes for path, value in zip(paths[0], arguments[0], strict=True)}
    return Plan("pipe", sizes=sizes, makes_parents=True)


def _put(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    sources = zip(paths[0], arguments[0], strict=True)
    sizes = {target: None if os.path.isdir(source) else os.path.getsize(source) for target, source in sources}
    return Plan("put", sizes=sizes, makes_parents=True)


def _touch(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    return Plan("touch", sizes={paths[0]: 0 if options.get("truncate", True) else None}, makes_parents=True)


def _copy(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    pairs = zip(*[path if isinstance(path, list) else [path] for path in paths], strict=True)
    sizes = {target: _size_of(surveyor, source) for source, target in pairs}
    return Plan("copy", sizes=sizes, makes_parents=True)


def _size_of(surveyor: Surveyor, path: str) -> int | None:
    info = surveyor.look(path)
    return info.get("size") if info is not None and info["type"] == "file" else None


def _make_directory(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    return Plan("mkdir", sizes={paths[0]: None}, makes_parents=options.get("create_parents", True))


def _make_entry(name: str) -> Planner:
    return lambda surveyor, paths, arguments, options: Plan(name, sizes={paths[0]: None})


def _move(name: str) -> Planner:
    def plan(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
        parents = tuple(surveyor.missing_parents(paths[1])) if name == "mv" else ()
        return Plan(name, sizes=dict.fromkeys(parents), others=paths)

    return plan


def _remove(name: str) -> Planner:
    return lambda surveyor, paths, arguments, options: Plan(name, others=paths, removes=True)


def _remove_many(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    return Plan("rm", others=tuple(paths[0]), removes=True, deep=bool(options.get("recursive")))


def _alter(name: str) -> Planner:
    return lambda surveyor, paths, arguments, options: Plan(name, others=paths, alters=True)


def _truncate(surveyor: Surveyor, paths: Paths, arguments: tuple[Any, ...], options: Options) -> Plan:
    return Plan("truncate", sizes={paths[0]: options["size"]})


PLANS: Mapping[str, Planner] = {
    "pipe_file": _pipe_file,
    "pipe": _pipe,
    "put": _put,
    "touch": _touch,
    "cp_file": _copy,
    "copy": _copy,
    "mkdir": _make_directory,
    "makedirs": _make_directory,
    "mv": _move("mv"),
    "rm_file": _remove("rm_file"),
    "rmdir": _remove("rmdir"),
    "rm": _remove_many,
}
"""Operations of fsspec that change what is stored; ``open`` has ``drafts``."""

POSIX_PLANS: Mapping[str, Planner] = {
    "symlink": _make_entry("symlink"),
    "mkdir": _make_entry("mkdir"),
    "mknod": _make_entry("mknod"),
    "link": _move("link"),
    "rename": _move("rename"),
    "unlink": _remove("unlink"),
    "rmdir": _remove("rmdir"),
    "truncate": _truncate,
}
"""Those of ``fs.posix``; ``open_handle`` has ``handles``."""

ALTERING_PLANS: Mapping[str, Planner] = {
    name: _alter(name) for name in ("chmod", "chown", "removexattr", "setxattr", "utime")
}
"""Those that change what is stored only where a file may be copied first."""
