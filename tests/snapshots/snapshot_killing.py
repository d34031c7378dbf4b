"""Takes or restores snapshots for ever, to be killed: ``snapshot_killing.py WHAT FILES STORE [OPTIONS]``.

WHAT is "create", which changes files and takes snapshots, "restore", which goes to and fro between two of them,
"delete", which takes and deletes, or "once", which begins to take one and halts when a pack is full. OPTIONS are those
of the store, as JSON. It prints a line when it begins.
"""

from __future__ import annotations

import json
import random
import signal
import sys

from fsspec.callbacks import Callback

from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
from chuk_fsspec.wrappers.snapshots.repository.packs import PACK_BYTES


def main(what: str, files: str, store: str, store_options: str = "{}") -> None:
    fs = SnapshotFileSystem(
        target_protocol="chuklocal",
        target_options={"root": files, "durable": False},
        store=store,
        store_options=json.loads(store_options),
    )
    choose = random.Random()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if what == "once":
        fs.create_snapshot("whole", callback=_Halting())
        return
    while True:
        if what == "restore":
            for name in ("one", "two"):
                fs.restore(name)
            continue
        for _ in range(5):
            fs.pipe_file(
                f"/d{choose.randrange(10)}/f{choose.randrange(20)}", choose.randbytes(choose.randrange(200_000))
            )
        name = fs.create_snapshot().name
        if what == "delete":
            fs.delete_snapshot(name)


class _Halting(Callback):
    """Reads no further, once it has read more than a pack."""

    def relative_update(self, inc: int = 1) -> None:
        super().relative_update(inc)
        if self.value > PACK_BYTES + inc:
            signal.pause()


main(*sys.argv[1:])
