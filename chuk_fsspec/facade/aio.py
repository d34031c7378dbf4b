"""``AsyncVirtualFileSystem``: ``VirtualFileSystem`` for coroutines. What each call does is said there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, overload

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.facade.bridge import Bridge, documented_by, work
from chuk_fsspec.facade.metadata import check_metadata
from chuk_fsspec.facade.node_info import NodeInfo
from chuk_fsspec.facade.progress import per_chunk
from chuk_fsspec.facade.searching import Match
from chuk_fsspec.facade.shell import STREAM_CHUNK, VirtualFileSystem
from chuk_fsspec.wrappers.streaming import AsyncReadStream, StreamResult
from chuk_fsspec.wrappers.streaming.progress import Listener


@documented_by(VirtualFileSystem)
class AsyncVirtualFileSystem:
    """``VirtualFileSystem`` with methods to be awaited, in any number of tasks at once.

    What only tells what is known is not awaited: ``pwd``, ``resolve_path``, ``list_mounts`` and such. The arguments are
    those of ``VirtualFileSystem``.
    """

    def __init__(
        self,
        provider: str | AbstractFileSystem = "memory",
        *,
        security_profile: str | Mapping[str, Any] | None = None,
        enable_mounts: bool = False,
        **options: Any,
    ) -> None:
        self.sync = VirtualFileSystem(
            provider, security_profile=security_profile, enable_mounts=enable_mounts, **options
        )
        self._bridge = Bridge(self.sync)

    async def initialize(self) -> None:
        """Nothing needs to be done before use; this is here since chuk-virtual-fs asks for it."""

    async def __aenter__(self) -> AsyncVirtualFileSystem:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return repr(self.sync).replace("VirtualFileSystem", type(self).__name__, 1)

    def _repr_html_(self) -> str:
        return self.sync._repr_html_()

    # ---- what it stands on

    @property
    def fs(self) -> AbstractFileSystem:
        return self.sync.fs

    @property
    def provider(self) -> AbstractFileSystem:
        return self.sync.provider

    def get_provider_name(self) -> str:
        return self.sync.get_provider_name()

    def get_security_violations(self) -> list[dict[str, Any]]:
        return self.sync.get_security_violations()

    async def close(self) -> None:
        await self._bridge.close()

    # ---- the current directory

    def pwd(self) -> str:
        return self.sync.pwd()

    async def cd(self, path: str = "/") -> None:
        await self._bridge.look(self.sync.cd, path)

    def resolve_path(self, path: str) -> str:
        return self.sync.resolve_path(path)

    def split_path(self, path: str) -> tuple[str, str]:
        return self.sync.split_path(path)

    async def tree(self, path: str = ".") -> str:
        return await work(self.sync.tree, path)

    # ---- mounts

    async def mount(self, mount_point: str, provider: Any, *, read_only: bool = False, **options: Any) -> None:
        below = provider.sync if isinstance(provider, AsyncVirtualFileSystem) else provider
        await work(self.sync.mount, mount_point, below, read_only=read_only, **options)

    async def unmount(self, mount_point: str, *, force: bool = False) -> None:
        await work(self.sync.unmount, mount_point, force=force)

    def list_mounts(self) -> list[dict[str, Any]]:
        return self.sync.list_mounts()

    # ---- directories

    async def mkdir(self, path: str) -> None:
        await self._bridge.change(self.sync.mkdir, path)

    async def rmdir(self, path: str) -> None:
        await self._bridge.change(self.sync.rmdir, path)

    async def ls(self, path: str = ".") -> list[str]:
        return await self._bridge.look(self.sync.ls, path)

    async def exists(self, path: str) -> bool:
        return await self._bridge.look(self.sync.exists, path)

    async def is_file(self, path: str) -> bool:
        return await self._bridge.look(self.sync.is_file, path)

    async def is_dir(self, path: str) -> bool:
        return await self._bridge.look(self.sync.is_dir, path)

    # ---- files

    async def touch(self, path: str) -> None:
        await self._bridge.change(self.sync.touch, path)

    async def write_file(
        self, path: str, content: str | Buffer, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> str | None:
        write = self.sync.write_file
        return await self._bridge.change(write, path, content, if_match=if_match, if_none_match=if_none_match)

    async def write_text(
        self,
        path: str,
        text: str,
        encoding: str = "utf-8",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> str | None:
        write = self.sync.write_text
        return await self._bridge.change(write, path, text, encoding, if_match=if_match, if_none_match=if_none_match)

    async def write_binary(
        self, path: str, data: Buffer, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> str | None:
        write = self.sync.write_binary
        return await self._bridge.change(write, path, data, if_match=if_match, if_none_match=if_none_match)

    @overload
    async def read_file(self, path: str, as_text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, path: str, as_text: Literal[False]) -> bytes: ...

    @overload
    async def read_file(self, path: str, as_text: bool) -> str | bytes: ...

    async def read_file(self, path: str, as_text: bool = True) -> str | bytes:
        return await self._bridge.look(self.sync.read_file, path, as_text)

    async def read_text(self, path: str, encoding: str = "utf-8", errors: str = "strict") -> str:
        return await self._bridge.look(self.sync.read_text, path, encoding, errors)

    async def read_binary(self, path: str) -> bytes:
        return await self._bridge.look(self.sync.read_binary, path)

    async def get_size(self, path: str) -> int:
        return await self._bridge.look(self.sync.get_size, path)

    # ---- copying, moving, removing

    async def cp(self, source: str, destination: str) -> None:
        await work(self.sync.cp, source, destination)

    async def mv(self, source: str, destination: str) -> None:
        await self._bridge.change(self.sync.mv, source, destination)

    async def rm(self, path: str, recursive: bool = False) -> None:
        await work(self.sync.rm, path, recursive)

    # ---- finding

    async def find(self, pattern: str = "*", path: str | bool = ".", recursive: bool = True) -> list[str]:
        return await work(self.sync.find, pattern, path, recursive)

    async def search(
        self,
        path: str,
        pattern: str,
        recursive: bool = True,
        *,
        regex: bool = False,
        ignore_case: bool = False,
        limit: int = 1000,
    ) -> list[Match]:
        return await work(self.sync.search, path, pattern, recursive, regex=regex, ignore_case=ignore_case, limit=limit)

    # ---- describing

    async def get_node_info(self, path: str, sha256: bool = False) -> NodeInfo | None:
        make = work if sha256 else self._bridge.look
        return await make(self.sync.get_node_info, path, sha256)

    async def get_metadata(self, path: str) -> dict[str, Any]:
        return await self._bridge.look(self.sync.get_metadata, path)

    async def set_metadata(self, path: str, metadata: Mapping[str, Any]) -> None:
        await self._bridge.change(self.sync.set_metadata, path, metadata)

    async def get_fs_info(self) -> dict[str, Any]:
        return await work(self.sync.get_fs_info)

    async def get_storage_stats(self) -> dict[str, Any]:
        return await work(self.sync.get_storage_stats)

    async def generate_presigned_url(self, path: str, expires_in: int = 3600) -> str:
        return await self._bridge.look(self.sync.generate_presigned_url, path, expires_in)

    # ---- many at once

    async def batch_create_files(self, file_specs: Iterable[Mapping[str, Any]]) -> list[str]:
        return await work(self.sync.batch_create_files, file_specs)

    async def batch_write_files(self, files: Mapping[str, str | Buffer]) -> list[str]:
        return await work(self.sync.batch_write_files, files)

    async def batch_read_files(self, paths: Iterable[str], as_text: bool = False) -> dict[str, Any]:
        return await work(self.sync.batch_read_files, paths, as_text)

    async def batch_delete_paths(self, paths: Iterable[str]) -> list[str]:
        return await work(self.sync.batch_delete_paths, paths)

    # ---- streams

    async def stream_write(
        self,
        path: str,
        stream: Any,
        chunk_size: int = STREAM_CHUNK,
        progress_callback: Listener | None = None,
        *,
        total: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **metadata: Any,
    ) -> StreamResult:
        target = self.resolve_path(path)
        check_metadata(self.fs, target, metadata)
        chunks, listener, known = per_chunk(stream, progress_callback, awaited=True)
        streams, size = self.sync.streams, known if total is None else total
        result = await streams.astream_write(
            target, chunks, chunk_size, listener, size, if_match=if_match, if_none_match=if_none_match
        )
        if metadata:
            await self._bridge.change(self.sync.set_metadata, target, metadata)
        return result

    def stream_read(self, path: str, chunk_size: int = STREAM_CHUNK) -> AsyncReadStream:
        return self.sync.streams.astream_read(self.resolve_path(path), chunk_size)

    # ---- care

    async def cleanup(self) -> dict[str, int]:
        return await work(self.sync.cleanup)
