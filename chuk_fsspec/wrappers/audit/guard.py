"""The file beside a log: its lock, its anchor, and room that is set aside for the moment when the disk is full.

The anchor is the last head of the log. It stands in the first bytes of the file and is rewritten in place with every
record, in one write within one sector. Behind it lie bytes without meaning, the reserve: when a record finds no room,
they are given up for it, and from then on operations are refused until there is a reserve again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chuk_fsspec.wrappers.audit.lines import Seal
from chuk_fsspec.wrappers.audit.locking import lock, lock_shared, unlock
from chuk_fsspec.wrappers.audit.record import Head

SUFFIX = ".guard"
_ANCHOR_SIZE = 256
_OWNER_ONLY = 0o600
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Anchor:
    """What the guard remembers of the end of the log.

    Attributes:
        head: the last head; None where nothing, or nothing genuine, stands there.
        is_damaged: something stands there, and it is not genuine.
    """

    head: Head | None
    is_damaged: bool = False


class Guard:
    """The guard of one log, for its writer.

    Args:
        log: path of the log.
        reserve: bytes to set aside; 0 for none.
        seal: what seals the anchor.
    """

    def __init__(self, log: str, reserve: int, seal: Seal) -> None:
        self._path = log + SUFFIX
        self._reserve = reserve
        self._seal = seal
        self._fd = -1
        self.reopen()

    def reopen(self) -> None:
        """Open the file, after a fork a second time: the child must not share the lock of its parent."""
        self.close()
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | _BINARY, _OWNER_ONLY)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process out. Threads are for the caller to keep out."""
        lock(self._fd)
        while self._was_replaced():
            self.reopen()
            lock(self._fd)
        fd = self._fd
        try:
            yield
        finally:
            unlock(fd)

    def _was_replaced(self) -> bool:
        """Whether the file was removed meanwhile: others would lock another one."""
        try:
            return not os.path.samestat(os.stat(self._path), os.fstat(self._fd))
        except FileNotFoundError:
            return True

    def anchor(self) -> Anchor:
        """What was remembered last."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        return read_anchor(os.read(self._fd, _ANCHOR_SIZE), self._seal)

    def write_anchor(self, head: Head) -> None:
        """Remember the head of the log."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, _anchor_line(head, self._seal))

    @property
    def has_reserve(self) -> bool:
        """Whether the room is set aside."""
        return not self._reserve or os.fstat(self._fd).st_size >= _ANCHOR_SIZE + self._reserve

    def give_up_reserve(self) -> bool:
        """Make room for a record. False if there is nothing to give up."""
        if not self._reserve or os.fstat(self._fd).st_size <= _ANCHOR_SIZE:
            return False
        os.ftruncate(self._fd, _ANCHOR_SIZE)
        return True

    def set_reserve_aside(self) -> None:
        """Take the room again, or for the first time. ENOSPC, EDQUOT, with nothing taken."""
        # Random bytes take their room also on disks that compress.
        rest = memoryview(os.urandom(self._reserve))
        os.lseek(self._fd, _ANCHOR_SIZE, os.SEEK_SET)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            os.ftruncate(self._fd, _ANCHOR_SIZE)
            raise

    def prepare(self) -> None:
        """Make room for the anchor, and set the reserve aside. ENOSPC, EDQUOT."""
        if os.fstat(self._fd).st_size < _ANCHOR_SIZE:
            os.write(self._fd, bytes(_ANCHOR_SIZE))
        if not self.has_reserve:
            self.set_reserve_aside()

    def abandon(self) -> None:
        """Close the file of a log that could not be opened, and remove it if nothing was remembered yet."""
        remembers = self.anchor() != Anchor(None)
        self.close()
        if not remembers:
            os.unlink(self._path)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@contextmanager
def shared_lock(log: str) -> Iterator[bytes]:
    """Keep writers out while looking at a log, and give the bytes of its anchor: none where there is no guard."""
    try:
        fd = os.open(log + SUFFIX, os.O_RDONLY | os.O_CLOEXEC | _BINARY)
    except FileNotFoundError:
        yield b""
        return
    try:
        lock_shared(fd)
        try:
            yield os.read(fd, _ANCHOR_SIZE)
        finally:
            unlock(fd)
    finally:
        os.close(fd)


def read_anchor(data: bytes, seal: Seal) -> Anchor:
    """What the first bytes of a guard say."""
    if not data.strip(b"\0"):
        return Anchor(None)
    try:
        members = json.loads(data)
        head = Head.parse(f"{members['sequence']}:{members['hash']}")
    except (ValueError, KeyError, TypeError):
        return Anchor(None, is_damaged=True)
    return Anchor(head) if data == _anchor_line(head, seal) else Anchor(None, is_damaged=True)


def _anchor_line(head: Head, seal: Seal) -> bytes:
    sealed = seal.of(f"anchor {head}".encode("ascii"))
    text = f'{{"sequence":{head.sequence},"hash":"{head.hash}","seal":"{sealed}"}}'
    return text.encode("ascii").ljust(_ANCHOR_SIZE - 1) + b"\n"
