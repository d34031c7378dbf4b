"""The fsspec surface of ``chukmem``, and the named stores of this process."""

from __future__ import annotations

import errno
import os
import threading
import uuid
import weakref
from dataclasses import replace
from typing import Any

from chuk_fsspec.backends.memory.store import MemoryStore
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine.filesystem import InodeFileSystem
from chuk_fsspec.engine.shared import SharedState

DEFAULT_NAME = "default"

_PROCESS = os.urandom(8).hex()
_stores: dict[str, SharedState] = {}
_stores_lock = threading.RLock()


class MemoryFileSystem(InodeFileSystem):
    """A filesystem in memory, shared by every instance of the same ``name`` in this process.

    It has all of fsspec's surface and, on ``fs.posix``, links, permissions, nanosecond times, extended attributes,
    sparse files and in-place writes. It can be mounted. It ends with the process.
    """

    protocol = "chukmem"
    capabilities = replace(InodeFileSystem.capabilities, snapshots=True)

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        capacity: int = 0,
        auto_mkdir: bool = True,
        *,
        follow_links: bool = True,
        at: str = "",
        **kwargs: Any,
    ) -> None:
        """Open a named store, making it if it is new.

        Args:
            name: which store; instances of one name share their files.
            capacity: most bytes of content a new store takes before ENOSPC; 0 for what memory allows.
            auto_mkdir: make missing parent directories when a file is written, copied or moved.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            at: name of a snapshot, to read the files as they were then.
            kwargs: fsspec's own options.

        Raises:
            ValueError: for a negative capacity.
            OSError: ENOENT for a snapshot that does not exist.
        """
        if capacity < 0:
            raise ValueError(f"capacity must be 0 (no limit) or a number of bytes, not {capacity}")
        self.name = name
        self.origin = _PROCESS, os.getpid()
        store = _open_store(name, capacity)
        super().__init__(store, auto_mkdir=auto_mkdir, follow_links=follow_links, at=at, **kwargs)

    @classmethod
    def private(cls, **options: Any) -> MemoryFileSystem:
        """A filesystem on a store of its own, which is gone when nobody uses the filesystem any more.

        Args:
            options: of the constructor; the name is made up.
        """
        name = f"private-{uuid.uuid4().hex}"
        fs: MemoryFileSystem = cls(name, **options, skip_instance_cache=True)
        weakref.finalize(fs, drop_store, name).atexit = False
        return fs

    @property
    def fsid(self) -> str:
        """Names the store, or its past, among all processes."""
        if self._at:
            return f"chukmem-past-{self.origin[0]}-{self._at}/{self.name}"
        return f"chukmem-{self.origin[0]}-{self.name}"

    def _view(self, shared: SharedState, **changed: Any) -> InodeFileSystem:
        view = super()._view(shared, **changed)
        view.origin = self.origin
        return view

    def __repr__(self) -> str:
        past = f", at={self._at!r}" if self._at else ""
        return f"{type(self).__name__}({self.name!r}{past}{'' if self.follow_links else ', follow_links=False'})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self.storage_args, self.storage_options, *self.origin)


def drop_store(name: str = DEFAULT_NAME) -> None:
    """Forget a named store, so that the next filesystem of this name starts empty.

    Args:
        name: the store. Filesystem objects that are open on it keep it for themselves; new ones do not find it.
    """
    with _stores_lock:
        _stores.pop(name, None)
    MemoryFileSystem.clear_instance_cache()


def _open_store(name: str, capacity: int) -> SharedState:
    with _stores_lock:
        shared = _stores.get(name)
        if shared is None:
            uid, gid = getattr(os, "getuid", int)(), getattr(os, "getgid", int)()
            shared = _stores[name] = SharedState(MemoryStore(capacity or None, uid, gid))
        return shared


def _foreign_error(name: str, pid: int) -> OSError:
    return os_error(
        errno.ENXIO,
        hint=f"the chukmem store {name!r} lives in the memory of process {pid} and cannot be used from process "
        f"{os.getpid()}; use chuksqlite or a file to share data between processes",
    )


def _unpickle(
    cls: type[MemoryFileSystem], args: tuple[Any, ...], options: dict[str, Any], process: str, pid: int
) -> MemoryFileSystem:
    """Rebuild an instance; in another process, one that says what is wrong as soon as it is used."""
    if process == _PROCESS:
        return cls(*args, **options)
    fs: MemoryFileSystem = cls(*args, **{**options, "at": "", "skip_instance_cache": True})
    foreign = SharedState(MemoryStore(None, 0, 0))
    fs.stand_on(foreign, options.get("at", ""))
    fs.storage_options = options
    foreign.refuse(_foreign_error(fs.name, pid))
    fs.origin = process, pid
    return fs


def _refuse_in_child() -> None:
    """After a fork the child holds copies that nobody else sees: each use of such a name says so until dropped."""
    global _PROCESS, _stores_lock  # noqa: PLW0603 - the child is a process of its own
    _PROCESS = os.urandom(8).hex()
    _stores_lock = threading.RLock()
    for name, shared in _stores.items():
        shared.refuse(_foreign_error(name, os.getppid()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_refuse_in_child)
