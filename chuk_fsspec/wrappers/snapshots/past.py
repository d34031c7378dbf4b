"""A snapshot as a filesystem that can only be read."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
from bisect import bisect_left
from collections import deque
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback
from fsspec.spec import AbstractBufferedFile

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import link_in_the_way, not_found, not_supported, os_error
from chuk_fsspec.contract.info import mode_of
from chuk_fsspec.contract.operations import Effect, Operation
from chuk_fsspec.contract.paths import is_inside, join, split
from chuk_fsspec.forwarding.surface import ForwardingFileSystem
from chuk_fsspec.wrappers.snapshots.entry import BLOCK, Entry, Tree

_CHANGES = frozenset((Effect.WRITE, Effect.DELETE, Effect.RENAME))
_LINKS_MAX = 40
_NOWHERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))

Info = dict[str, Any]


class PastFileSystem(ForwardingFileSystem):
    """Files as they were. Links are followed inside, as on the filesystem itself; every change is refused (EROFS)."""

    protocol = "chukpast"
    cachable = False

    def __init__(self, tree: Tree, capabilities: Capabilities, *, follow_links: bool = True) -> None:
        """Show a tree.

        Args:
            tree: of a snapshot.
            capabilities: of the filesystem that it was taken of.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
        """
        super().__init__()
        self._tree, self._follow_links = tree, follow_links
        self._top = _top(tree)
        self.capabilities = dataclasses.replace(
            capabilities,
            write=False,
            append=False,
            conditional_write=False,
            isolated_transactions=False,
            etags=True,
            modified_times=capabilities.attributes,
            nodes=False,
            random_write=False,
            snapshots=False,
            sparse=False,
            statvfs=False,
            transactions=False,
            versions=False,
            versioned_reads=False,
            whole_files=False,
        )

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if operation.name == "nofollow":
            return PastFileSystem(self._tree, self.capabilities, follow_links=False)
        if operation.effect_in(options) in _CHANGES and operation.paths:
            raise os_error(errno.EROFS, paths[0] if isinstance(paths[0], str) else None)
        answer = getattr(self, f"_{'posix_' if operation.posix else ''}{operation.name}_past", None)
        if answer is None:
            raise not_supported(operation.name)
        return answer(*paths, *arguments, **options)

    # ---- finding

    def _find_entry(self, path: str, *, follow: bool) -> tuple[str, Entry]:
        """The entry that a path leads to, and its own path. ENOENT, ENOTDIR, ELOOP; LinkInTheWay."""
        at: list[tuple[str, Entry]] = [("/", self._top)]
        names = deque(path.split("/"))
        links = 0
        while names:
            name = names.popleft()
            here, directory = at[-1]
            if name in ("", "."):
                continue
            if name == "..":
                at = at[:-1] or at
                continue
            entry = self._child(here, directory, name, path)
            if entry.type == "link" and (names or follow):
                if not self._follow_links:
                    raise link_in_the_way(join(here, name))
                links += 1
                if links > _LINKS_MAX:
                    raise os_error(errno.ELOOP, path)
                target = entry.target or ""
                names.extendleft(reversed(target.split("/")))
                at = at[:1] if target.startswith("/") else at
                continue
            at.append((join(here, name), entry))
        return at[-1]

    def _child(self, here: str, directory: Entry, name: str, path: str) -> Entry:
        if not directory.is_directory:
            raise os_error(errno.ENOTDIR, path)
        entries = self._children(here, directory)
        number = bisect_left(entries, (name,))
        if number == len(entries) or entries[number].name != name:
            raise not_found(path)
        return entries[number]

    def _children(self, path: str, directory: Entry) -> list[Entry]:
        root = self._tree.path
        if path != root and is_inside(root, path):
            name = root[len(path) :].lstrip("/").partition("/")[0]
            below = join(path, name)
            return [(self._tree.root if below == root else _implied(below))._replace(name=name)]
        return self._tree.entries(path, directory)

    # ---- looking

    def _info_past(self, path: str, **options: Any) -> Info:
        _, entry = self._find_entry(path, follow=False)
        return self._describe(path, entry)

    def _ls_past(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        place, entry = self._find_entry(path, follow=True)
        if not entry.is_directory:
            infos = [self._describe(path, entry)]
        else:
            infos = [self._describe(join(path, child.name), child) for child in self._children(place, entry)]
        return infos if detail else [info["name"] for info in infos]

    def _find_past(self, path: str, detail: bool = False, **options: Any) -> Any:
        below: dict[str, Info] = AbstractFileSystem.find(self, path, detail=True, **options)
        found = {name: info or self._info_past(name) for name, info in below.items()}
        return found if detail else list(found)

    def _exists_past(self, path: str, **options: Any) -> bool:
        return self._type(path) is not None

    def _isdir_past(self, path: str) -> bool:
        return self._type(path) == "directory"

    def _isfile_past(self, path: str) -> bool:
        return self._type(path) == "file"

    def _lexists_past(self, path: str, **options: Any) -> bool:
        return self._type(path, follow=False) is not None

    def _type(self, path: str, *, follow: bool = True) -> str | None:
        try:
            return self._find_entry(path, follow=follow)[1].type
        except OSError as error:
            if error.errno in _NOWHERE and not (error.errno == errno.ELOOP and not self._follow_links):
                return None
            raise

    def _modified_past(self, path: str) -> datetime:
        _, entry = self._find_entry(path, follow=True)
        if entry.mtime_ns is None:
            raise not_supported("times of changes", path)
        return datetime.fromtimestamp(entry.mtime_ns / 1e9, timezone.utc)

    _created_past = _modified_past

    def _checksum_past(self, path: str) -> int:
        return int(self._ukey_past(path)[:15], 16)

    def _ukey_past(self, path: str) -> str:
        place, entry = self._find_entry(path, follow=True)
        return hashlib.sha256(f"{place} {_etag(entry)}".encode("utf-8", "surrogateescape")).hexdigest()

    def _sign_past(self, path: str, **options: Any) -> str:
        raise NotImplementedError("a snapshot has no URLs to be signed")

    def _invalidate_cache_past(self, path: str | None) -> None:
        """A snapshot does not change."""

    def _describe(self, path: str, entry: Entry) -> Info:
        info: Info = {"name": path, "size": entry.size, "type": entry.type, "etag": _etag(entry)}
        if entry.mtime_ns is not None:
            info["mtime_ns"] = entry.mtime_ns
            info["mtime"] = info["created"] = info["atime"] = info["ctime"] = entry.mtime_ns / 1e9
        for name in ("mode", "uid", "gid", "ino"):
            if getattr(entry, name) is not None:
                info[name] = getattr(entry, name)
        info["nlink"] = entry.nlink
        info["islink"] = entry.type == "link"
        if entry.type == "link":
            self._describe_link(info, path, entry)
        return info

    def _describe_link(self, info: Info, path: str, entry: Entry) -> None:
        info["destination"] = entry.target
        info["mode"] = 0o120777
        if not self._follow_links:
            info["size"] = len((entry.target or "").encode("utf-8", "surrogateescape"))
            return
        try:
            _, target = self._find_entry(path, follow=True)
        except OSError as error:
            if error.errno not in _NOWHERE:
                raise
            return
        if target.is_file:
            info.update(type="file", size=target.size, etag=_etag(target))

    # ---- reading

    def _file(self, path: str) -> tuple[str, Entry]:
        place, entry = self._find_entry(path, follow=True)
        if entry.is_directory:
            raise os_error(errno.EISDIR, path)
        if not entry.is_file:
            raise os_error(errno.ENXIO, path, hint="not a regular file")
        return place, entry

    def read_range(self, place: str, entry: Entry, start: int, end: int) -> bytes:
        """Bytes of a file, from one offset to another.

        Args:
            place: the file's own path.
            entry: the file.
            start: first byte.
            end: byte to stop before.
        """
        first, last = start // BLOCK, -(-end // BLOCK)
        wanted = entry._replace(content=entry.content[first:last])
        data = b"".join(self._tree.blocks(place, wanted))
        return data[start - first * BLOCK : end - first * BLOCK]

    def _cat_file_past(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        place, entry = self._file(path)
        first, last, _step = slice(start, end).indices(entry.size)
        return self.read_range(place, entry, first, max(first, last))

    def _cat_ranges_past(
        self, paths: list[str], starts: list[Any], ends: list[Any], on_error: str = "return", **options: Any
    ) -> list[Any]:
        found: list[Any] = []
        for path, start, end in zip(paths, starts, ends, strict=True):
            found.append(self._range(path, start, end, raises=on_error == "raise"))
        return found

    def _range(self, path: str, start: int | None, end: int | None, *, raises: bool) -> bytes | OSError:
        try:
            return self._cat_file_past(path, start, end)
        except OSError as error:
            if raises:
                raise
            return error

    def _open_past(self, path: str, mode: str = "rb", **options: Any) -> PastFile:
        if mode != "rb":
            raise os_error(errno.EROFS, path)
        place, entry = self._file(path)
        kept = {name: options[name] for name in ("block_size", "cache_type", "cache_options") if name in options}
        return PastFile(self, place, entry, **kept)

    def _get_past(self, paths: list[str], targets: list[str], callback: Callback, **options: Any) -> None:
        callback.set_size(len(targets))
        for path, target in callback.wrap(zip(paths, targets, strict=True)):
            with callback.branched(path, target) as child:
                AbstractFileSystem.get_file(self, path, target, callback=child, **options)

    # ---- POSIX

    def _posix_stat_past(self, path: str) -> os.stat_result:
        return self._stat(self._find_entry(path, follow=True))

    def _posix_lstat_past(self, path: str) -> os.stat_result:
        return self._stat(self._find_entry(path, follow=False))

    def _stat(self, found: tuple[str, Entry]) -> os.stat_result:
        path, entry = found
        info = self._describe(path, entry)
        size = entry.size if entry.type != "link" else len((entry.target or "").encode("utf-8", "surrogateescape"))
        time_ns = entry.mtime_ns or 0
        numbers = mode_of(info), entry.ino or 0, 0, entry.nlink, entry.uid or 0, entry.gid or 0, size
        seconds = (time_ns // 10**9,) * 3
        return os.stat_result(
            (*numbers, *seconds),
            {
                **{f"st_{name}time": time_ns / 1e9 for name in "amc"},
                **{f"st_{name}time_ns": time_ns for name in "amc"},
                "st_rdev": entry.rdev,
            },
        )

    def _posix_readlink_past(self, path: str) -> str:
        _, entry = self._find_entry(path, follow=False)
        if entry.type != "link":
            raise os_error(errno.EINVAL, path)
        return entry.target or ""

    def _posix_listxattr_past(self, path: str) -> list[str]:
        return [name for name, _ in self._xattrs(path)]

    def _posix_getxattr_past(self, path: str, name: str) -> bytes:
        for known, value in self._xattrs(path):
            if known == name:
                return value
        raise os_error(errno.ENODATA, path)

    def _xattrs(self, path: str) -> tuple[tuple[str, bytes], ...]:
        place, entry = self._find_entry(path, follow=True)
        known = self._tree.xattrs(place, entry)
        if known is None:
            raise not_supported("extended attributes", path)
        return known

    def _posix_open_handle_past(self, path: str, flags: int, mode: int) -> PastHandle:
        place, entry = self._file(path)
        return PastHandle(self, place, entry)


class PastFile(AbstractBufferedFile):
    """A file of a snapshot, open for reading."""

    def __init__(self, fs: PastFileSystem, path: str, entry: Entry, **options: Any) -> None:
        self._entry = entry
        super().__init__(fs, path, "rb", size=entry.size, **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        data: bytes = self.fs.read_range(self.path, self._entry, start, min(end, self.size))
        return data


class PastHandle:
    """A handle of a file of a snapshot."""

    def __init__(self, fs: PastFileSystem, path: str, entry: Entry) -> None:
        self._fs, self._path, self._entry = fs, path, entry
        self._is_open = True

    def pread(self, size: int, offset: int) -> bytes:
        """Bytes from an offset."""
        self._require()
        end = min(offset + size, self._entry.size)
        return self._fs.read_range(self._path, self._entry, offset, end) if end > offset else b""

    def pwrite(self, data: Any, offset: int) -> int:
        """EBADF: it is open for reading."""
        raise os_error(errno.EBADF, self._path)

    def truncate(self, size: int) -> None:
        """EBADF: it is open for reading."""
        raise os_error(errno.EBADF, self._path)

    def flush(self) -> None:
        """Nothing was written."""
        self._require()

    fsync = flush

    def stat(self) -> os.stat_result:
        """Attributes."""
        self._require()
        return self._fs.posix.stat(self._path)

    def close(self) -> None:
        """Let go."""
        self._is_open = False

    def _require(self) -> None:
        if not self._is_open:
            raise os_error(errno.EBADF, self._path)


def _top(tree: Tree) -> Entry:
    return tree.root if tree.path == "/" else _implied("/")


def _implied(path: str) -> Entry:
    """A directory above the one that the snapshot is of."""
    return Entry(split(path)[1], "directory")


def _etag(entry: Entry) -> str:
    """What changes with the content."""
    if entry.is_directory:
        return entry.tree
    return hashlib.sha256(
        f"{entry.target or ''}{''.join(entry.content)}".encode("utf-8", "surrogateescape")
    ).hexdigest()
