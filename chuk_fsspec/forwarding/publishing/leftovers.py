"""Names of temporary files. They say who writes, so that what a killed process left behind is known and removed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial

STRANGER_IDLE = 3600.0
"""Seconds without a write after which a temporary file of another machine or container counts as left behind."""
UPLOAD_IDLE = 7 * 86400.0
"""The same for an upload that may be resumed, by anybody."""
SWEEP_EVERY = 600.0
"""Seconds for which a directory that was swept is taken to be clean."""

_SWEPT_MAX = 4096
_TEMPORARY = re.compile(r"\.chuk-([0-9a-f]{12})-([0-9a-f]{12})-([0-9]{1,20})-([0-9]{1,20})-[0-9a-f]{32}\.part")
_UPLOAD = re.compile(r"\.chuk-upload-[0-9a-f]{16}-[0-9a-f]{32}\.part")


@dataclass(frozen=True)
class Writer:
    """A process, in such a way that another one can tell whether it is still there.

    Attributes:
        place: machine and process namespace, hashed.
        boot: which run of the machine, hashed.
        pid: process number.
        started: when the process was started, in the kernel's ticks; 0 where that is not known.
    """

    place: str
    boot: str
    pid: int
    started: int


@lru_cache(maxsize=8)  # by process, for a fork must not inherit the name of its parent
def _writer(pid: int) -> Writer:
    namespace = ""
    if os.path.islink("/proc/self/ns/pid"):
        namespace = os.readlink("/proc/self/ns/pid")
    return Writer(_hash(f"{socket.gethostname()} {namespace}"), _hash(_boot()), pid, _started(pid))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            return file.read().hex()
    except OSError:
        return ""


def _started(pid: int) -> int:
    """When a process was started, in ticks since boot; 0 where the system does not tell, -1 if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return 0
    return -1 if fields[0] in (b"Z", b"X") else int(fields[19])


def _is_running(writer: Writer) -> bool:
    """Whether a process of this machine and namespace is still there, and not another one of its number."""
    try:
        os.kill(writer.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # it is there, and somebody else's
    started = _started(writer.pid)
    return started == writer.started or 0 in (started, writer.started)


def temporary_name() -> str:
    """A name that nobody can guess or would choose, for a file that this process writes."""
    writer = _writer(os.getpid())
    return f".chuk-{writer.place}-{writer.boot}-{writer.pid}-{writer.started}-{secrets.token_hex(16)}.part"


def upload_name(name: str, token: str) -> str:
    """The name under which an upload waits beside its target.

    Args:
        name: the target's name.
        token: 32 hexadecimal digits, from ``secrets.token_hex(16)``.
    """
    target = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f".chuk-upload-{target}-{token}.part"


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that somebody still writes, or left behind."""
    return bool(_TEMPORARY.fullmatch(name) or _UPLOAD.fullmatch(name))


def is_left_behind(name: str, idle: Callable[[], float]) -> bool:
    """Whether a directory entry is a temporary file of ours that nobody writes any more.

    Args:
        name: of the entry.
        idle: seconds since its last change; asked only where it matters.
    """
    if _UPLOAD.fullmatch(name):
        return idle() > UPLOAD_IDLE
    match = _TEMPORARY.fullmatch(name)
    if match is None:
        return False
    here = _writer(os.getpid())
    other = Writer(match[1], match[2], int(match[3]), int(match[4]))
    # On Windows, asking for a process by number would end it.
    if other.place != here.place or sys.platform == "win32":
        return idle() > STRANGER_IDLE
    return other.boot != here.boot or not _is_running(other)


class Sweeper:
    """Removes leftovers, and remembers where it did of late, so that this costs one listing now and then."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._swept: dict[str, float] = {}

    def sweep(
        self,
        directory: str,
        names: Callable[[], Iterable[str]],
        idle: Callable[[str], float],
        remove: Callable[[str], None],
    ) -> None:
        """Remove from a directory what killed processes left there, unless that was done just now.

        Args:
            directory: a name for it that is good for all filesystems of this process.
            names: lists it.
            idle: seconds since the last change of an entry.
            remove: removes an entry.
        """
        if not self._is_due(directory):
            return
        # Another sweeper may be faster, and what is not ours to see or to remove is not ours to sweep.
        with suppress(FileNotFoundError, PermissionError):
            for name in names():
                with suppress(FileNotFoundError, PermissionError):
                    if is_left_behind(name, partial(idle, name)):
                        remove(name)

    def _is_due(self, directory: str) -> bool:
        now = time.monotonic()
        with self._lock:
            last = self._swept.get(directory)
            if last is not None and now - last < SWEEP_EVERY:
                return False
            if len(self._swept) >= _SWEPT_MAX:
                self._swept.clear()
            self._swept[directory] = now
            return True


sweeper = Sweeper()
