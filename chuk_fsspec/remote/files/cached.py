"""``rb`` through a cache of fsspec's, for whoever asks for one: ``blockcache::``, ``fsspec.parquet``."""

from __future__ import annotations

from typing import Any

from fsspec.spec import AbstractBufferedFile

from chuk_fsspec.contract.reopening import reduced
from chuk_fsspec.remote.files.reading import ReadingFile


class CachedFile(AbstractBufferedFile):
    """A file of one version, of which ``cache_type`` says what is kept and what is fetched ahead."""

    def __init__(self, file: ReadingFile, cache_type: str, cache_options: dict[str, Any] | None) -> None:
        """Begin with nothing, unless the cache is one that begins with something.

        Args:
            file: the file, as it is read without a cache of fsspec's.
            cache_type: a name of ``fsspec.caching.caches``.
            cache_options: of that cache.
        """
        self._window, self.etag = file.window, file.etag
        super().__init__(
            file.fs,
            file.path,
            "rb",
            file.blocksize,
            cache_type=cache_type,
            cache_options=cache_options,
            size=file.size,
        )

    def _fetch_range(self, start: int, end: int) -> bytes:
        data: bytes = self.fs._wait(self._window.fetch(start, min(end, self.size)))
        return data

    def __reduce__(self) -> Any:
        return reduced(self, self.fs, {"block_size": self.blocksize, **self.fs._of_version()}, self.tell())
