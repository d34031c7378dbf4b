"""Kill writers of a chuklocal again and again, and look at what they leave: ``local_killing.py ROOT KILLS WAY``.

Prints one line: how many files were found torn, how many empty, and how many temporary files were left after a restart.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from chuk_fsspec.backends.local import LocalFileSystem, support

FILES = ("/a", "/b", "/d/c", "/d/e/f")
SIZE = 300_000


def write_for_ever(root: str, seed: int) -> None:
    """Publish versions of the files; each is one byte, repeated."""
    choose = random.Random(seed)
    fs = LocalFileSystem(root=root, durable=False, skip_instance_cache=True)
    while True:
        path, version = choose.choice(FILES), bytes([choose.randrange(1, 256)])
        how = choose.randrange(4)
        if how == 0:
            fs.pipe_file(path, version * SIZE)
        elif how == 1:
            with fs.open(path, "wb") as file:
                for _ in range(3):
                    file.write(version * (SIZE // 3))
        elif how == 2:
            fs.pipe_file(f"{path}-new", version * SIZE)
            fs.mv(f"{path}-new", path)
        else:
            fs.cp_file(choose.choice(FILES), path)


def main() -> None:
    root, kills, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if way != "kernel":
        support.has_openat2 = lambda: False  # type: ignore[assignment]
    if way == "by name":
        support.can_hold = lambda: False  # type: ignore[assignment]
    choose = random.Random(0)
    fs = LocalFileSystem(root=root)
    fs.pipe(dict.fromkeys(FILES, b"\0" * SIZE))
    torn = empty = left = unclean = 0
    for number in range(kills):
        writer = os.fork()
        if not writer:
            write_for_ever(root, number)
        time.sleep(choose.random() * 0.012)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        unclean += any(path.name.startswith(".chuk-tmp") for path in Path(root).rglob("*"))
        LocalFileSystem(root=root, skip_instance_cache=True)  # the restart
        left += sum(path.name.startswith(".chuk-tmp") for path in Path(root).rglob("*"))
        for path in FILES:
            data = (Path(root) / path[1:]).read_bytes()
            empty += not data
            torn += len(data) != SIZE or len(set(data)) != 1
    sys.stdout.write(f"{torn} torn, {empty} empty, {left} left ({unclean} before the restart)\n")


main()
