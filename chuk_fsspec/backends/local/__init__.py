"""``chuklocal``: a directory of this machine, which nothing leads out of."""

from chuk_fsspec.backends.local.filesystem import LocalFileSystem

__all__ = ["LocalFileSystem"]
