"""A store of snapshots: content by its SHA-256, packed into files, in a directory of any fsspec filesystem."""

from chuk_fsspec.wrappers.snapshots.repository.repository import Repository
from chuk_fsspec.wrappers.snapshots.repository.snapshots import StoredSnapshot

__all__ = ["Repository", "StoredSnapshot"]
