"""Takes or restores snapshots for ever, to be killed: ``snapshot_killing.py WHAT FILES STORE``.

WHAT is "create", which changes files and takes snapshots, "restore", which goes to and fro between two of them, or
"delete", which takes and deletes. It prints a line when it begins.
"""

from __future__ import annotations

import random
import sys

from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem


def main(what: str, files: str, store: str) -> None:
    options = {"root": files, "durable": False}
    fs = SnapshotFileSystem(target_protocol="chuklocal", target_options=options, store=store)
    choose = random.Random()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
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


main(*sys.argv[1:])
