"""What is mounted, and which process serves it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chuk_fsspec.cli.output import problem_of
from chuk_fsspec.contract.errors import os_error

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
    found = [mounted for mounted in read_mountinfo(os.fsdecode(_MOUNTINFO.read_bytes())) if mounted.path == str(path)]
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
def watched(pids: list[int]) -> Iterator[Callable[[], list[str]]]:
    """Take hold of processes, whatever their numbers mean later.

    Args:
        pids: the processes.

    Yields:
        A function that waits until all are gone, and returns the problems they described from now on: whom else could a
        server in the background tell what it could not write back?
    """
    with contextlib.ExitStack() as stack:
        ends: list[int] = []
        messages: list[IO[bytes]] = []
        for pid in pids:
            with contextlib.suppress(OSError):
                ends.append(os.pidfd_open(pid))
                stack.callback(os.close, ends[-1])
                messages.append(stack.enter_context(_open_messages(pid)))

        def wait() -> list[str]:
            for end in ends:
                poll = select.poll()  # select(2) knows no descriptors from 1024 on
                poll.register(end, select.POLLIN)
                poll.poll()
            lines = [line for file in messages for line in file.read().decode(errors="replace").splitlines()]
            return [problem for line in lines if (problem := problem_of(line))]

        yield wait


def _open_messages(pid: int) -> IO[bytes]:
    """A process's standard error from here on, though the file may have no name. EINVAL if it is not a file."""
    path = Path(f"/proc/{pid}/fd/2")
    if not stat.S_ISREG(path.stat().st_mode):
        raise os_error(errno.EINVAL, str(path))
    file = path.open("rb")
    file.seek(0, os.SEEK_END)
    return file


def _serves(pid: int, path: str) -> bool:
    try:
        arguments = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")
        directory = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    if "mount" not in arguments or "--foreground" not in arguments:
        return False
    return any(os.path.realpath(os.path.join(directory, argument)) == path for argument in arguments)


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
