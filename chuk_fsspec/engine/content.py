"""The bytes of a regular file in memory.

Three forms, chosen by what was done to the file: ``bytes`` for content that was given whole (the reference is kept),
``bytearray`` for a small file edited in place, ``Extents`` for anything larger. The functions here take any of them and
return the content to keep from then on.
"""

from __future__ import annotations

import errno
import os
from typing import final

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer

CHUNK = 64 * 1024
MAX_SIZE = 2**63 - 1

_ZEROS = bytes(CHUNK)


@final
class Extents:
    """A large or sparse file: chunks of exactly 64 KiB, where a missing one is a hole.

    A chunk is never resized, so a view of it may be handed out while others write. Only a ``bytearray`` is this file's
    own; any other chunk is shared and is copied before it is changed. What a chunk holds past the end of the file is
    zero.
    """

    __slots__ = ("_size", "chunks")

    def __init__(self, data: bytes | bytearray = b"") -> None:
        self._size = len(data)
        self.chunks: dict[int, Buffer] = {}
        view = memoryview(data if isinstance(data, bytes) else bytes(data))
        whole = len(data) // CHUNK
        for index in range(whole):
            self.chunks[index] = view[index * CHUNK : (index + 1) * CHUNK]
        if len(data) % CHUNK:
            tail = self.chunks[whole] = bytearray(CHUNK)
            tail[: len(data) - whole * CHUNK] = view[whole * CHUNK :]

    def __len__(self) -> int:
        return self._size

    @property
    def allocated(self) -> int:
        return len(self.chunks) * CHUNK

    def copy(self) -> Extents:
        """An independent file of the same content: the chunks are shared until one of the two changes them."""
        twin = Extents()
        twin._size = self._size
        twin.chunks = {i: memoryview(c) if isinstance(c, bytearray) else c for i, c in self.chunks.items()}
        self.chunks = twin.chunks.copy()
        return twin

    def read(self, size: int, offset: int) -> list[Buffer]:
        """Views of up to ``size`` bytes from ``offset``, zeros for holes."""
        end = min(offset + size, self._size)
        pieces: list[Buffer] = []
        while offset < end:
            index, start = divmod(offset, CHUNK)
            stop = min(CHUNK, start + end - offset)
            chunk = self.chunks.get(index, _ZEROS)
            pieces.append(chunk if stop - start == CHUNK else memoryview(chunk)[start:stop])
            offset += stop - start
        return pieces

    def write(self, data: Buffer, offset: int) -> None:
        """Write at ``offset``; a gap before it becomes a hole."""
        view = memoryview(data)
        end = offset + len(view)
        position = 0
        while offset < end:
            index, start = divmod(offset, CHUNK)
            count = min(CHUNK - start, end - offset)
            piece = view[position : position + count]
            if count == CHUNK:
                self.chunks[index] = bytes(piece)
            else:
                self._own(index)[start : start + count] = piece
            position += count
            offset += count
        self._size = max(self._size, end)

    def truncate(self, size: int) -> None:
        """Cut, or grow with a hole."""
        if size < self._size:
            keep = -(-size // CHUNK)
            if len(self.chunks) < (self._size // CHUNK) - keep:
                self.chunks = {i: c for i, c in self.chunks.items() if i < keep}
            else:
                for index in range(keep, self._size // CHUNK + 1):
                    self.chunks.pop(index, None)
            self._clear(size, keep * CHUNK)
        self._size = size

    def zero(self, offset: int, length: int) -> None:
        """Turn a range inside the file into zeros; chunks that it covers whole become holes."""
        end = min(offset + length, self._size)
        first, last = -(-offset // CHUNK), end // CHUNK
        if first > last:
            self._clear(offset, end)
            return
        self._clear(offset, first * CHUNK)
        self._clear(last * CHUNK, end)
        for index in [i for i in self.chunks if first <= i < last]:
            del self.chunks[index]

    def reserve(self, offset: int, length: int) -> None:
        """Fill holes of a range with zeros that take space."""
        for index in range(offset // CHUNK, -(-(offset + length) // CHUNK)):
            self._own(index)

    def seek(self, offset: int, whence: int) -> int:
        """Next data or hole from ``offset``; the end of the file counts as a hole."""
        index = offset // CHUNK
        last = (self._size - 1) // CHUNK
        if whence == os.SEEK_HOLE:
            while index <= last and index in self.chunks:
                index += 1
            return max(offset, min(index * CHUNK, self._size))
        if index in self.chunks:
            return offset
        later = [i for i in self.chunks if i > index]
        if not later:
            raise os_error(errno.ENXIO)
        return min(later) * CHUNK

    def _own(self, index: int) -> bytearray:
        """The chunk as one that may be changed in place."""
        chunk = self.chunks.get(index)
        if isinstance(chunk, bytearray):
            return chunk
        own = self.chunks[index] = bytearray(CHUNK) if chunk is None else bytearray(chunk)
        return own

    def _clear(self, start: int, end: int) -> None:
        """Zero a range inside one chunk, if the chunk is there."""
        index = start // CHUNK
        if start < end and index in self.chunks:
            base = index * CHUNK
            self._own(index)[start - base : end - base] = bytes(end - start)


Content = bytes | bytearray | Extents


def check_range(offset: int, length: int) -> None:
    """Refuse a range that no file can have: EINVAL if negative, EFBIG past 2**63 - 1 bytes."""
    if offset < 0 or length < 0:
        raise os_error(errno.EINVAL, hint="offset and size cannot be negative")
    if offset + length > MAX_SIZE:
        raise os_error(errno.EFBIG)


def read(content: Content, size: int, offset: int) -> list[Buffer]:
    """Up to ``size`` bytes from ``offset``, in pieces that stay valid while others write."""
    if type(content) is Extents:
        return content.read(size, offset)
    if type(content) is bytes:
        if offset == 0 and size >= len(content):
            return [content]
        return [memoryview(content)[offset : offset + size]]
    return [content[offset : offset + size]]


def write(content: Content, data: Buffer, offset: int) -> Content:
    """Content with ``data`` at ``offset``; a gap before it reads as zeros."""
    end = offset + len(data)
    if type(content) is not Extents:
        if end > CHUNK or len(content) > CHUNK:
            content = Extents(content)
        elif not content and offset == 0:
            return bytes(data)
        else:
            return _write_small(content, data, offset, end)
    content.write(data, offset)
    return content


def _write_small(content: bytes | bytearray, data: Buffer, offset: int, end: int) -> bytearray:
    own = content if isinstance(content, bytearray) else bytearray(content)
    if offset > len(own):
        own.extend(bytes(offset - len(own)))
    own[offset:end] = data
    return own


def growth(content: Content, length: int, offset: int) -> int:
    """How many bytes more the content takes once a range of it is written."""
    end = offset + length
    touched = range(offset // CHUNK, -(-end // CHUNK))
    if type(content) is Extents:
        return sum(CHUNK for index in touched if index not in content.chunks)
    if max(end, len(content)) <= CHUNK:
        return max(end - len(content), 0)
    held = -(-len(content) // CHUNK)
    return (held + len(range(max(touched.start, held), touched.stop))) * CHUNK - len(content)


def truncate(content: Content, size: int) -> Content:
    """Content cut to ``size`` bytes, or grown with a hole."""
    if type(content) is Extents:
        content.truncate(size)
        return content
    if size <= len(content):
        return bytes(memoryview(content)[:size])
    if size <= CHUNK:
        return bytes(content) + bytes(size - len(content))
    grown = Extents(content)
    grown.truncate(size)
    return grown


def zero(content: Content, offset: int, length: int) -> Content:
    """Content with zeros in a range, as far as the file reaches."""
    length = min(length, len(content) - offset)
    if length <= 0:
        return content
    if len(content) <= CHUNK and type(content) is not Extents:
        return write(content, bytes(length), offset)
    if type(content) is not Extents:
        content = Extents(content)
    content.zero(offset, length)
    return content


def reserve(content: Content, offset: int, length: int) -> Content:
    """Content whose range takes space even where it is zero, and which reaches its end."""
    size = max(len(content), offset + length)
    content = truncate(content, size) if size > len(content) else content
    if type(content) is Extents:
        content.reserve(offset, length)
    return content


def seek(content: Content, offset: int, whence: int) -> int:
    """SEEK_DATA or SEEK_HOLE (lseek(2)). ENXIO if nothing of that kind follows."""
    if offset < 0 or offset >= len(content):
        raise os_error(errno.ENXIO)
    if type(content) is Extents:
        return content.seek(offset, whence)
    return offset if whence == os.SEEK_DATA else len(content)


def copy(content: Content) -> Content:
    """The same bytes as a content of its own."""
    if type(content) is Extents:
        return content.copy()
    return bytes(content)


def to_bytes(content: Content, start: int = 0, end: int | None = None) -> bytes:
    """A range as one ``bytes``; the whole of a ``bytes`` content is the object itself."""
    if type(content) is bytes:
        return content if start == 0 and end is None else content[start:end]
    stop = len(content) if end is None else end
    return b"".join(read(content, max(stop - start, 0), start))
