"""What the filesystems of services with buckets have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.versions import Versions
from chuk_fsspec.remote.filesystem import RemoteFileSystem
from chuk_fsspec.remote.keys.buckets import KeyBuckets
from chuk_fsspec.remote.keys.names import prefix_of
from chuk_fsspec.remote.keys.service import KeyService
from chuk_fsspec.remote.keys.space import no_version
from chuk_fsspec.remote.keys.tree import KeyTree
from chuk_fsspec.remote.keys.trees import BucketTrees
from chuk_fsspec.remote.keys.versions import KeyVersions
from chuk_fsspec.remote.known import Known

Result = TypeVar("Result")


class KeyFileSystem(RemoteFileSystem):
    """A filesystem whose store is a ``KeyTree`` or ``BucketTrees``.

    What reads a file takes ``version_id=``, which names a version of it (``versions``).
    """

    _version = ""
    """Of the one file that is read, in a view that ``_at`` has made."""

    def __init__(self, *, bucket_name: str, prefix: str, **kwargs: Any) -> None:
        """Prepare; nothing is asked of the service yet.

        Args:
            bucket_name: the bucket that is the root; empty for all buckets.
            prefix: what all keys begin with, a directory of the bucket that is the root; needs ``bucket_name``.
            kwargs: of every remote filesystem, and fsspec's own.

        Raises:
            ValueError: for a prefix without a bucket.
        """
        if prefix and not bucket_name:
            raise ValueError(f"prefix={prefix!r} is a directory of a bucket; name that with bucket_name=")
        self.bucket_name = bucket_name
        self.prefix = prefix_of(prefix)
        super().__init__(**kwargs)

    def _make_store(self) -> KeyTree | BucketTrees:
        raise NotImplementedError

    @property
    def buckets(self) -> KeyBuckets:
        """The buckets of the service, and their objects by their keys."""
        return KeyBuckets(self)

    @property
    def versions(self) -> Versions:
        """The versions of files, where the bucket keeps them."""
        return KeyVersions(self)

    @property
    def _store(self) -> KeyTree | BucketTrees:
        store = super()._store
        assert isinstance(store, (KeyTree, BucketTrees))
        return store.at(self._version) if self._version else store

    def _at(self, version_id: str) -> KeyFileSystem:
        """This filesystem, over the same connections, in which a file is read as one of its versions."""
        view: KeyFileSystem = object.__new__(type(self))
        # Whoever reads by it keeps the connections, which end with the filesystem that has made them.
        view.__dict__.update(vars(self), _version=version_id, _known=Known(0, listings=False), _made_from=self)
        return view

    def _of_version(self) -> dict[str, Any]:
        return {"version_id": self._version} if self._version else {}

    async def _nothing_at(self, path: str) -> OSError:
        return no_version(path, self._version) if self._version else await super()._nothing_at(path)

    async def _info(self, path: str, version_id: str = "", **kwargs: Any) -> dict[str, Any]:
        """What is known of a path, or of a version of a file."""
        return await RemoteFileSystem._info(self._reading(version_id), path, **kwargs)

    async def _cat_file(
        self, path: str, start: int | None = None, end: int | None = None, version_id: str = "", **kwargs: Any
    ) -> bytes:
        """A file's bytes, or those of a version of it, or those from ``start`` to ``end``. ENOENT, EISDIR."""
        return await RemoteFileSystem._cat_file(self._reading(version_id), path, start, end, **kwargs)

    async def _get_file(self, rpath: str, lpath: Any, *arguments: Any, version_id: str = "", **kwargs: Any) -> None:
        """Download a file, or a version of it."""
        await RemoteFileSystem._get_file(self._reading(version_id), rpath, lpath, *arguments, **kwargs)

    async def _opened(
        self,
        path: str,
        mode: str,
        block_size: int | None,
        autocommit: bool,
        condition: Condition | None,
        options: dict[str, Any],
    ) -> Any:
        fs = self._reading(options.pop("version_id", ""), mode)
        return await RemoteFileSystem._opened(fs, path, mode, block_size, autocommit, condition, options)

    async def open_async(self, path: str, mode: str = "rb", *, version_id: str = "", **kwargs: Any) -> Any:
        """Open a file, or a version of it, to be awaited, as ``RemoteFileSystem`` has it."""
        return await RemoteFileSystem.open_async(self._reading(version_id, mode), path, mode, **kwargs)

    def _reading(self, version_id: str, mode: str = "rb") -> KeyFileSystem:
        """What reads a version; without one, this filesystem. ValueError for a mode that writes."""
        if version_id and mode != "rb":
            raise ValueError(f"version_id={version_id!r} is for reading; mode {mode!r} makes a version of its own")
        return self._at(version_id) if version_id else self

    def reach(self) -> KeyTree | BucketTrees:
        """The service, in the running event loop."""
        return self._store

    def _ask_service(self, ask: Callable[[KeyService], Awaitable[Result]]) -> Result:
        """Have something asked of the service in the event loop of this filesystem."""

        async def asked() -> Result:
            return await ask(self.reach().service)

        return self._wait(asked())

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have a coroutine run by the event loop of this filesystem."""
        return self._wait(work)
