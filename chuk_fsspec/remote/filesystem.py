"""``RemoteFileSystem``: the fsspec surface over any store that is reached by requests."""

from __future__ import annotations

from typing import Any

from fsspec.asyn import AsyncFileSystem
from fsspec.utils import tokenize

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.surface import LeafSurface
from chuk_fsspec.contract.transaction import EndingTransaction
from chuk_fsspec.remote.moving import Moving
from chuk_fsspec.remote.opening import Opening
from chuk_fsspec.remote.posix import RemotePosix
from chuk_fsspec.remote.waiting import waiting, waiting_briefly


class RemoteFileSystem(Opening):
    """A filesystem whose files are far away. A backend gives it the store of its service, by ``_make_store``.

    Each method of fsspec is there twice: as a coroutine with an underscore before its name, to be awaited in any event
    loop, and as a method that waits for it. ``capabilities`` are those of the service.
    """

    transaction_type = EndingTransaction

    @property
    def posix(self) -> RemotePosix:
        """POSIX operations on this filesystem."""
        return RemotePosix(self)

    @property
    def fsid(self) -> str:
        """Names the filesystem: two with one ``fsid`` see the same files."""
        protocol = self.protocol if isinstance(self.protocol, str) else self.protocol[0]
        return f"{protocol}-{tokenize(self.storage_args, self.storage_options)}"

    # ---- looking

    info = waiting_briefly(Moving._info)
    ls = waiting(Moving._ls)
    find = waiting(Moving._find)
    glob = waiting(Moving._glob)
    expand_path = waiting(AsyncFileSystem._expand_path)
    exists = waiting_briefly(Moving._exists)
    lexists = waiting_briefly(Moving._lexists)
    isfile = waiting_briefly(Moving._isfile)
    isdir = waiting_briefly(Moving._isdir)
    size = waiting_briefly(Moving._size)
    sizes = waiting(AsyncFileSystem._sizes)
    du = waiting(Moving._du)
    created = waiting_briefly(Moving._created)
    modified = waiting_briefly(Moving._modified)
    ukey = waiting_briefly(Moving._ukey)
    checksum = waiting_briefly(Moving._checksum)
    sign = waiting(Moving._sign)

    # ---- reading

    cat_file = waiting_briefly(Moving._cat_file)
    cat = waiting(AsyncFileSystem._cat)
    cat_ranges = waiting(Moving._cat_ranges)
    get_file = waiting(Moving._get_file)
    get = waiting(AsyncFileSystem._get)

    def head(self, path: str, size: int = 1024) -> bytes:
        """The first bytes of a file."""
        data: bytes = self.cat_file(path, 0, size)
        return data

    def tail(self, path: str, size: int = 1024) -> bytes:
        """The last bytes of a file."""
        data: bytes = self.cat_file(path, -size) if size else b""
        return data

    # ---- writing

    touch = waiting(Moving._touch)
    put = waiting(AsyncFileSystem._put)
    cp_file = waiting(Moving._cp_file)
    copy = waiting(Moving._copy)
    mkdir = waiting(Moving._mkdir)
    makedirs = waiting(Moving._makedirs)

    def pipe_file(self, path: str, value: Buffer, mode: str = "overwrite", **kwargs: Any) -> str | None:
        """Write a whole file in one step, or at the end of a transaction (``_pipe_file``)."""
        if not self._intrans:
            work = self._pipe_file(path, value, mode, **kwargs)
            etag: str | None = self._wait_briefly(work) if self._is_whole(value) else self._wait(work)
            return etag
        return self._pipe_by_opening(path, value, mode, **kwargs)

    def pipe(self, path: str | dict[str, Any], value: Any = None, **kwargs: Any) -> None:
        """Write one file, or each of a dict, several at once; or at the end of a transaction (``_pipe``)."""
        if self._intrans:
            LeafSurface.pipe(self, path, value, **kwargs)
            return
        work = self._pipe(path, value, **kwargs)
        values = path.values() if isinstance(path, dict) else (value,)
        if all(self._is_whole(one) for one in values):
            self._wait_briefly(work)
        else:
            self._wait(work)

    def _is_whole(self, value: Buffer) -> bool:
        """Whether a file with such content is written by one request."""
        return memoryview(value).nbytes <= self.traits.largest_whole

    def put_file(self, lpath: Any, rpath: str, *arguments: Any, **kwargs: Any) -> str | None:
        """Upload a local file, now or at the end of a transaction (``_put_file``)."""
        if self._intrans:
            return LeafSurface.put_file(self, lpath, rpath, *arguments, **kwargs)
        etag: str | None = self._wait(self._put_file(lpath, rpath, *arguments, **kwargs))
        return etag

    # ---- removing and moving

    rm_file = waiting(Moving._rm_file)
    rm = waiting(Moving._rm)
    rmdir = waiting(Moving._rmdir)
    mv = waiting(Moving._mv)

    def start_transaction(self) -> Any:
        """Begin a transaction without a ``with`` block; ``end_transaction`` publishes what was written."""
        self.transaction.start()
        return self.transaction

    def close(self) -> None:
        """Let go of all connections; what is asked later makes new ones."""
        self._wait(self._close())
