"""A real asynchronous filesystem for tests: objects in a dict, behind a network that takes its time."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from fsspec.asyn import AbstractAsyncStreamedFile, AsyncFileSystem, sync
from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.spec import AbstractBufferedFile

PART = 256 * 1024


@dataclass
class Service:
    """What all filesystem objects of one name talk to.

    Attributes:
        objects: content and time of each key.
        uploads: parts of the multipart uploads that are neither completed nor aborted.
        latency: seconds that each request waits.
        calls: how often each request was made.
        running: requests under way.
        most_running: the largest number of requests that were under way at once.
        fail: the next requests of these names fail with a ConnectionError, this many times.
    """

    objects: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    latency: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most_running: int = 0
    fail: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=count)

    @asynccontextmanager
    async def request(self, name: str) -> AsyncIterator[None]:
        """One request to the service, counted and delayed."""
        self.calls[name] += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.latency)
            if self.fail[name]:
                self.fail[name] -= 1
                raise ConnectionError(f"the service refused {name}")
            yield
        finally:
            self.running -= 1


_services: dict[str, Service] = {}


class AsyncObjectFileSystem(AsyncFileSystem):
    """Objects by key, without a slash in front; directories are prefixes. Large files are uploaded in parts.

    What is written through ``open`` appears when the upload is completed: on close, or with ``autocommit=False`` on
    ``commit``. ``discard`` aborts it.
    """

    protocol = "asyncobjects"
    root_marker = ""

    def __init__(self, name: str = "default", latency: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.service = _services.setdefault(name, Service())
        self.service.latency = latency

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return os.fspath(path).removeprefix(f"{cls.protocol}://").strip("/")

    # ---- looking

    async def _info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        async with self.service.request("info"):
            return self._describe(self._strip_protocol(path))

    async def _ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        async with self.service.request("ls"):
            key = self._strip_protocol(path)
            prefix = f"{key}/" if key else ""
            keys = list(self.service.objects)
            children = {prefix + other[len(prefix) :].split("/")[0] for other in keys if other.startswith(prefix)}
            if not children and key:
                children = {self._describe(key)["name"]}
            infos = [self._describe(child) for child in sorted(children)]
            return infos if detail else [info["name"] for info in infos]

    def _describe(self, key: str) -> dict[str, Any]:
        if (found := self.service.objects.get(key)) is not None:
            data, mtime = found
            return {"name": key, "size": len(data), "type": "file", "mtime": mtime, "ETag": f"{hash(data):x}"}
        if not key or any(other.startswith(f"{key}/") for other in list(self.service.objects)):
            return {"name": key, "size": 0, "type": "directory"}
        raise FileNotFoundError(key)

    # ---- whole objects

    def _get_object(self, path: str) -> bytes:
        try:
            return self.service.objects[self._strip_protocol(path)][0]
        except KeyError:
            raise FileNotFoundError(path) from None

    def _put_object(self, path: str, data: bytes, create: bool) -> None:
        key = self._strip_protocol(path)
        if create and key in self.service.objects:
            raise FileExistsError(path)
        self.service.objects[key] = (data, time.time())

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        async with self.service.request("cat_file"):
            return self._get_object(path)[start:end]

    async def _pipe_file(self, path: str, value: Any, mode: str = "overwrite", **kwargs: Any) -> None:
        async with self.service.request("pipe_file"):
            self._put_object(path, bytes(value), mode == "create")

    async def _put_file(
        self, lpath: str, rpath: str, mode: str = "overwrite", callback: Callback = DEFAULT_CALLBACK, **kwargs: Any
    ) -> None:
        if os.path.isdir(lpath):  # noqa: ASYNC240 - as s3fs does it
            return
        with open(lpath, "rb") as file:  # noqa: ASYNC230 - as s3fs does it
            data = file.read()
        callback.set_size(len(data))
        await self._pipe_file(rpath, data, mode=mode)
        callback.relative_update(len(data))

    async def _get_file(self, rpath: str, lpath: str, callback: Callback = DEFAULT_CALLBACK, **kwargs: Any) -> None:
        if await self._isdir(rpath):
            os.makedirs(lpath, exist_ok=True)
            return
        data = await self._cat_file(rpath)
        callback.set_size(len(data))
        os.makedirs(os.path.dirname(lpath), exist_ok=True)
        with open(lpath, "wb") as file:  # noqa: ASYNC230 - as s3fs does it
            callback.relative_update(file.write(data))

    async def _cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        async with self.service.request("cp_file"):
            if self._describe(self._strip_protocol(path1))["type"] == "file":
                self._put_object(path2, self._get_object(path1), create=False)

    async def _rm_file(self, path: str, **kwargs: Any) -> None:
        async with self.service.request("rm_file"):
            self._get_object(path)
            del self.service.objects[self._strip_protocol(path)]

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Directories come with what is in them."""

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Directories come with what is in them."""

    # ---- uploads in parts

    async def _start_upload(self, path: str) -> str:
        async with self.service.request("start_upload"):
            upload = f"upload-{next(self.service.numbers)}"
            self.service.uploads[upload] = {}
            return upload

    async def _upload_part(self, upload: str, number: int, data: bytes) -> None:
        async with self.service.request("upload_part"):
            self.service.uploads[upload][number] = data

    async def _complete_upload(self, upload: str, path: str, create: bool) -> None:
        async with self.service.request("complete_upload"):
            parts = self.service.uploads[upload]
            self._put_object(path, b"".join(parts[number] for number in sorted(parts)), create)
            del self.service.uploads[upload]

    async def _abort_upload(self, upload: str) -> None:
        async with self.service.request("abort_upload"):
            self.service.uploads.pop(upload, None)

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, autocommit: bool = True, **kwargs: Any
    ) -> MultipartFile:
        return MultipartFile(self, path, mode, block_size or PART, autocommit, cache_type="readahead")

    async def open_async(self, path: str, mode: str = "rb", **kwargs: Any) -> StreamedFile:
        size = (await self._info(path))["size"] if mode == "rb" else None
        return StreamedFile(self, path, mode, block_size=PART, size=size, cache_type="none")


class MultipartFile(AbstractBufferedFile):
    """A file of ``open``: read by ranges, written by parts."""

    _upload: str | None = None
    _parts = 0

    def _run(self, request: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
        return sync(self.fs.loop, request, *args, **kwargs)

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self._run(self.fs._cat_file, self.path, start=start, end=end)

    def _initiate_upload(self) -> None:
        self._upload = self._run(self.fs._start_upload, self.path)

    def _upload_chunk(self, final: bool = False) -> bool:
        self._run(self.fs._upload_part, self._upload, self._parts, self.buffer.getvalue())
        self._parts += 1
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        self._run(self.fs._complete_upload, self._upload, self.path, "x" in self.mode)
        self._upload = None

    def discard(self) -> None:
        if self._upload is not None:
            self._run(self.fs._abort_upload, self._upload)
            self._upload = None


class StreamedFile(AbstractAsyncStreamedFile):
    """A file of ``open_async``."""

    _upload: str | None = None
    _parts = 0

    async def _fetch_range(self, start: int, end: int) -> bytes:
        return await self.fs._cat_file(self.path, start=start, end=end)

    async def _initiate_upload(self) -> None:
        self._upload = await self.fs._start_upload(self.path)

    async def _upload_chunk(self, final: bool = False) -> bool:
        await self.fs._upload_part(self._upload, self._parts, self.buffer.getvalue())
        self._parts += 1
        if final:
            await self.fs._complete_upload(self._upload, self.path, create=False)
        return True
