"""The part of the surface that looks and reads, and the one way in for all of it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import datetime
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.implementations.chained import ChainedFileSystem

from chuk_fsspec.contract.arguments import require_depth
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.expansion import is_one, matches
from chuk_fsspec.contract.operations import FSSPEC, Operation
from chuk_fsspec.contract.paths import normalise, strip_protocol
from chuk_fsspec.contract.surface import Surface
from chuk_fsspec.forwarding.planning import pairs_of
from chuk_fsspec.forwarding.posix import ForwardingPosix

_READERS_MAX = 4096


class LookingSurface(Surface, ChainedFileSystem):
    """What ``ForwardingFileSystem`` inherits: ``_forward``, paths, looking and reading."""

    protocol: str | tuple[str, ...] = "forwarding"
    async_impl = False
    _strip_tokenize_options = ("fo",)
    capabilities = Capabilities()

    def __init__(self, **kwargs: Any) -> None:
        """Prepare the surface.

        Args:
            kwargs: fsspec's own options; others are ignored, since callers such as pandas add theirs.
        """
        super().__init__(**{**kwargs, "use_listings_cache": False})
        self._readers: dict[str, Callable[[str], bytes | None]] = {}
        self._has_readers = True

    # ---- the one way in

    def _forward(self, operation: Operation, *arguments: Any, **options: Any) -> Any:
        """Bring the paths of a call into the normal form and have it performed.

        Args:
            operation: what is asked, a row of ``contract.operations``.
            arguments: its paths in the order of ``operation.paths``, each one path or a list, then other arguments.
            options: the other arguments.

        Returns:
            What the operation returns, fit for the user.

        Raises:
            OSError: of the operation; EINVAL and ENAMETOOLONG for bad paths.
        """
        count = len(operation.paths)
        if count == 1:
            return self._perform(operation, (self._normal(arguments[0]),), arguments[1:], options)
        paths = tuple([self._normal(path) for path in arguments[:count]])
        return self._perform(operation, paths, arguments[count:], options)

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        """Do what is asked; ``paths`` are normal paths, or lists of them in bulk operations."""
        raise NotImplementedError

    def _normal(self, path: Any) -> Any:
        if type(path) is str and path.startswith("/"):
            return normalise(path)
        if path is None:
            return None
        if is_one(path):
            return self._strip_protocol(path) or "/"
        return [self._strip_protocol(one) or "/" for one in path]

    # ---- paths

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        protocols: tuple[str, ...] = (cls.protocol,) if isinstance(cls.protocol, str) else cls.protocol
        # In a chain, a URL without a path of its own takes that of the next link; fsspec knows it by being empty.
        if path in [f"{protocol}://" for protocol in protocols]:
            return ""
        return strip_protocol(path, protocols)

    @property
    def posix(self) -> ForwardingPosix:
        """POSIX operations on this filesystem."""
        return ForwardingPosix(self)

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """What is known of a path (``contract.Info``). FileNotFoundError."""
        info: dict[str, Any] = self._forward(FSSPEC["info"], path, **kwargs)
        return info

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that ``path`` is. FileNotFoundError."""
        found: list[Any] = self._forward(FSSPEC["ls"], path, detail=detail, **kwargs)
        return found

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        """All files below a path, in order; links are listed and not followed.

        Args:
            path: where to start; a file gives itself, a missing path nothing.
            maxdepth: levels to go down, at least 1; None for all.
            withdirs: list directories too, the start included.
            detail: return a dict from path to info instead of a list of paths.

        Raises:
            ValueError: for a ``maxdepth`` below 1.
        """
        require_depth(maxdepth)
        return self._forward(FSSPEC["find"], path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether a path leads to something; a link to nothing does not."""
        return bool(self._forward(FSSPEC["exists"], path, **kwargs))

    def lexists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is an entry of this path, be it a link to nothing."""
        return bool(self._forward(FSSPEC["lexists"], path, **kwargs))

    def isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        return bool(self._forward(FSSPEC["isdir"], path))

    def isfile(self, path: str) -> bool:
        """Whether a path leads to a regular file."""
        return bool(self._forward(FSSPEC["isfile"], path))

    def created(self, path: str) -> datetime:
        """When a file was made, in UTC."""
        moment: datetime = self._forward(FSSPEC["created"], path)
        return moment

    def modified(self, path: str) -> datetime:
        """When a file's content last changed, in UTC."""
        moment: datetime = self._forward(FSSPEC["modified"], path)
        return moment

    def checksum(self, path: str) -> Any:
        """What changes with the content."""
        return self._forward(FSSPEC["checksum"], path)

    def ukey(self, path: str) -> str:
        """A string that stands for this content of this file."""
        return str(self._forward(FSSPEC["ukey"], path))

    def sign(self, path: str, expiration: int = 100, **kwargs: Any) -> str:
        """A URL that lets its holder read a file for ``expiration`` seconds. NotImplementedError."""
        return str(self._forward(FSSPEC["sign"], path, expiration=expiration, **kwargs))

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget what is remembered of a path, or of all."""
        super().invalidate_cache(path)
        self._forward(FSSPEC["invalidate_cache"], path)

    # ---- reading

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """A file's bytes, or those from ``start`` to ``end``, which count as in a slice. IsADirectoryError."""
        if start is None and end is None and type(path) is str:
            parent, _, name = path.rpartition("/")
            read = self._readers.get(parent)
            if read is not None:
                data = read(name)
                if data is not None:
                    return data
            whole: bytes = self._forward(FSSPEC["cat_file"], path, **kwargs)
            self._learn_reader(parent)
            return whole
        part: bytes = self._forward(FSSPEC["cat_file"], path, start=start, end=end, **kwargs)
        return part

    def _learn_reader(self, parent: str) -> None:
        """Find the short way to a directory's files for the next time, if there is one."""
        if not self._has_readers or (parent and parent != self._normal(parent)):
            return
        try:
            reader = self.posix.reader(parent or "/")
        except OSError as error:
            self._readers.pop(parent, None)
            self._has_readers = error.errno != errno.ENOTSUP
            return
        if len(self._readers) >= _READERS_MAX:
            self._readers.clear()
        self._readers[parent] = reader

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Ranges of files, each as ``cat_file`` gives it; with ``on_error="return"`` errors stand in their places."""
        if not isinstance(paths, list):
            raise TypeError(f"paths must be a list, not {type(paths).__name__}")
        each_start = list(starts) if isinstance(starts, (list, tuple)) else [starts] * len(paths)
        each_end = list(ends) if isinstance(ends, (list, tuple)) else [ends] * len(paths)
        if not len(paths) == len(each_start) == len(each_end):
            raise ValueError(f"{len(paths)} paths, {len(each_start)} starts and {len(each_end)} ends do not match")
        results: list[Any] = self._forward(
            FSSPEC["cat_ranges"], paths, each_start, each_end, on_error=on_error, **kwargs
        )
        if on_error == "raise":  # which asynchronous filesystems of fsspec before 2026 do not look at
            for one in results:
                if isinstance(one, Exception):
                    raise one
        return results

    def cat(self, path: Any, recursive: bool = False, on_error: str = "raise", **kwargs: Any) -> Any:
        """The content of one file, or a dict from path to content for a list, a pattern or a directory.

        Args:
            path: a path, a pattern, or a list of them.
            recursive: give all files below directories.
            on_error: "raise", "omit" the file, or "return" the error in place of its content.
            kwargs: for ``cat_file``.
        """
        paths = sorted(set(matches(self, path)))
        if recursive:
            paths = sorted({file for start in paths for file in self.find(start)})
        if not paths:
            raise not_found(self._normal(path) if is_one(path) else str(path))
        if len(paths) == 1 and is_one(path) and paths[0] == self._normal(path):
            return self.cat_file(paths[0], **kwargs)
        ends = [None] * len(paths)
        results = self.cat_ranges(paths, ends, ends, on_error="raise" if on_error == "raise" else "return", **kwargs)
        found = dict(zip(paths, results, strict=True))
        return {key: data for key, data in found.items() if on_error == "return" or not isinstance(data, Exception)}

    def get(
        self,
        rpath: Any,
        lpath: Any,
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Download files by fsspec's copying rules; of two lists, each path goes to its counterpart."""
        pairs = pairs_of(self, "get", rpath, lpath, recursive=recursive, maxdepth=maxdepth)
        if pairs:
            sources, targets = map(list, zip(*pairs, strict=True))
            self._forward(FSSPEC["get"], sources, targets, callback=callback, **kwargs)
