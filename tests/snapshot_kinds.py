"""The two ways of keeping snapshots, for tests that hold for both."""

from __future__ import annotations

from pathlib import Path

from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

KINDS = ("native", "stored", "host")


def snapshots_over(kind: str, name: str, directory: Path) -> SnapshotFileSystem:
    """A chuksnap.

    Args:
        kind: "native" over chukmem, "stored" over chukmem with a store on the host, "host" over chuklocal.
        name: of the chukmem store.
        directory: an empty one of the host.
    """
    store = "" if kind == "native" else f"file://{directory}/store"
    if kind == "host":
        (directory / "files").mkdir(exist_ok=True)
        options = {"root": str(directory / "files"), "durable": False}
        return SnapshotFileSystem(target_protocol="chuklocal", target_options=options, store=store)
    return SnapshotFileSystem(target_protocol="chukmem", target_options={"name": name}, store=store)
