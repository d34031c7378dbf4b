"""What is mounted, and which process serves it."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mounted:
    """A line of the table of mounts."""

    path: str
    kind: str
    source: str


def find_mount(path: Path) -> Mounted | None:
    """What is mounted on a directory, the uppermost if there are several.

    Args:
        path: absolute. It is not opened, since a dead mount answers nothing.
    """
    if not _MOUNTINFO.exists():
        return Mounted(str(path), "", "") if os.path.ismount(path) else None
    found = [mounted for mounted in read_mountinfo(_MOUNTINFO.read_text()) if mounted.path == str(path)]
    return found[-1] if found else None


def read_mountinfo(text: str) -> list[Mounted]:
    """Read the format of /proc/self/mountinfo (proc_pid_mountinfo(5))."""
    lines = [line.split(" ") for line in text.splitlines()]
    tails = [fields[fields.index("-") + 1 :] for fields in lines]
    return [
        Mounted(_unescape(fields[4]), tail[0], _unescape(tail[1])) for fields, tail in zip(lines, tails, strict=True)
    ]


def find_servers(path: Path) -> list[int]:
    """Processes that serve a mount point by ``chuk-fsspec mount``; Linux only, elsewhere none is found."""
    if sys.platform != "linux":
        return []
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and _serves(pid, str(path))]


@contextlib.contextmanager
def watched(pids: list[int]) -> Iterator[Callable[[], None]]:
    """Take hold of processes, whatever their numbers mean later; gives a function that waits until all are gone."""
    ends: list[int] = []
    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                ends.append(os.pidfd_open(pid))
        yield lambda: _wait_until_readable(ends)
    finally:
        for end in ends:
            os.close(end)


def _wait_until_readable(fds: list[int]) -> None:
    for fd in fds:
        select.select([fd], [], [])


def _serves(pid: int, path: str) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_text(errors="surrogateescape").split("\0")
        directory = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    if "mount" not in arguments or "--foreground" not in arguments:
        return False
    return any(os.path.realpath(os.path.join(directory, argument)) == path for argument in arguments)


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
