"""The ways of keeping snapshots, for tests that hold for all of them."""

from __future__ import annotations

import time
from pathlib import Path

from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

KINDS = ("native", "stored", "host", "sqlite")


def snapshots_over(kind: str, name: str, directory: Path) -> SnapshotFileSystem:
    """A chuksnap.

    Args:
        kind: "native" over chukmem, "stored" over chukmem with a store on the host, "host" over chuklocal,
            "sqlite" over chuksqlite, which takes them itself.
        name: of the chukmem store.
        directory: an empty one of the host.
    """
    store = "" if kind in ("native", "sqlite") else f"file://{directory}/store"
    if kind == "host":
        (directory / "files").mkdir(exist_ok=True)
        options = {"root": str(directory / "files"), "durable": False}
        return SnapshotFileSystem(target_protocol="chuklocal", target_options=options, store=store)
    if kind == "sqlite":
        return SnapshotFileSystem(target_protocol="chuksqlite", target_options={"database": str(directory / "w.db")})
    return SnapshotFileSystem(target_protocol="chukmem", target_options={"name": name}, store=store)


def wait_for_the_clock() -> None:
    """Let so much time pass that a later change would be sure to show in the time of a file."""
    time.sleep(0.05)
