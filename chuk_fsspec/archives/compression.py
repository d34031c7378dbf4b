"""Streams that are compressed as a whole, read and written in small pieces."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from chuk_fsspec.archives.limits import Meter
from chuk_fsspec.archives.refusal import damaged
from chuk_fsspec.contract.posix import Buffer

if TYPE_CHECKING:
    from types import ModuleType

BLOCK = 1 << 16
"""Bytes of an archive that are read at once."""

_GZIP = 31
_ZSTD_WINDOW_LOG_MAX = 27  # 128 MiB, the most that the zstd program uses unless it is asked for more


class Source(Protocol):
    """What an archive is read from."""

    def read(self, size: int, /) -> bytes:
        """At least one byte, at most ``size``; none at the end."""


class Sink(Protocol):
    """What an archive is written to."""

    def write(self, data: Buffer, /) -> object:
        """Take all of ``data``."""

    def finish(self) -> None:
        """Write what is still to be written; the file below stays open."""


# ---- reading


class Counted:
    """A file whose bytes are counted as bytes of the archive."""

    def __init__(self, file: Any, meter: Meter) -> None:
        self._file, self._meter = file, meter

    def read(self, size: int, /) -> bytes:
        """At least one byte, at most ``size``; none at the end."""
        data: bytes = self._file.read(size)
        self._meter.take(len(data))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go somewhere else; returns where that is."""
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        """Where the next byte is read."""
        return int(self._file.tell())


def decompressed(source: Source, compression: str, meter: Meter) -> Source:
    """What a stream holds.

    Args:
        source: the archive.
        compression: ``gzip``, ``zstd``, or nothing.
        meter: told of what comes out.

    Raises:
        ImportError: where zstd is not installed, with what to install.
    """
    if not compression:
        return source
    new, error = (_GzipFrame, zlib.error) if compression == "gzip" else _zstd_frames()
    return _Decompressed(source, meter, new, error)


class _Frame(Protocol):
    """One gzip member or zstd frame."""

    @property
    def needs_input(self) -> bool: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipFrame:
    """A gzip member that remembers the input which it had no room for."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_GZIP)
        self._full = False

    @property
    def needs_input(self) -> bool:
        return not self._full

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out


class _Decompressed:
    """One frame after the other; zeros may follow the last."""

    def __init__(self, source: Source, meter: Meter, new: Callable[[], _Frame], error: type[Exception]) -> None:
        self._source, self._meter, self._new, self._error = source, meter, new, error
        self._frame: _Frame | None = None
        self._input = b""

    def read(self, size: int, /) -> bytes:
        while self._more_input():
            if self._frame is None:
                self._frame = self._new()
            data, self._input = self._input, b""
            try:
                out = self._frame.decompress(data, size)
            except self._error as error:
                raise damaged(f"it cannot be decompressed ({error})") from None
            if self._frame.eof:
                self._input, self._frame = self._frame.unused_data, None
            if out:
                self._meter.unpack(len(out))
                return out
        return b""

    def _more_input(self) -> bool:
        """See to it that there is something to decompress; False at the end."""
        if self._input or (self._frame is not None and not self._frame.needs_input):
            return True
        self._input = self._source.read(BLOCK)
        if self._frame is not None:
            if not self._input:
                raise damaged("it is cut off")
            return True
        while self._input and not self._input.strip(b"\0"):
            self._input = self._source.read(BLOCK)
        return bool(self._input)


# ---- writing


def compressing(file: Any, compression: str) -> Sink:
    """What compresses all that is written to it. The same content always gives the same bytes.

    Args:
        file: what takes the compressed stream.
        compression: ``gzip``, ``zstd``, or nothing.

    Raises:
        ImportError: where zstd is not installed, with what to install.
    """
    if not compression:
        return _Plain(file)
    if compression == "gzip":
        return _Compressed(file, zlib.compressobj(6, zlib.DEFLATED, _GZIP))
    zstd = _zstd()
    return _Compressed(file, zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1}))


class _Plain:
    def __init__(self, file: Any) -> None:
        self.write = file.write

    def finish(self) -> None: ...


class _Compressed:
    def __init__(self, file: Any, compressor: Any) -> None:
        self._file, self._compressor = file, compressor

    def write(self, data: Buffer, /) -> None:
        self._file.write(self._compressor.compress(data))

    def finish(self) -> None:
        self._file.write(self._compressor.flush())


# ---- zstd, which Python has since 3.14


def _zstd() -> ModuleType:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            raise ImportError("zstd needs a package: pip install 'chuk-fsspec[zstd]'") from None
    module: ModuleType = zstd
    return module


def _zstd_frames() -> tuple[Callable[[], _Frame], type[Exception]]:
    zstd = _zstd()
    options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG_MAX}
    return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError
