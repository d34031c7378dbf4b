"""Kills processes in the middle of their streams, and looks at what they leave: run as a program by the tests.

    python stream_crash.py KIND DIRECTORY KILLS

It prints a JSON object: how many files were torn, empty or missing, how many leftovers were there after a restart, and
how often the file was replaced at all. Processes are forked, so this one has no threads.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from fsspec import filesystem

from chuk_fsspec.wrappers.streaming import StreamFileSystem

PIECE = 16 * 1024
PIECES = 24


def stream_over(kind: str, directory: str) -> tuple[StreamFileSystem, str]:
    """A new chukstream, as after a start, and the directory's path in it."""
    if kind == "chuklocal":
        return StreamFileSystem(filesystem("chuklocal", root=directory, skip_instance_cache=True)), ""
    return StreamFileSystem(filesystem(kind)), directory


def write_for_ever(kind: str, directory: str, first: int) -> None:
    """Replace one file again and again, each time by one letter many times over."""
    fs, root = stream_over(kind, directory)
    number = first
    while True:
        fs.stream_write(f"{root}/f", [bytes([65 + number % 26]) * PIECE] * (1 + number % PIECES), chunk_size=PIECE)
        number += 1


def restart(kind: str, directory: str) -> None:
    """What the next process does that writes there."""
    fs, root = stream_over(kind, directory)
    fs.stream_write(f"{root}/g", [b"next"])


def in_child(function: object, *arguments: object) -> int:
    """Fork; returns the child's number."""
    pid = os.fork()
    if pid == 0:
        try:
            function(*arguments)  # type: ignore[operator]
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - it is the last thing this process does
            sys.stderr.write(repr(error))
            sys.stderr.flush()
            os._exit(1)
    return pid


def main(kind: str, directory: str, kills: int) -> None:
    with tempfile.TemporaryDirectory(dir=Path(directory).parent) as elsewhere:
        restart(kind, elsewhere)  # so that everything is imported already
        began = time.monotonic()
        restart(kind, elsewhere)
        some_streams = 0.02 + 4 * (time.monotonic() - began)
    path = Path(directory, "f")
    path.write_bytes(b"A" * PIECE)
    found: Counter[str] = Counter()
    randomly = random.Random(7)
    for number in range(kills):
        before = path.stat().st_ino
        pid = in_child(write_for_ever, kind, directory, number)
        time.sleep(randomly.random() * some_streams)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        found["failed"] += not os.WIFSIGNALED(status)
        found["missing"] += not path.exists()
        data = path.read_bytes() if path.exists() else b""
        found["empty"] += not data
        found["torn"] += len(set(data)) > 1 or len(data) % PIECE != 0
        found["replaced"] += path.exists() and path.stat().st_ino != before
        found["half"] += len(os.listdir(directory)) > 2
        _, status = os.waitpid(in_child(restart, kind, directory), 0)
        found["failed"] += status != 0
        found["leftovers"] += len(os.listdir(directory)) - 2
    sys.stdout.write(json.dumps(dict(found)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
