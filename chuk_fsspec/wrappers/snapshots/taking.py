"""Taking a snapshot into a repository."""

from __future__ import annotations

import errno
import json
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from math import inf
from typing import Any, Union

from fsspec.callbacks import Callback

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.foreign import os_error_of
from chuk_fsspec.contract.paths import join
from chuk_fsspec.forwarding.publishing.leftovers import is_left_behind
from chuk_fsspec.wrappers.snapshots.entry import Entry, encode
from chuk_fsspec.wrappers.snapshots.live import LiveTree, now_ns, settled
from chuk_fsspec.wrappers.snapshots.repository import Repository
from chuk_fsspec.wrappers.snapshots.repository.locks import Lock
from chuk_fsspec.wrappers.snapshots.repository.repository import MARK
from chuk_fsspec.wrappers.snapshots.repository.writing import BlobWriter

ATTEMPTS = 5
"""How often a file is read that changes meanwhile."""

_AHEAD = 4
"""Directories per thread whose files are being read while the walk goes on."""

Reading = tuple[Entry, "Future[Entry | None]"]
Pool = Union[ThreadPoolExecutor, "_Here"]


class Counts:
    """What a snapshot came to."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.read_again: list[str] = []


class _Directory:
    """A directory of which files are still being read, or directories in it are not complete."""

    def __init__(self, path: str, entry: Entry, parent: _Directory | None) -> None:
        self.path, self.entry, self.parent = path, entry, parent
        self.done: list[Entry] = []
        self.reading: list[Reading] = []
        self.unfinished = 1  # its own files, and each directory in it
        self.seen_ns = 0


class Taker:
    """Walks a tree and stores what the repository does not have yet.

    The walk goes on while files are read in other threads; a directory is stored when everything in it is.
    """

    def __init__(
        self, live: LiveTree, repository: Repository, writer: BlobWriter, lock: Lock, workers: int, callback: Callback
    ) -> None:
        self._live, self._repository, self._writer, self._lock = live, repository, writer, lock
        self._workers, self._callback = workers, callback
        self._identity = repository.identity()
        self._open: deque[_Directory] = deque()
        self._root = Entry("", "directory")
        self.counts = Counts()

    def take(self, previous: Entry | None) -> Entry:
        """Store the tree.

        Args:
            previous: the root of the last snapshot of the same directory, whose unchanged files are not read again.

        Returns:
            The root, as stored.

        Raises:
            OSError: ESTALE for a file that changed each time it was read; EINVAL if the store lies in the tree.
        """
        with ThreadPoolExecutor(self._workers, "chuksnap-read") if self._workers > 1 else nullcontext(_Here()) as pool:
            waiting: list[tuple[_Directory, Entry | None]] = [
                (_Directory(self._live.path, self._live.root, None), previous)
            ]
            while waiting:
                directory, before = waiting.pop()
                waiting += self._begin(directory, before, pool)
                self._open.append(directory)
                while len(self._open) > (_AHEAD * self._workers if self._workers > 1 else 0):
                    self._finish(self._open.popleft(), pool)
            while self._open:
                self._finish(self._open.popleft(), pool)
        return self._root

    def _begin(self, directory: _Directory, before: Entry | None, pool: Pool) -> list[tuple[_Directory, Entry | None]]:
        """List a directory and have its changed files read; returns the directories in it."""
        self._lock.refresh()
        directory.seen_ns = now_ns()
        known = self._known(before)
        deeper: list[tuple[_Directory, Entry | None]] = []
        for entry in self._live.entries(directory.path, directory.entry):
            if is_left_behind(entry.name, lambda: inf):
                continue  # half a file, of a process that was killed
            old = known.get(entry.name)
            path = join(directory.path, entry.name)
            if entry.is_directory:
                deeper.append((_Directory(path, entry, directory), old))
                directory.unfinished += 1
            elif old is not None and entry.version and old[:12] == entry[:12] and self._writer.has(*old.content):
                directory.done.append(old)
                self._count(old)
            else:
                if entry.name == MARK:
                    self._refuse_own_store(path)
                directory.reading.append((entry, pool.submit(self._store, path, entry)))
        return deeper

    def _known(self, before: Entry | None) -> dict[str, Entry]:
        """The entries that a directory had; none where the store lacks them, and everything is to be stored again."""
        if before is None or not before.tree or not self._writer.has(before.tree):
            return {}
        return {entry.name: entry for entry in self._repository.tree(before.tree)}

    def _finish(self, directory: _Directory, pool: Pool) -> None:
        """Wait for the files of a directory, and read those again that changed meanwhile."""
        for attempt in range(ATTEMPTS):
            if not directory.reading:
                break
            stored = [(entry, reading.result()) for entry, reading in directory.reading]
            seen_ns = now_ns()
            now = {entry.name: entry for entry in self._live.entries(directory.path, directory.entry)}
            directory.reading = []
            for entry, result in stored:
                current = now.get(entry.name)
                if current is None:
                    self.counts.read_again.append(join(directory.path, entry.name))
                elif result is None or not _is_same(entry, current, result):
                    if current.is_directory or attempt == ATTEMPTS - 1:
                        raise _restless(join(directory.path, entry.name))
                    self.counts.read_again.append(path := join(directory.path, entry.name))
                    directory.reading.append((current, pool.submit(self._store, path, current)))
                else:
                    directory.done.append(settled(result, directory.seen_ns))
                    self._count(result)
            directory.seen_ns = seen_ns
        self._complete(directory)

    def _complete(self, directory: _Directory) -> None:
        """Store a directory if nothing in it is missing any more, and then perhaps the one that holds it."""
        current: _Directory | None = directory
        while current is not None:
            current.unfinished -= 1
            if current.unfinished:
                return
            tree = self._writer.add(encode(current.done), compress=True)
            xattrs = self._live.xattrs(current.path, current.entry)
            entry = current.entry._replace(tree=tree, xattrs=xattrs)
            if current.parent is None:
                self._root = entry
            else:
                current.parent.done.append(entry)
            current = current.parent

    def _store(self, path: str, entry: Entry) -> Entry | None:
        """Store the content of a file, in some thread; None if it vanished."""
        try:
            xattrs = self._live.xattrs(path, entry)
            if not entry.is_file:
                rdev = self._live.rdev(path) if entry.type == "other" else 0
                return entry._replace(xattrs=xattrs, rdev=rdev)
            content: list[str] = []
            size = 0
            for block in self._live.blocks(path, entry):
                self._lock.refresh()
                content.append(self._writer.add(block))
                size += len(block)
                self._callback.relative_update(len(block))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise os_error_of(error, path) from error
        return entry._replace(size=size, xattrs=xattrs, content=tuple(content))

    def _count(self, entry: Entry) -> None:
        self.counts.files += 1
        self.counts.bytes += entry.size

    def _refuse_own_store(self, path: str) -> None:
        data = self._live.fs.cat_file(self._live.inward(path))
        try:
            is_own = json.loads(data)["id"] == self._identity
        except (ValueError, KeyError, TypeError):
            return
        if is_own:
            raise store_inside(path)


class _Here:
    """An executor that has no threads."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call the function at once."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)
        return future


def _is_same(entry: Entry, current: Entry, result: Entry) -> bool:
    """Whether a file was the same before and after it was read, and was read whole."""
    return entry[:12] == current[:12] and (entry.size < 0 or result.size == entry.size)


def store_inside(path: str) -> OSError:
    """EINVAL for a store that would have to hold itself."""
    return os_error(errno.EINVAL, path, hint="the store lies inside of what it is to hold; keep it somewhere else")


def _restless(path: str) -> OSError:
    hint = f"it changed each of the {ATTEMPTS} times that it was read; stop what writes to it, and try again"
    return os_error(errno.ESTALE, path, hint=hint)
