"""``chuksnap``: snapshots of any filesystem, native where it has them, otherwise in a store of content by its hash."""

from chuk_fsspec.wrappers.snapshots.filesystem import LogEntry, SnapshotFileSystem
from chuk_fsspec.wrappers.snapshots.repository import StoredSnapshot
from chuk_fsspec.wrappers.snapshots.repository.checking import Damage
from chuk_fsspec.wrappers.snapshots.text import TextChanges

__all__ = ["Damage", "LogEntry", "SnapshotFileSystem", "StoredSnapshot", "TextChanges"]
