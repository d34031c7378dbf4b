"""``chukstream``: a wrapper that streams, and publishes every file whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.arguments import open_mode
from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.conditions import given
from chuk_fsspec.contract.operations import Operation, Returns
from chuk_fsspec.forwarding.publishing import WholeFiles, is_whole, reads_anew
from chuk_fsspec.wrappers.base import WrapperFileSystem
from chuk_fsspec.wrappers.streaming.aio import AsyncReadStream, awrite_stream
from chuk_fsspec.wrappers.streaming.chunks import DEFAULT_CHUNK, check_chunk_size, total_of
from chuk_fsspec.wrappers.streaming.digests import Digest
from chuk_fsspec.wrappers.streaming.progress import Listener, Progress
from chuk_fsspec.wrappers.streaming.reading import FileReader, ReadStream
from chuk_fsspec.wrappers.streaming.uploads import Uploads
from chuk_fsspec.wrappers.streaming.writing import FileWriter, StreamResult, Writer, write_stream


class StreamFileSystem(WrapperFileSystem):
    """Any filesystem, with ``stream_write`` and ``stream_read`` and their asynchronous twins.

    What is written through ``open``, ``pipe`` and ``put`` appears whole here too, whatever lies below. All else passes
    as it is, inode operations and readers by name included.
    """

    protocol = "chukstream"
    passes_nodes = True
    passes_readers = True

    # ---- streams

    def stream_write(
        self,
        path: str,
        chunks: Any,
        chunk_size: int = DEFAULT_CHUNK,
        progress_callback: Listener | None = None,
        total: int | None = None,
        *,
        mode: str = "overwrite",
        checksum: str | None = None,
        expected: str | None = None,
        resume: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> StreamResult:
        """Write a file from chunks that come one after the other. It appears whole, at the end, or not at all.

        Whatever stops the stream (the producer, the callback, the filesystem, an interrupt) leaves the old file, and
        nothing else. A file that is replaced keeps its mode, owner and attributes as far as the filesystem has them.

        Args:
            path: where to.
            chunks: an iterable of bytes-like chunks of any size, a binary file open for reading, or bytes.
            chunk_size: bytes that are written, and told to the callback, at a time; chunks are cut and joined to this.
            progress_callback: called as ``(bytes_done, total)`` after each piece, with a total of -1 where it is not
                known; or an fsspec ``Callback``; or a progress bar like tqdm's. If it raises, the stream stops.
            total: bytes that will come, for the callback alone; known of itself for bytes and lists of them.
            mode: "overwrite", or "create" to refuse a file that exists.
            checksum: an algorithm that ``hashlib`` knows, such as "sha256", to have the checksum in the result.
            expected: what the checksum has to be, in hexadecimal; compared before the file appears.
            resume: an upload of ``start_upload``, to go on after the bytes that it has. If the stream stops, the upload
                keeps what it got. ``bytes_done`` and ``checksum`` count from the start of the file.
            if_match: the etag that the file has to have when the stream ends, or ``*`` if there has to be one.
            if_none_match: the etag that it must not have then, or ``*`` if nothing may be there.

        Returns:
            Path, size in bytes, checksum and etag.

        Raises:
            OSError: EIO for another checksum than the expected one; EEXIST with ``mode="create"``; EISDIR, ENOSPC and
                what else the filesystem says; ENOTSUP for conditions that it does not keep.
            PreconditionFailed: with nothing written.
            TypeError: for chunks that are not bytes, or an asynchronous iterator or callback.
            ValueError: for a chunk size below 1, or an unknown mode or checksum.
        """
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        writer, progress = self._writing(
            path, chunks, chunk_size, progress_callback, total, mode, checksum, expected, resume, conditions
        )
        return write_stream(writer, chunks, chunk_size, progress)

    async def astream_write(
        self,
        path: str,
        chunks: Any,
        chunk_size: int = DEFAULT_CHUNK,
        progress_callback: Listener | None = None,
        total: int | None = None,
        *,
        mode: str = "overwrite",
        checksum: str | None = None,
        expected: str | None = None,
        resume: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> StreamResult:
        """``stream_write`` for coroutines: the filesystem is used in worker threads, with a few pieces on the way.

        ``chunks`` may be an asynchronous iterator, or a file whose ``read`` is to be awaited; any other source is read
        in worker threads. The callback may be asynchronous; it is called in the task's own thread. A cancelled task
        leaves the old file.
        """
        conditions = given(if_match=if_match, if_none_match=if_none_match)
        writer, progress = self._writing(
            path, chunks, chunk_size, progress_callback, total, mode, checksum, expected, resume, conditions
        )
        return await awrite_stream(writer, chunks, chunk_size, progress)

    def stream_read(
        self,
        path: str,
        chunk_size: int = DEFAULT_CHUNK,
        start: int | None = None,
        end: int | None = None,
        progress_callback: Listener | None = None,
        *,
        checksum: str | None = None,
        expected: str | None = None,
    ) -> ReadStream:
        """Read a file, or a range of it, piece by piece.

        The file is open from this call to the end of the iteration, and shows one content throughout, whoever replaces
        it meanwhile; where the filesystem cannot do that, such a stream fails with ESTALE at its end.

        Args:
            path: what to read.
            chunk_size: bytes of each piece but the last.
            start: first byte; counts from the end if negative, as in a slice.
            end: byte to stop before; likewise.
            progress_callback: as for ``stream_write``; the total is that of the range.
            checksum: an algorithm that ``hashlib`` knows; the stream's ``checksum`` has the result.
            expected: what the checksum has to be, in hexadecimal; compared at the end.

        Returns:
            An iterator of ``bytes`` with ``size``, ``checksum`` and ``close``; also a context manager.

        Raises:
            OSError: ENOENT, EISDIR; from the iteration EIO for another checksum than the expected one, ESTALE.
            ValueError: for a chunk size below 1, or an unknown checksum.
        """
        digest = Digest(checksum, expected)
        reader = self._reading(path, chunk_size, start, end, digest)()
        try:
            return ReadStream(reader, digest, Progress(progress_callback, reader.size))
        except BaseException:
            reader.close()
            raise

    def astream_read(
        self,
        path: str,
        chunk_size: int = DEFAULT_CHUNK,
        start: int | None = None,
        end: int | None = None,
        progress_callback: Listener | None = None,
        *,
        checksum: str | None = None,
        expected: str | None = None,
    ) -> AsyncReadStream:
        """``stream_read`` for coroutines: ``async for piece in fs.astream_read(path)``.

        The file is opened when the first piece is asked for, and read in worker threads. The callback may be
        asynchronous.
        """
        digest = Digest(checksum, expected)
        return AsyncReadStream(
            self._reading(path, chunk_size, start, end, digest), digest, partial(Progress, progress_callback)
        )

    # ---- uploads that can be resumed

    def start_upload(self, path: str) -> str:
        """Begin an upload that survives the end of this process, for ``stream_write(path, …, resume=upload_id)``.

        What has arrived waits under a hidden name beside the target, for a week after the last byte.

        Args:
            path: where the file will appear.

        Returns:
            The upload's id.

        Raises:
            OSError: ENOTSUP where the filesystem does not declare ``random_write``, ``rename`` and ``replace``; EISDIR,
                ENOENT for a missing directory.
        """
        return self._uploads.start(self._normal(path))

    def upload_status(self, path: str, upload_id: str) -> int:
        """How many bytes of an upload have arrived. FileNotFoundError if there is no such upload for this path."""
        return self._uploads.status(self._normal(path), upload_id)

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Give an upload up and remove what has arrived. FileNotFoundError if there is no such upload."""
        self._uploads.abort(self._normal(path), upload_id)

    # ---- steps

    @property
    def _uploads(self) -> Uploads:
        return Uploads(self)

    def _writing(
        self,
        path: str,
        chunks: Any,
        chunk_size: int,
        listener: Listener | None,
        total: int | None,
        mode: str,
        checksum: str | None,
        expected: str | None,
        resume: str | None,
        conditions: dict[str, Any],
    ) -> tuple[Writer, Progress]:
        """Check the arguments of a stream, and make what it needs."""
        check_chunk_size(chunk_size)
        normal, digest = self._normal(path), Digest(checksum, expected)
        opening = open_mode(mode)
        asked = self._asked(conditions, path)
        if resume is None:
            return FileWriter(self, normal, opening, digest, asked), Progress(
                listener, total_of(chunks) if total is None else total
            )
        return self._uploads.writer(normal, resume, opening, digest, asked), Progress(listener, total)

    def _reading(
        self, path: str, chunk_size: int, start: int | None, end: int | None, digest: Digest
    ) -> Callable[[], FileReader]:
        check_chunk_size(chunk_size)
        version = self.ukey if self._reads_anew else None
        return partial(FileReader, self, self._normal(path), chunk_size, start, end, digest, version)

    # ---- what lies below

    def _view(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        self._whole_files = None if capabilities_of(fs).atomic_write else WholeFiles(fs)
        self._reads_anew = reads_anew(fs)
        self._is_whole = is_whole(fs)
        return fs

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        return dataclasses.replace(
            super()._offer(capabilities),
            atomic_write=capabilities.write and self._is_whole,
            conditional_write=capabilities.conditional_write and self._whole_files is None,
        )

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        whole = self._whole_files
        if whole is None or operation.posix or operation.name not in whole.operations:
            return super()._perform(operation, paths, arguments, options)
        self._authorise_all(operation, paths, options)
        result = getattr(whole, operation.name)(*paths, *arguments, **options)
        return self._wrap_file(result, paths[0], options["mode"]) if operation.returns is Returns.HANDLE else result
