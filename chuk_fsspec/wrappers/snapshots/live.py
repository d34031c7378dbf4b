"""The tree of any filesystem as it is now, with whatever that filesystem knows."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.info import FileType
from chuk_fsspec.contract.links import without_links_if_can
from chuk_fsspec.forwarding.names import form_of
from chuk_fsspec.wrappers.snapshots.entry import BLOCK, Entry, Xattrs

_TIMES = ("mtime", "LastModified", "last_modified", "modified", "updated")
"""Where filesystems put the time of the last change of content."""

_TICK_NS = 20_000_000
"""Changes that follow one another this fast may carry the same time, where the filesystem counts nanoseconds."""
_SECONDS_NS = 2_000_000_000
"""The same where it may count whole seconds."""


class LiveTree:
    """A directory of a filesystem and all below it. Links are shown, and never followed where that can be had."""

    def __init__(self, fs: AbstractFileSystem, root: str, seen_ns: int | None = None) -> None:
        """Look at a filesystem.

        Args:
            fs: any filesystem.
            root: the directory, an absolute normal path.
            seen_ns: when the filesystem was as it is shown, in nanoseconds since 1970; None for now.
        """
        self._seen_ns = seen_ns
        self.can = capabilities_of(fs)
        self.fs = without_links_if_can(fs)
        self.path = root
        self._form = form_of(fs)

    @property
    def root(self) -> Entry:
        try:
            info = self.fs.info(self.inward(self.path))
        except FileNotFoundError:
            if self.path != "/":
                raise os_error(errno.ENOENT, self.path) from None
            info = {"name": "", "type": "directory", "size": 0}  # a store of objects without a single one
        entry = self._entry(info)._replace(name="")
        if not entry.is_directory:
            raise os_error(errno.ENOTDIR, self.path)
        return entry

    def entries(self, path: str, entry: Entry) -> list[Entry]:
        inner = self.inward(path)
        if self._seen_ns is None:
            self.fs.invalidate_cache(inner)  # a listing that is kept shows what was, beside the content that is
        try:
            infos = self.fs.ls(inner, detail=True)
        except FileNotFoundError:
            if path != "/":
                raise
            infos = []
        itself = inner.strip("/")
        found = {one.name: one for info in infos if info["name"].strip("/") != itself for one in [self._entry(info)]}
        entries = [found[name] for name in sorted(found)]
        return entries if self._seen_ns is None else [settled(one, self._seen_ns) for one in entries]

    def xattrs(self, path: str, entry: Entry) -> Xattrs | None:
        if not self.can.xattrs or not (entry.is_file or entry.is_directory):
            return None
        posix = self.fs.posix
        try:
            return tuple((name, posix.getxattr(path, name)) for name in sorted(posix.listxattr(path)))
        except OSError as error:
            if error.errno == errno.ENOTSUP:
                return None  # a mounted filesystem below may have none
            raise

    def blocks(self, path: str, entry: Entry) -> Iterator[bytes]:
        if 0 <= entry.size <= BLOCK:
            data: bytes = self.fs.cat_file(self.inward(path))
            for start in range(0, len(data), BLOCK):
                yield data[start : start + BLOCK] if len(data) > BLOCK else data
            return
        with self.fs.open(self.inward(path), "rb", block_size=4 * BLOCK, cache_options={}) as file:
            yield from cut(file.read)

    def require(self, wanted: Iterable[tuple[str, Entry]]) -> None:
        """What a filesystem shows, it has."""

    def rdev(self, path: str) -> int:
        """Device number of a special file; 0 where the filesystem does not tell."""
        return int(self.fs.posix.lstat(path).st_rdev) if self.can.special_files else 0

    def inward(self, path: str) -> str:
        """A normal path as the filesystem writes it."""
        return str(self._form.inward(path))

    def _entry(self, info: Mapping[str, Any]) -> Entry:
        target = info.get("destination")
        is_link = target is not None and (info.get("islink") or info["type"] == "link")
        kind: FileType = "link" if is_link else info["type"]
        size = info.get("size")
        mode = info.get("mode")
        return Entry(
            name=info["name"].rstrip("/").rpartition("/")[2],
            type=kind,
            size=(size if isinstance(size, int) else -1) if kind == "file" else 0,
            mode=mode if self.can.attributes and kind != "link" else None,
            uid=info.get("uid") if self.can.attributes else None,
            gid=info.get("gid") if self.can.attributes else None,
            mtime_ns=_mtime_ns(info) if self.can.attributes else None,
            target=os.fsdecode(target) if is_link and isinstance(target, (str, bytes)) else None,
            ino=info.get("ino"),
            nlink=info.get("nlink", 1) if self.can.hardlinks else 1,
            version=_version(info) if kind == "file" else _facts_version(info, kind),
        )


def cut(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Blocks of a stream; some filesystems read less at a time than they are asked for."""
    while piece := read(BLOCK):
        while len(piece) < BLOCK and (more := read(BLOCK - len(piece))):
            piece += more
        yield piece


def settled(entry: Entry, seen_ns: int) -> Entry:
    """An entry that keeps its version only if a later change would be sure to show in it.

    A change within the same tick of the clock leaves time and size as they are, so that what has just been written is
    read once more the next time.

    Args:
        entry: with its version.
        seen_ns: when it was looked at, in nanoseconds since 1970.
    """
    changed, exact = _changed_of(entry.version)
    if changed is None or changed < seen_ns - (_TICK_NS if exact else _SECONDS_NS):
        return entry
    return entry._replace(version="")


def now_ns() -> int:
    """The time, as files are stamped with it."""
    return time.time_ns()


def _version(info: Mapping[str, Any]) -> str:
    """Etag, size, times and number: what changes with a file, joined; empty if only the size is known."""
    etag = info.get("etag", info.get("ETag"))
    mtime = _mtime_ns(info)
    if etag is None and mtime is None:
        return ""
    exact = "n" if "mtime_ns" in info else "s"
    clock = f"{mtime}{exact}" if mtime is not None and "ETag" not in info else ""
    return f"{clock}|{etag or ''}|{info.get('size')}|{info.get('ino', '')}|{info.get('ctime', '')}"


def _facts_version(info: Mapping[str, Any], kind: str) -> str:
    if kind == "directory" or "ctime" not in info:
        return ""
    return f"{_mtime_ns(info)}n||{info.get('destination', '')}|{info.get('ino', '')}|{info['ctime']}"


def _changed_of(version: str) -> tuple[int | None, bool]:
    """The latest time that a version holds, and whether it counts nanoseconds; None where an etag is all it needs."""
    clock, _, rest = version.partition("|")
    if not clock:
        return None, True
    changed = int(clock[:-1])
    ctime = rest.rpartition("|")[2]
    return max(changed, int(float(ctime) * 1e9) if ctime else 0), clock.endswith("n")


def _mtime_ns(info: Mapping[str, Any]) -> int | None:
    exact = info.get("mtime_ns")
    if isinstance(exact, int):
        return exact
    for key in _TIMES:
        moment = info.get(key)
        if isinstance(moment, datetime):
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
        if isinstance(moment, (int, float)):
            return round(moment * 1e9)
    return None
