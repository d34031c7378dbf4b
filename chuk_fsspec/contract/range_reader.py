"""``rb`` over ranges of content: the file objects of all that is not at hand as one ``bytes``."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.contract.reopening import reduced
from chuk_fsspec.contract.seeking import sought


@dataclass(frozen=True)
class _Piece:
    """Content that is at hand, and where it begins."""

    start: int = 0
    data: bytes = b""


class RangeReader(io.BufferedIOBase):
    """A file that is read in ranges, with a buffer for small ones.

    Threads may share one. ``seek`` never waits, and a read takes the position when it is called: a thread that seeks
    and then reads gets what it asked for, however long others read meanwhile (those of duckdb do so). Between the two
    steps there is no lock that could keep another thread from seeking.

    It pickles as its filesystem, its path and its position, where the file is still the same when it is opened again.

    Attributes:
        path: absolute and normal.
        etag: that of the content, where it is known.
    """

    mode = "rb"
    etag: str | None = None

    def __init__(self, fs: Any, path: str, buffer_size: int) -> None:
        """Begin at the beginning, with nothing at hand.

        Args:
            fs: where the file is; it opens it again where it was pickled.
            path: absolute and normal.
            buffer_size: bytes that are read at once if fewer are asked for.
        """
        self.fs, self.path = fs, path
        self._buffer_size = buffer_size
        self._position = 0
        self._piece = _Piece()

    # ---- what a subclass says

    @property
    def size(self) -> int:
        """Bytes of the file."""
        raise NotImplementedError

    def _range(self, start: int, stop: int) -> bytes:
        """Bytes from ``start`` to before ``stop``, fewer only at the end of the file; any thread may ask."""
        raise NotImplementedError

    def _rest(self, start: int) -> bytes:
        """All bytes from ``start`` on."""
        return self._range(start, max(self.size, start))

    def _reopening(self) -> dict[str, Any]:
        """Options of ``open`` with which this file is opened again."""
        return {}

    # ---- reading

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes; all that is left for -1 or None."""
        self._require_open()
        start = self._position
        data = self._rest(start) if size is None or size < 0 else self._take(start, size)
        self._position = start + len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """As ``read``; for -1, what is at hand, or a buffer full."""
        self._require_open()
        if size >= 0:
            return self.read(size)
        start = self._position
        data = self._at_hand(start)
        self._position = start + len(data)
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; returns how many bytes came, fewer only at the end."""
        view = memoryview(buffer).cast("B")
        data = self.read(view.nbytes)
        view[: len(data)] = data
        return len(data)

    def readinto1(self, buffer: Any, /) -> int:
        """As ``readinto``."""
        return self.readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """One line, or ``size`` bytes of it."""
        piece = self._piece
        begin = self._position - piece.start
        end = piece.data.find(b"\n", begin) + 1 if begin >= 0 else 0
        if end and (size is None or size < 0 or end - begin <= size):
            self._position = piece.start + end
            return piece.data[begin:end]
        return self._long_line(-1 if size is None else size)

    def __iter__(self) -> Iterator[bytes]:
        """The lines from here on. Whoever moves in the file meanwhile, or reads, gets those from there on."""
        while True:
            self._require_open()
            piece = self._piece_at(self._position)
            begin = self._position - piece.start
            end = piece.data.rfind(b"\n") + 1
            if begin < end:
                yield from self._lines(piece, begin, end)
            elif line := self._long_line(-1):
                yield line
            else:
                return

    def peek(self, size: int = 0, /) -> bytes:
        """What is at hand, or a buffer full, without moving on."""
        self._require_open()
        return self._at_hand(self._position)

    # ---- moving

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a byte, which reads nothing."""
        self._require_open()
        size = self.size if whence == os.SEEK_END else 0
        self._position = sought(offset, whence, position=self._position, size=size)
        return self._position

    def tell(self) -> int:
        """The position, in bytes."""
        self._require_open()
        return self._position

    # ---- ending

    def close(self) -> None:
        """Let go."""
        self._piece = _Piece()
        super().close()

    def __reduce__(self) -> Any:
        self._require_open()
        return reduced(self, self.fs, self._reopening(), self._position)

    # ---- steps

    def _lines(self, piece: _Piece, begin: int, end: int) -> Iterator[bytes]:
        """Whole lines of a piece, as long as nobody else moves or reads."""
        position = piece.start + begin
        for line in piece.data[begin : end - 1].split(b"\n"):
            position += len(line) + 1
            self._position = position
            yield line + b"\n"
            if self._position != position or self._piece is not piece:
                return

    def _long_line(self, size: int) -> bytes:
        """A line, or ``size`` bytes of it, whose end is not at hand."""
        self._require_open()
        start = position = self._position
        pieces: list[bytes] = []
        while size < 0 or position < start + size:
            piece = self._piece_at(position)
            begin = position - piece.start
            limit = len(piece.data) if size < 0 else min(len(piece.data), start + size - piece.start)
            if begin >= limit:
                break
            end = piece.data.find(b"\n", begin, limit) + 1
            pieces.append(piece.data[begin : end or limit])
            position += (end or limit) - begin
            if end:
                break
        self._position = position
        return b"".join(pieces)

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _take(self, start: int, size: int) -> bytes:
        piece = self._piece
        begin = start - piece.start
        if begin >= 0 and begin + size <= len(piece.data):
            return piece.data[begin : begin + size]
        if size >= self._buffer_size:
            return self._range(start, start + size)
        return self._filled(start).data[:size]

    def _at_hand(self, start: int) -> bytes:
        piece = self._piece_at(start)
        return piece.data[start - piece.start :]

    def _piece_at(self, start: int) -> _Piece:
        piece = self._piece
        return piece if piece.start <= start < piece.start + len(piece.data) else self._filled(start)

    def _filled(self, start: int) -> _Piece:
        piece = self._piece = _Piece(start, self._range(start, start + self._buffer_size))
        return piece
