"""Text and compression above a binary file, so that a ``with`` block that fails publishes nothing through them either.

The binary file below has ``discard()``: it drops what was written, and closing it then changes nothing.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsspec.compression import compr
from fsspec.core import get_compression

from chuk_fsspec.contract.posix import Buffer

_TEXT_OPTIONS = ("encoding", "errors", "newline")


@dataclass(frozen=True)
class Layers:
    """What an ``open`` asks for above the bytes.

    Attributes:
        mode: the mode in which the binary file has to be opened.
        codec: the compression's name, or None.
        text: ``encoding``, ``errors`` and ``newline`` of a text file, or None for a binary one.
    """

    mode: str
    codec: str | None
    text: Mapping[str, Any] | None

    def over(self, file: Any) -> Any:
        """Put the layers over a binary file that was opened in ``mode``."""
        reads = self.mode == "rb"
        if self.codec is not None:
            compressor = compr[self.codec](file, mode=self.mode[0])
            file = compressor if reads else CompressedWriter(compressor, file)
        if self.text is None:
            return file
        if reads:
            return io.TextIOWrapper(file, **self.text)
        mark = b"" if file.seekable() else _mark_of(self.text.get("encoding"))
        return MarkedTextWriter(mark, file, **self.text) if mark else TextWriter(file, **self.text)


def layers_of(path: str, mode: str, compression: str | None, options: dict[str, Any]) -> Layers:
    """Read what an ``open`` asks for.

    Args:
        path: what is opened; its ending tells the codec where ``compression`` is "infer".
        mode: as Python's ``open``.
        compression: a codec's name, "infer" or None.
        options: the other arguments of ``open``; those for text are taken out.

    Returns:
        The layers.

    Raises:
        ValueError: for an unknown codec.
    """
    is_text = "b" not in mode
    text = {key: options.pop(key) for key in _TEXT_OPTIONS if key in options}
    plain = mode.replace("t" if is_text else "b", "")
    return Layers(f"{plain}b", get_compression(path, compression), text if is_text else None)


class CompressedWriter(io.BufferedIOBase):
    """A compressor over a binary file, so that closing or failing reaches both."""

    def __init__(self, compressor: Any, target: Any) -> None:
        self._compressor, self._target = compressor, target

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: Buffer, /) -> int:  # type: ignore[override]
        """Compress and write all of ``data``."""
        self._compressor.write(data)
        return len(data)

    def flush(self) -> None:
        """Write what the compressor can give already."""
        if not self._target.closed:
            self._compressor.flush()

    @property
    def etag(self) -> str | None:
        """That of the file, once it is closed."""
        etag: str | None = getattr(self._target, "etag", None)
        return etag

    def discard(self) -> None:
        """Drop what was written; the file keeps its old content."""
        self._target.discard()

    def close(self) -> None:
        """End the compressed stream and close the file below, which publishes it."""
        if self.closed:
            return
        try:
            with self._target:
                self._compressor.close()
        finally:
            super().close()

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None:
            self.discard()
        self.close()


class TextWriter(io.TextIOWrapper):
    """Text over a file that can ``discard``."""

    @property
    def etag(self) -> str | None:
        """That of the file, once it is closed."""
        etag: str | None = getattr(self.buffer, "etag", None)
        return etag

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if exc_type is not None:
            self.buffer.discard()  # type: ignore[attr-defined]
        self.close()


class MarkedTextWriter(TextWriter):
    """The same over a file that cannot seek, which Python takes to be written already: it leaves out the mark."""

    def __init__(self, mark: bytes, file: Any, **text: Any) -> None:
        super().__init__(file, **text)
        self._mark = mark

    def write(self, text: str, /) -> int:
        """Write text, the first of it behind the mark."""
        if text and self._mark:
            mark, self._mark = self._mark, b""
            self.buffer.write(mark)
        return super().write(text)


def _mark_of(encoding: str | None) -> bytes:
    """The byte order mark with which text of an encoding begins, where Python leaves it to the place in the file."""
    name = codecs.lookup(encoding).name if encoding else ""
    return "".encode(name) if name in ("utf-16", "utf-32") else b""
