"""Where the stores of chuksnap are: on the host, or behind a WebDAV server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

PLACES = ("host", "webdav")


@dataclass(frozen=True)
class StorePlace:
    """A store.

    Attributes:
        directory: where its files are on the host.
        url: as chuksnap takes it.
        options: storage options of that.
    """

    directory: Path
    url: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def packs(self) -> dict[str, Path]:
        """The packs by name, without those that have not got their name yet."""
        return {path.name: path for path in self.directory.glob("packs/*") if not path.name.startswith(".")}

    def snapshots(self, files: Path) -> SnapshotFileSystem:
        """A new chuksnap of a directory of the host, which has no transactions."""
        return SnapshotFileSystem(
            target_protocol="chuklocal",
            target_options={"root": str(files), "durable": False},
            store=self.url,
            store_options=self.options,
            skip_instance_cache=True,
        )


@contextmanager
def store_place(kind: str, directory: Path) -> Iterator[StorePlace]:
    """Make a place of one of the ``PLACES``, in an empty directory of the host."""
    if kind == "host":
        yield StorePlace(directory / "store", f"file://{directory}/store")
        return
    with WebDAVAdapter(LocalFileSystem(root=str(directory), durable=False), port=0) as server:
        yield StorePlace(directory / "store", "webdav://store", {"base_url": server.url.rstrip("/")})
