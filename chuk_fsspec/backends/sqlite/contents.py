"""What files hold: bytes beside the inode where they are few, and otherwise in chunks."""

from __future__ import annotations

import errno
import os
from typing import Any

from chuk_fsspec.backends.sqlite.chunks import Chunks
from chuk_fsspec.backends.sqlite.errors import damaged, stale
from chuk_fsspec.backends.sqlite.inode import ATTRIBUTES, GONE, Row, SqliteInode, Stored
from chuk_fsspec.backends.sqlite.loose import PIECE, Loose, copy_of
from chuk_fsspec.backends.sqlite.loose_list import LooseList
from chuk_fsspec.backends.sqlite.numbers import Numbers
from chuk_fsspec.backends.sqlite.pin import Pin
from chuk_fsspec.backends.sqlite.scopes import Reading
from chuk_fsspec.backends.sqlite.session import Session
from chuk_fsspec.backends.sqlite.snapshots.keeping import Keeping
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.inode import Inode
from chuk_fsspec.engine.store import Stage, Store

INLINE_MAX = 4096
"""Bytes of content that lie with the inode; what is larger is in chunks."""


class FileContents(Store):
    """The part of ``SqliteStore`` that reads and writes contents.

    Attributes:
        session: the connection.
        numbers: where files and contents get theirs.
        chunk_size: bytes of a chunk.
        deduplicates: whether equal chunks are there once.
        loose: the contents that no file has.
        keeping: keeps what snapshots need of contents.
    """

    session: Session
    numbers: Numbers
    chunk_size: int
    deduplicates: bool
    loose: LooseList
    keeping: Keeping
    _kind: type[Chunks]
    _chunks: Chunks
    _kept: int
    """Bytes that are kept in memory of what was read, about."""

    @property
    def reading(self) -> Reading:
        return self.session.reading

    @property
    def chunks(self) -> Chunks:
        """The contents, within a scope."""
        connection = self.session.connection
        if self._chunks.connection is not connection:
            self._chunks = self._kind(connection, self.chunk_size, self.keeping)
        return self._chunks

    def note(self, inode: Row, bits: int) -> None:
        """Something of an inode is to be written."""
        raise NotImplementedError

    def whole(self, inode: Inode) -> bytes | None:
        content = inode.content
        if type(content) is bytes:
            return content
        if type(content) is Stored and content.cid is None:
            return self._inline(inode)
        return None

    def _inline(self, inode: Inode) -> bytes | None:
        """The content of a small file, which was listed without it; None if it is large, or gone, by now."""
        with self.reading:
            content = inode.content
            if type(content) is Stored and content.cid is None:
                row = self.session.run("SELECT data FROM inode WHERE ino = ?", (inode.ino,)).fetchone()
                if row is None:
                    return None
                content = row[0]
                if content is None:
                    raise damaged(self.session.path)
                assert isinstance(inode, SqliteInode)
                inode.raw_content = content
                self._kept += len(content)
            return None if type(content) is Stored else bytes(content)

    def read(self, inode: Inode, size: int, offset: int) -> list[Buffer]:
        content = inode.content
        if type(content) is Stored:
            with self.reading:
                now = inode.content
                if type(now) is Stored and now.cid is not None:
                    return self.read_stored(now, size, offset)
                content = self.whole(inode)
                if content is None:
                    raise stale()
        return contents.read(content, size, offset)

    def read_stored(self, content: Stored, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset`` of what is in chunks, within a scope. ESTALE."""
        assert content.cid is not None
        if content.cid == GONE:
            raise stale()
        size = min(size, content.size - offset)
        return self.chunks.read(content.cid, size, offset) if size > 0 else []

    def pin(self, inode: Inode) -> Pin:
        content = inode.content
        assert type(content) is Stored
        return Pin(self, inode, content)

    def write(self, inode: Inode, data: Buffer | Stage, offset: int, now: int) -> None:
        if isinstance(data, Stage):
            for start in range(0, len(data), PIECE):
                self.write(inode, b"".join(data.read(PIECE, start)), offset + start, now)
            return
        end = offset + len(data)
        content = inode.content
        if self._is_small(content) and end <= INLINE_MAX:
            old = self._small(inode)
            inode.content = b"".join((old[:offset].ljust(offset, b"\0"), data, old[end:]))
        else:
            more = self.chunks.write(self._in_chunks(inode), data, offset)
            self._resize(inode, max(inode.size, end), more)
        self._stamp_content(inode, now)

    def replace(self, inode: Inode, content: Any, now: int) -> None:
        old = inode.content
        inode.content = self._take(content)
        self._let_go(inode, old)
        self._stamp_content(inode, now)

    def truncate(self, inode: Inode, size: int, now: int) -> None:
        content = inode.content
        if self._is_small(content) and size <= INLINE_MAX:
            inode.content = self._small(inode)[:size].ljust(size, b"\0")
        elif not size and inode.ino < self.keeping.newest:  # a snapshot takes it over whole
            self.replace(inode, b"", now)
        else:
            cid = self._in_chunks(inode)
            self._resize(inode, size, self.chunks.truncate(cid, size) if size < inode.size else 0)
        self._stamp_content(inode, now)

    def zero(self, inode: Inode, offset: int, length: int, now: int) -> None:
        length = min(length, inode.size - offset)
        if length > 0:
            if self._is_small(inode.content):
                old = self._small(inode)
                inode.content = b"".join((old[:offset], bytes(length), old[offset + length :]))
            else:
                self._resize(inode, inode.size, self.chunks.zero(self._in_chunks(inode), offset, length))
        self._stamp_content(inode, now)

    def reserve(self, inode: Inode, offset: int, length: int, now: int) -> None:
        end = offset + length
        if self._is_small(inode.content) and end <= INLINE_MAX:
            inode.content = self._small(inode).ljust(end, b"\0")
        else:
            more = self.chunks.reserve(self._in_chunks(inode), offset, length)
            self._resize(inode, max(inode.size, end), more)
        self._stamp_content(inode, now)

    def seek(self, inode: Inode, offset: int, whence: int) -> int:
        size = inode.size
        if offset < 0 or offset >= size:
            raise os_error(errno.ENXIO)
        content = inode.content
        if type(content) is not Stored or content.cid is None:
            return offset if whence == os.SEEK_DATA else size
        found = self.chunks.seek(content.cid, offset, whence)
        if found is None:
            raise os_error(errno.ENXIO)
        return min(found, size)

    def copy_content(self, inode: Inode) -> Any:
        return self._small(inode) if self._is_small(inode.content) else copy_of(self, inode)

    def stage(self, source: Inode | None = None) -> Loose:
        return Loose(self) if source is None else copy_of(self, source)

    def _is_small(self, content: Any) -> bool:
        return type(content) is bytes or content.cid is None

    def _small(self, inode: Inode) -> bytes:
        content = self.whole(inode)
        assert content is not None
        return content

    def _in_chunks(self, inode: Inode) -> int:
        """The number of a file's content, which is going to be changed, and is moved into chunks if it is small."""
        content = inode.content
        if type(content) is Stored and content.cid is not None:
            self.keeping.before_content(inode)
            return content.cid
        data = self._small(inode)
        cid = self.numbers.take()
        inode.content = Stored(len(data), cid, self.chunks.add(cid, data))
        return cid

    def _resize(self, inode: Inode, size: int, more: int) -> None:
        """Note the size of content in chunks, and by how much its space has grown; where it is has not changed."""
        assert isinstance(inode, SqliteInode)
        stored = inode.raw_content
        if more or size != stored.size:
            inode.raw_content = Stored(size, stored.cid, stored.space + more)
            self.note(inode, ATTRIBUTES)

    def _take(self, content: Any) -> Any:
        """Content as an inode holds it."""
        if isinstance(content, Loose):
            return self.loose.give(content)
        if len(content) <= INLINE_MAX:
            return content
        cid = self.numbers.take()
        return Stored(len(content), cid, self.chunks.add(cid, content))

    def _let_go(self, inode: Inode, content: Any) -> None:
        """Drop content that its file has no more, unless a snapshot has it or somebody reads it."""
        if type(content) is Stored and content.cid is not None:
            self.keeping.before_content(inode)
            self.loose.receive(content.cid)

    def _stamp_content(self, inode: Inode, now: int) -> None:
        inode.mtime_ns = inode.ctime_ns = now
        inode.version = self.numbers.take()
