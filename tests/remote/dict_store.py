"""A service for tests: files in a dict behind a network that takes its time and can fail."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from time import time
from typing import Any, ClassVar

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import link_in_the_way, not_found, os_error
from chuk_fsspec.contract.paths import is_inside, join, split
from chuk_fsspec.remote.filesystem import RemoteFileSystem
from chuk_fsspec.remote.store import Attributes, Entry, RemoteStore, Traits

PART = 64 * 1024

BARE = Capabilities(
    write=True,
    atomic_write=True,
    modified_times=True,
    shared_between_threads=True,
    shared_between_processes=True,
)
"""What any object store can."""

BUCKET = replace(
    BARE, directories=True, exclusive_create=True, etags=True, versioned_reads=True, conditional_write=True
)
"""An object store with markers for directories, and preconditions."""

TREE = replace(BUCKET, rename=True, replace=True, attributes=True, symlinks=True)
"""A filesystem behind a service."""


class Gate:
    """Holds requests until it is opened."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_open: asyncio.Event | None = None

    async def wait(self) -> None:
        """What a request does here."""
        if self._is_open is None:
            self._loop, self._is_open = asyncio.get_running_loop(), asyncio.Event()
        self._arrived.release()
        await self._is_open.wait()

    def wait_for(self, count: int) -> None:
        """Wait until so many more requests have come."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=60)

    def open(self) -> None:
        """Let all go that have come, and those that will; some have."""
        assert self._loop is not None
        assert self._is_open is not None
        self._loop.call_soon_threadsafe(self._is_open.set)


@dataclass
class Service:
    """What the stores of one name talk to.

    Attributes:
        entries: by path; the root is always there.
        contents: of the files among them.
        uploads: parts of those that are neither finished nor aborted.
        latency: seconds that each request waits.
        requests: how often each was made.
        running: requests under way.
        most_running: the largest number that were under way at once.
        failures: the next requests of these names fail, with the error at the front of the list.
        gates: requests of these names are held.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[int, dict[int, bytes]] = field(default_factory=dict)
    latency: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most_running: int = 0
    failures: dict[str, list[OSError]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    gates: dict[str, Gate] = field(default_factory=dict)

    @asynccontextmanager
    async def request(self, name: str) -> AsyncIterator[None]:
        """One request, counted and delayed."""
        self.requests[name] += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            if name in self.gates:
                await self.gates[name].wait()
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            yield
        finally:
            self.running -= 1

    def put(self, path: str, data: bytes, besides: Attributes) -> Entry:
        """Make or replace a file."""
        old, now = self.entries.get(path), time()
        entry = old._replace(mtime=now) if old is not None else Entry(path, "file", mtime=now, created=now)
        entry = entry._replace(kind="file", size=len(data), etag=f"{next(self.numbers):x}", destination="")
        self.entries[path], self.contents[path] = _with(entry, besides), data
        return self.entries[path]


SERVICES: dict[str, Service] = {}


def service(name: str) -> Service:
    """The service of a name; a new one if there is none."""
    return SERVICES.setdefault(name, Service())


class DictStore:
    """One connection to a service."""

    def __init__(self, service: Service, traits: Traits) -> None:
        self.service, self._traits = service, traits
        self._can = traits.capabilities
        self.is_closed = False

    @property
    def traits(self) -> Traits:
        return self._traits

    # ---- looking

    async def look(self, path: str) -> Entry | None:
        async with self.service.request("look"):
            return self._shown(path)

    def _shown(self, path: str) -> Entry | None:
        entry = self.service.entries.get(path)
        if entry is not None:
            return self._with_what_is_declared(entry)
        is_prefix = not self._can.directories and any(one.startswith(path + "/") for one in self.service.entries)
        return Entry(path, "directory") if path == "/" or is_prefix else None

    def _with_what_is_declared(self, entry: Entry) -> Entry:
        if not self._can.etags or entry.kind != "file":
            entry = entry._replace(etag="")
        if not self._can.modified_times:
            entry = entry._replace(mtime=None, created=None)
        return entry

    async def list(self, path: str, *, names_only: bool = False) -> list[Entry]:
        async with self.service.request("list"):
            found = self._shown(path)
            if found is None:
                raise not_found(path)
            if found.kind != "directory":
                raise os_error(errno.ENOTDIR, path)
            prefix = path.rstrip("/") + "/"
            names = {one[len(prefix) :].split("/")[0] for one in self.service.entries if one.startswith(prefix)}
            entries = [self._shown(join(path, name)) for name in names]
            return [entry for entry in entries if entry is not None]

    async def descend(self, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
        async with self.service.request("descend"):
            prefix = path.rstrip("/") + "/"
            below = {one for one in self.service.entries if one.startswith(prefix)}
            for one in list(below):
                while (one := split(one)[0]).startswith(prefix) and one != "/" and one not in below:
                    below.add(one)
        shown = [self._shown(one) for one in below]
        yield [entry for entry in shown if entry is not None]

    # ---- reading

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        async with self.service.request("read"):
            entry = self._file(path)
            if etag and etag != entry.etag:
                raise os_error(errno.ESTALE, path)
            return self.service.contents[path][start:stop]

    async def read_latest(self, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
        async with self.service.request("read"):
            return self._file(path), self.service.contents[path][start:stop]

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        async with self.service.request("stream"):
            self._file(path)
            data = self.service.contents[path]
        for place in range(0, len(data), PART):
            yield data[place : place + PART]

    def _file(self, path: str) -> Entry:
        entry = self._shown(path)
        if entry is None:
            raise not_found(path)
        if entry.kind == "link":
            raise link_in_the_way(path)
        if entry.kind != "file":
            raise os_error(errno.EISDIR, path)
        return entry

    # ---- writing

    async def write(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        async with self.service.request("write"):
            assert len(data) <= self._traits.largest_whole
            return self._put(path, data, besides, condition)

    def _put(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        self._require(path, condition)
        found = self._shown(path)
        if found is not None and found.kind == "directory":
            raise os_error(errno.EISDIR, path)
        return self._with_what_is_declared(self.service.put(path, data, besides))

    def _require(self, path: str, condition: Condition | None) -> None:
        above = split(path)[0]
        if above != "/" and self._can.directories:
            directory = self.service.entries.get(above)
            if directory is None:
                raise not_found(path)
            if directory.kind != "directory":
                raise os_error(errno.ENOTDIR, path)
        if condition is not None:
            assert self._can.conditional_write or (self._can.exclusive_create and condition.is_new)
            found = self._shown(path)
            condition.require(path, None if found is None else found.etag)

    async def upload(self, path: str, besides: Attributes, condition: Condition | None) -> DictUpload:
        async with self.service.request("upload"):
            self._require(path, None)
            return DictUpload(self, path, besides, condition)

    async def make_directory(self, path: str, *, is_missing: bool = False) -> None:
        async with self.service.request("make_directory"):
            self._make(path, "directory")

    async def set_attributes(self, path: str, changed: Attributes) -> None:
        async with self.service.request("set_attributes"):
            if path not in self.service.entries:
                raise not_found(path)
            self.service.entries[path] = _with(self.service.entries[path], changed)

    async def make_link(self, path: str, destination: str) -> None:
        async with self.service.request("make_link"):
            self._make(path, "link", destination)

    def _make(self, path: str, kind: Any, destination: str = "") -> None:
        self._require(path, None)
        if path in self.service.entries:
            raise os_error(errno.EEXIST, path)
        now = time()
        self.service.entries[path] = Entry(path, kind, mtime=now, created=now, destination=destination)

    # ---- removing, copying, moving

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        async with self.service.request("remove_file"):
            found = self._shown(path)
            if found is not None and found.kind == "directory":
                raise os_error(errno.EISDIR, path)
            if condition is not None:
                condition.require(path, None if found is None else found.etag)
            if found is None:
                raise not_found(path)
            self._forget(path)

    def _forget(self, path: str) -> None:
        self.service.entries.pop(path, None)
        self.service.contents.pop(path, None)

    def _all(self, path: str) -> Sequence[str]:
        return [one for one in self.service.entries if is_inside(one, path)]

    async def remove_directory(self, path: str) -> None:
        async with self.service.request("remove_directory"):
            found = self._shown(path)
            if found is None:
                raise not_found(path)
            if found.kind != "directory":
                raise os_error(errno.ENOTDIR, path)
            if len(self._all(path)) > 1:
                raise os_error(errno.ENOTEMPTY, path)
            self._forget(path)

    async def remove_tree(self, path: str) -> None:
        async with self.service.request("remove_tree"):
            for one in self._all(path):
                self._forget(one)

    async def copy_file(self, source: str, target: str, condition: Condition | None, source_etag: str = "") -> Entry:
        async with self.service.request("copy_file"):
            entry = self._file(source)
            if source_etag and source_etag != entry.etag:
                raise Condition(if_match=source_etag).failure(source, entry.etag)
            return self._put(target, self.service.contents[source], Attributes(mode=entry.mode), condition)

    async def move(self, source: Entry, target: str, condition: Condition | None, source_etag: str = "") -> None:
        async with self.service.request("move"):
            found = self._shown(source.path)
            if found is None:
                raise not_found(source.path)
            if source_etag and source_etag != found.etag:
                raise Condition(if_match=source_etag).failure(source.path, found.etag)
            self._require(target, condition)
            if found.kind == "directory" and any(one != target for one in self._all(target)):
                raise os_error(errno.ENOTEMPTY, source.path, target)
            for one in self._all(source.path):
                to = target + one[len(source.path) :]
                self.service.entries[to] = self.service.entries[one]._replace(path=to)
                if one in self.service.contents:
                    self.service.contents[to] = self.service.contents[one]
                self._forget(one)

    # ---- the rest

    async def sign(self, path: str, expiration: int, method: str) -> str:
        return f"https://service.invalid{path}?expires={expiration}&method={method}"

    async def close(self) -> None:
        self.is_closed = True


class DictUpload:
    """A file on its way."""

    def __init__(self, store: DictStore, path: str, besides: Attributes, condition: Condition | None) -> None:
        self._store, self._path, self._besides, self._condition = store, path, besides, condition
        self._number = next(store.service.numbers)
        store.service.uploads[self._number] = {}

    async def send(self, number: int, data: bytes) -> None:
        async with self._store.service.request("send"):
            self._store.service.uploads[self._number][number] = data

    async def finish(self) -> Entry:
        async with self._store.service.request("finish"):
            parts = self._store.service.uploads[self._number]
            assert sorted(parts) == list(range(len(parts)))
            assert all(len(parts[number]) == self._store.traits.part_size for number in range(len(parts) - 1))
            data = b"".join(parts[number] for number in range(len(parts)))
            entry = self._store._put(self._path, data, self._besides, self._condition)
            del self._store.service.uploads[self._number]
            return entry

    async def abort(self) -> None:
        async with self._store.service.request("abort"):
            self._store.service.uploads.pop(self._number, None)


def _with(entry: Entry, besides: Attributes) -> Entry:
    changed = {name: value for name in ("mode", "mtime", "uid", "gid") if (value := getattr(besides, name)) is not None}
    return entry._replace(**changed)


class DictFileSystem(RemoteFileSystem):
    """The remote filesystem of tests."""

    protocol = "chukdict"
    kinds: ClassVar = {"bare": BARE, "bucket": BUCKET, "tree": TREE}

    def __init__(self, name: str = "", kind: str = "bucket", parallel_parts: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.service = service(name)
        self._given = Traits(
            self.kinds[kind], part_size=PART, parallel_parts=parallel_parts, parallel_requests=8, largest_whole=2 * PART
        )

    def _make_store(self) -> RemoteStore:
        return DictStore(self.service, self._given)
