"""Processes that change one file, each what it has read: ``… WAY PROTOCOL OPTIONS PATH TIMES``."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from typing import Any

import fsspec

from chuk_fsspec.contract.errors import PreconditionFailed

PATIENCE = 10.0
"""Seconds that a process may stand still between two steps, where others want the processors."""


def tell(what: str) -> None:
    """Say something to the test."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def count(fs: Any, path: str, times: int) -> None:
    """Add one to the number in a file, so many times; tell each that was done."""
    for _ in range(times):
        while True:
            etag = fs.info(path)["etag"]
            value = str(int(fs.cat_file(path)) + 1).encode()
            with suppress(PreconditionFailed):
                fs.pipe_file(path, value, if_match=etag)
                break
        tell("counted")


def extend(fs: Any, path: str, times: int) -> None:
    """Add a letter to the end of a file, by writing all of it anew."""
    for _ in range(times):
        etag = fs.info(path)["etag"]
        content = fs.cat_file(path)
        with suppress(PreconditionFailed):
            fs.pipe_file(path, content[:100] + b"x", if_match=etag)


def replace_unasked(root: str, times: int) -> None:
    """As an editor does: put another file in the place of one of the host, whatever is there.

    All others write what they have read, so the file begins with the last line of this one as long as it lives.
    """
    path, last = os.path.join(root, "file"), b""
    for number in range(times):
        if not _begins_with(path, last):
            tell(f"lost {number}")
        last = b"%d\n" % number
        with open(path + "-new", "wb") as file:
            file.write(last)
        os.replace(path + "-new", path)
        time.sleep(0.002)


def _begins_with(path: str, last: bytes) -> bool:
    """Whether it does, now or in a moment: what is about to be put back may be seen."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with open(path, "rb") as file:
            if file.read().startswith(last):
                return True
        time.sleep(0.01)
    return False


def main() -> None:
    way, protocol, options, path, times = sys.argv[1:]
    if way == "replace_unasked":
        replace_unasked(json.loads(options)["root"], int(times))
        return
    fs = fsspec.filesystem(protocol, **json.loads(options))
    {"count": count, "extend": extend}[way](fs, path, int(times))


if __name__ == "__main__":
    main()
