"""``chuksqlite``: a whole POSIX filesystem in one SQLite file."""

from chuk_fsspec.backends.sqlite.filesystem import SqliteFileSystem

__all__ = ["SqliteFileSystem"]
