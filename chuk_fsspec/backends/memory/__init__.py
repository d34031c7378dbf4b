"""``chukmem``: a whole POSIX filesystem in this process's memory."""

from chuk_fsspec.backends.memory.filesystem import MemoryFileSystem, drop_store

__all__ = ["MemoryFileSystem", "drop_store"]
