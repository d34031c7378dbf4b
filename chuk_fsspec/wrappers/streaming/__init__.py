"""``chukstream``: files written and read in pieces, published whole, with progress and checksums."""

from chuk_fsspec.wrappers.streaming.aio import AsyncReadStream
from chuk_fsspec.wrappers.streaming.filesystem import StreamFileSystem
from chuk_fsspec.wrappers.streaming.reading import ReadStream
from chuk_fsspec.wrappers.streaming.writing import StreamResult

__all__ = ["AsyncReadStream", "ReadStream", "StreamFileSystem", "StreamResult"]
