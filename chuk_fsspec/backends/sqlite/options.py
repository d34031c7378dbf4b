"""How a chuksqlite file is opened."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK_SIZE = 64 * 1024
MAPPED = 1 << 30

_SYNCHRONOUS = ("off", "normal", "full")
# Not "off": with it SQLite cannot undo, and an operation that fails would be half done.
_JOURNAL_MODES = ("wal", "delete", "truncate", "persist", "memory")
_LONGEST_WAIT = 86_400


@dataclass(frozen=True)
class Options:
    """What is asked of SQLite.

    Attributes:
        synchronous: when a change is on disk: with "full" before the operation returns; with "normal" soon after, and a
            power loss takes the last changes, whole; with "off" it may damage the file.
        chunk_size: bytes of a chunk of a file, a power of two from 4 KiB to 1 MiB; 0 for what the file was made with,
            64 KiB for a new one.
        journal_mode: SQLite's; only with "wal" do readers and writers not wait for each other.
        busy_timeout: seconds to wait for others before EBUSY.
        read_only: refuse every change with EROFS.
        create: make a file that is not there.
        deduplicate: whether equal chunks are kept once; None for what the file was made with, False for a new one.
        mmap_size: bytes of the file that are read through a mapping, which halves the time of reading large files; None
            for 1 GiB with "wal", which needs mappings anyway, and 0 without. With a mapping, a process gets SIGBUS
            where the disk fails, or another program cuts the file short; with 0, EIO.
    """

    synchronous: str = "normal"
    chunk_size: int = 0
    journal_mode: str = "wal"
    busy_timeout: float = 30.0
    read_only: bool = False
    create: bool = True
    deduplicate: bool | None = None
    mmap_size: int | None = None

    def __post_init__(self) -> None:
        if self.synchronous not in _SYNCHRONOUS:
            raise ValueError(f"synchronous must be one of {', '.join(_SYNCHRONOUS)}, not {self.synchronous!r}")
        if self.journal_mode not in _JOURNAL_MODES:
            raise ValueError(f"journal_mode must be one of {', '.join(_JOURNAL_MODES)}, not {self.journal_mode!r}")
        size = self.chunk_size
        if size and not (4096 <= size <= 1 << 20 and size & (size - 1) == 0):
            raise ValueError(f"chunk_size must be a power of two from 4096 to 1048576 bytes, or 0, not {size}")
        if self.mmap_size is not None and self.mmap_size < 0:
            raise ValueError(f"mmap_size must be a number of bytes, 0 for none, not {self.mmap_size}")
        if not 0 <= self.busy_timeout <= _LONGEST_WAIT:
            raise ValueError(f"busy_timeout must be 0 to {_LONGEST_WAIT} seconds, not {self.busy_timeout}")

    @property
    def mapped(self) -> int:
        """Bytes of the file that are read through a mapping."""
        return (MAPPED if self.journal_mode == "wal" else 0) if self.mmap_size is None else self.mmap_size
