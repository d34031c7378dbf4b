"""Files of this machine that coroutines fill. What may block runs in worker threads."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from typing import Any

from chuk_fsspec.contract.threads import in_thread

_GATHERED = 1 << 20
"""Bytes that are handed to a thread at once."""


class LocalTarget:
    """A file that comes under its name when it is complete; until then it waits beside it."""

    def __init__(self, path: Any, outfile: Any = None) -> None:
        """Begin without touching the disk.

        Args:
            path: where the file will be, its directories are made; what is there and no regular file is written to.
            outfile: an open file to write to instead, which is neither closed nor moved.
        """
        self._path = "" if outfile is not None else os.path.realpath(os.fspath(path))
        self._file = outfile
        self._temporary = ""
        self._gathered: list[bytes] = []
        self._size = 0

    async def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._gathered.append(piece)
        self._size += len(piece)
        if self._size >= _GATHERED:
            await self._hand_over()

    async def finish(self) -> None:
        """Put the file in its place."""
        await self._hand_over()
        if self._path:
            await in_thread(self._publish)

    async def abandon(self) -> None:
        """Leave nothing behind."""
        if self._path and self._file is not None:
            await in_thread(self._drop)

    async def _hand_over(self) -> None:
        gathered, self._gathered, self._size = self._gathered, [], 0
        await in_thread(lambda: self._write(gathered))

    def _write(self, pieces: list[bytes]) -> None:
        if self._file is None:
            self._file = self._open()
        for piece in pieces:
            self._file.write(piece)

    def _open(self) -> Any:
        directory, name = os.path.split(self._path)
        os.makedirs(directory, exist_ok=True)
        if _is_no_regular_file(self._path):
            return open(self._path, "wb")
        temporary = os.path.join(directory, f".{name[:50]}.{secrets.token_hex(8)}")
        file = open(temporary, "xb")  # noqa: SIM115 - likewise
        self._temporary = temporary
        with suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(self._path).st_mode))
        return file

    def _publish(self) -> None:
        self._file.close()
        if self._temporary:
            os.replace(self._temporary, self._path)
            self._temporary = ""

    def _drop(self) -> None:
        self._file.close()
        if self._temporary:
            os.unlink(self._temporary)
            self._temporary = ""


def _is_no_regular_file(path: str) -> bool:
    return os.path.lexists(path) and not os.path.isfile(path)
