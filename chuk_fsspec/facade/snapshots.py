"""``SnapshotManager``: points in time, by the names that chuk-virtual-fs has, over ``chuksnap`` and archives."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.archives import ArchiveLimits, ExportReport, export_archive, import_archive
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.snapshots import Snapshot, snapshots_of
from chuk_fsspec.facade.bridge import documented_by, work
from chuk_fsspec.facade.providers import open_provider
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem


class SnapshotManager:
    """Points in time of a whole filesystem, to go back to and to carry to another one.

    Where the filesystem takes snapshots of itself, as ``memory`` and ``sqlite`` do, they are its own and stay with it.
    Those of any other one, and all that were imported, are kept in a store.
    """

    def __init__(self, fs: Any, *, store: str = "", store_options: Mapping[str, Any] | None = None) -> None:
        """Look after the snapshots of a filesystem.

        Args:
            fs: an fsspec filesystem, or a facade over one.
            store: URL of a directory to keep snapshots in, outside of the filesystem. Empty for memory, where they end
                with this manager.
            store_options: storage options of that URL.

        Raises:
            TypeError: for what is no filesystem.
        """
        self._fs = fs if isinstance(fs, AbstractFileSystem) else getattr(fs, "fs", None)
        if not isinstance(self._fs, AbstractFileSystem):
            raise TypeError(f"fs must be an fsspec filesystem or a facade over one, not {type(fs).__name__}")
        if not store:
            self._memory = open_provider("memory", {})
            store, store_options = "chukmem://", {"name": self._memory.name}
        self._place: dict[str, Any] = {"store": store, "store_options": dict(store_options or {})}
        self._kept = SnapshotFileSystem(self._fs, **self._place)
        self._own = self._kept if snapshots_of(self._fs) is None else SnapshotFileSystem(self._fs)

    def create_snapshot(self, name: str | None = None, description: str = "") -> str:
        """Take a snapshot.

        Args:
            name: the name, as of a file; by default the time.
            description: what it is for.

        Returns:
            Its name.

        Raises:
            OSError: EEXIST if the name is taken; EINVAL, ENAMETOOLONG for what is no name; EBUSY, EROFS, ENOSPC.
        """
        self._require_free(name)
        return self._own.create_snapshot(name, description).name

    def restore_snapshot(self, name: str) -> None:
        """Make the filesystem what it was; what was made later is gone. ENOENT for an unknown name; EROFS, ENOSPC."""
        self._holder(name).restore(name)

    def list_snapshots(self) -> list[dict[str, Any]]:
        """All snapshots, newest first, as dicts of ``name``, ``description`` and ``created`` (in UTC)."""
        taken = sorted(self._taken(), key=lambda one: one.created_ns, reverse=True)
        return [{"name": one.name, "description": one.description, "created": _moment(one.created_ns)} for one in taken]

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot, and free the space that only it needs. ENOENT for an unknown name."""
        self._holder(name).delete_snapshot(name)

    def export_snapshot(self, name: str, file_path: str) -> ExportReport:
        """Write a snapshot to a file of this machine, which takes the place of one that is there.

        Args:
            name: the snapshot.
            file_path: its ending tells the format: ``.tar``, ``.tar.gz``, ``.tar.zst``, ``.zip``, or ``.json`` as
                chuk-virtual-fs writes it, which has no place for links, modes and times.

        Returns:
            What was written, and what the format has no place for.

        Raises:
            OSError: ENOENT for an unknown name; of the file.
            ValueError: for another ending.
        """
        return export_archive(self._holder(name).at(name), "/", str(file_path), overwrite=True)

    def import_snapshot(
        self, file_path: str, new_name: str | None = None, *, limits: ArchiveLimits | None = None
    ) -> str:
        """Take a snapshot out of a file that was exported, here or by chuk-virtual-fs. The filesystem stays as it is.

        Args:
            file_path: a file of this machine, in any of the formats. Nothing in it is believed.
            new_name: the snapshot's name; by default that of the file without its ending.
            limits: how much may come out of it.

        Returns:
            The snapshot's name.

        Raises:
            OSError: EEXIST if the name is taken; for a file that is damaged, hostile or larger than the limits.
        """
        name = Path(file_path).name.partition(".")[0] if new_name is None else new_name
        self._require_free(name)
        scratch = open_provider("memory", {})
        import_archive(str(file_path), scratch, "/", limits=limits)
        return SnapshotFileSystem(scratch, **self._place).create_snapshot(name, f"imported from {name}").name

    # ---- steps

    def _taken(self) -> list[Snapshot]:
        kept = [] if self._kept is self._own else self._kept.list_snapshots()
        return [*self._own.list_snapshots(), *kept]

    def _holder(self, name: str) -> SnapshotFileSystem:
        """Where a snapshot is. ENOENT."""
        for place in (self._own, self._kept):
            if any(one.name == name for one in place.list_snapshots()):
                return place
        raise os_error(errno.ENOENT, name, hint="there is no such snapshot; list_snapshots() tells those that are")

    def _require_free(self, name: str | None) -> None:
        if any(one.name == name for one in self._taken()):
            raise os_error(errno.EEXIST, name, hint="a snapshot has this name; delete it first")


@documented_by(SnapshotManager)
class AsyncSnapshotManager:
    """``SnapshotManager`` with methods to be awaited. The arguments are the same."""

    def __init__(self, fs: Any, *, store: str = "", store_options: Mapping[str, Any] | None = None) -> None:
        self.sync = SnapshotManager(fs, store=store, store_options=store_options)

    async def create_snapshot(self, name: str | None = None, description: str = "") -> str:
        return await work(self.sync.create_snapshot, name, description)

    async def restore_snapshot(self, name: str) -> None:
        await work(self.sync.restore_snapshot, name)

    async def list_snapshots(self) -> list[dict[str, Any]]:
        return await work(self.sync.list_snapshots)

    async def delete_snapshot(self, name: str) -> None:
        await work(self.sync.delete_snapshot, name)

    async def export_snapshot(self, name: str, file_path: str) -> ExportReport:
        return await work(self.sync.export_snapshot, name, file_path)

    async def import_snapshot(
        self, file_path: str, new_name: str | None = None, *, limits: ArchiveLimits | None = None
    ) -> str:
        return await work(self.sync.import_snapshot, file_path, new_name, limits=limits)


def _moment(created_ns: int) -> datetime:
    return datetime.fromtimestamp(created_ns / 1e9, tz=timezone.utc)
