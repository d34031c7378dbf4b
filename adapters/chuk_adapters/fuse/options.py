"""What can be chosen about a mount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SLOW_WORKERS = 128
"""Requests served at once where each may wait for a network: more than programs have under way at one time."""

TransportName = Literal["auto", "kernel", "fusepy"]


@dataclass(frozen=True)
class MountOptions:
    """Options of one mount; the defaults are the fast and safe ones.

    Attributes:
        readonly: refuse every change with EROFS.
        allow_other: let users other than the one who mounts in; needs root, or ``user_allow_other`` in /etc/fuse.conf.
        debug: log each request to the ``chuk_adapters.fuse`` logger.
        cache_timeout: seconds for which the kernel believes names and attributes; None for as long as it likes where
            changes made through the API are announced to it, and one second where nobody announces them. Of a
            filesystem without inode operations, the VFS believes what it said for as long before the kernel does: what
            somebody else changes is seen after twice this time, at most. What is changed on the mount is seen at once.
        writeback: let the kernel gather writes, which pays for many small writes to large files. They reach the
            filesystem at fsync or when a file is closed; without it, at once. The kernel then decides where O_APPEND
            writes: append to a file from one mount only.
        direct_io: bypass the kernel's page cache for content. What O_APPEND writes, up to 1 MiB less a page, then
            stays in one piece also if other mounts append to the file.
        threads: most requests that are served at once; None for one, or as many as there are (up to 128) where the
            filesystem is slow.
        transport: "kernel" speaks to /dev/fuse itself (Linux), "fusepy" uses libfuse through mfusepy; "auto" is
            "kernel" on Linux and "fusepy" elsewhere.
        fsname: the source shown in the table of mounts.
    """

    readonly: bool = False
    allow_other: bool = False
    debug: bool = False
    cache_timeout: float | None = None
    writeback: bool = False
    direct_io: bool = False
    threads: int | None = None
    transport: TransportName = "auto"
    fsname: str = "chuk"

    def __post_init__(self) -> None:
        if self.cache_timeout is not None and self.cache_timeout < 0:
            raise ValueError(f"cache_timeout must be 0 or more seconds, not {self.cache_timeout}")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}")
        if self.transport not in ("auto", "kernel", "fusepy"):
            raise ValueError(f"transport must be 'auto', 'kernel' or 'fusepy', not {self.transport!r}")
