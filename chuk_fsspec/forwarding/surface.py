"""The fsspec surface of a filesystem that has no files of its own: every call becomes one of ``_forward``.

What fsspec derives from other operations is inherited, or written here on top of them, and so passes ``_forward`` too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.implementations.chained import ChainedFileSystem
from fsspec.utils import stringify_path

from chuk_fsspec.contract import globbing
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.display import as_html
from chuk_fsspec.contract.errors import not_found, omit_unless_link, os_error
from chuk_fsspec.contract.expansion import Paths, is_one, matches, move_pairs, takes_inside
from chuk_fsspec.contract.layering import layers_of
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Kind, Operation, Returns
from chuk_fsspec.contract.paths import is_inside, normalise, strip_protocol
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.staging import Stageable
from chuk_fsspec.forwarding.planning import pairs_of
from chuk_fsspec.forwarding.posix import ForwardingPosix
from chuk_fsspec.forwarding.transaction import ForwardedTransaction

OPEN_ASYNC = Operation("open_async", Kind.KERNEL, Effect.READ, ("path",), raised_by="mode", returns=Returns.HANDLE)
"""What asynchronous filesystems have beside the names of ``AbstractFileSystem``."""

_READERS_MAX = 4096


class ForwardingFileSystem(Stageable, ChainedFileSystem):
    """A filesystem made of others. A subclass says in ``_perform`` what becomes of an operation."""

    protocol: str | tuple[str, ...] = "forwarding"
    root_marker = "/"
    async_impl = False
    transaction_type = ForwardedTransaction
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

    @classmethod
    def _parent(cls, path: str) -> str:
        parent: str = cls._strip_protocol(path).rpartition("/")[0]
        return parent or "/"

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
        if maxdepth is not None and maxdepth < 1:
            raise ValueError(f"maxdepth must be at least 1, not {maxdepth}")
        return self._forward(FSSPEC["find"], path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)

    def walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> Iterator[Any]:
        """Directory, names of its directories and names of all else, from a path down, as ``os.walk``.

        Args:
            path: where to start.
            maxdepth: levels to go down, at least 1; None for all.
            topdown: a directory before what it holds, or after.
            on_error: "omit" what cannot be listed, "raise", or a function to call with the error.
            kwargs: ``detail=True`` for dicts from name to info instead of names.
        """
        if on_error == "omit":
            on_error = omit_unless_link
        walked: Iterator[Any] = super().walk(path, maxdepth, topdown, on_error, **kwargs)
        return walked

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """What matches a pattern, by fsspec's rules (``contract.globbing``)."""
        return globbing.glob(self, path, maxdepth, **kwargs)

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

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Open a file: ``r w a x``, binary (``b``) or text, and with ``+`` where the filesystem below can.

        Args:
            path: absolute path or URL.
            mode: as Python's ``open``.
            block_size: bytes that are fetched at a time, where something is fetched.
            cache_options: of the filesystem below.
            compression: a codec's name, or "infer" from the path's ending.
            kwargs: ``encoding``, ``errors`` and ``newline`` for text; others are for the filesystem below.

        Returns:
            A file object.

        Raises:
            OSError: ENOENT, EEXIST for ``x``, EISDIR, ENOTDIR; when closing, ENOSPC.
            ValueError: for an unknown mode or codec.
        """
        layers = layers_of(stringify_path(path), mode, compression, kwargs)
        if block_size is not None:
            kwargs["block_size"] = block_size
        if cache_options is not None:
            kwargs["cache_options"] = cache_options
        return layers.over(self._forward(FSSPEC["open"], path, mode=layers.mode, **kwargs))

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        return self._forward(FSSPEC["open"], path, mode=mode, **kwargs)

    async def open_async(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        """Open a file for asynchronous reading or writing, where the filesystem below is asynchronous. ENOTSUP."""
        return await self._forward(OPEN_ASYNC, path, mode=mode, **kwargs)

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

    # ---- writing

    def pipe_file(self, path: str, value: Buffer, mode: str = "overwrite", **kwargs: Any) -> None:
        """Write a whole file in one step; ``mode="create"`` refuses one that exists. FileExistsError, ENOSPC."""
        if mode not in ("overwrite", "create"):
            raise ValueError(f"mode {mode!r} is not 'overwrite' or 'create'")
        self._forward(FSSPEC["pipe_file"], path, value, mode=mode, **kwargs)

    def pipe(self, path: Any, value: Any = None, **kwargs: Any) -> None:
        """Write one file, or each of a dict from path to content."""
        contents: dict[str, Any] = path if isinstance(path, dict) else {path: value}
        if len(contents) == 1:
            [(one, data)] = contents.items()
            self.pipe_file(one, data, **kwargs)
        elif contents:
            self._forward(FSSPEC["pipe"], list(contents), list(contents.values()), **kwargs)

    def put(
        self,
        lpath: Any,
        rpath: Any,
        recursive: bool = False,
        callback: Callback = DEFAULT_CALLBACK,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Upload files by fsspec's copying rules; of two lists, each path goes to its counterpart."""
        pairs = pairs_of(self, "put", lpath, rpath, recursive=recursive, maxdepth=maxdepth)
        if pairs:
            sources, targets = map(list, zip(*pairs, strict=True))
            self._forward(FSSPEC["put"], targets, sources, callback=callback, **kwargs)

    def put_file(
        self, lpath: Any, rpath: str, callback: Callback = DEFAULT_CALLBACK, mode: str = "overwrite", **kwargs: Any
    ) -> None:
        """Upload a local file, or make a directory for a local one; ``mode="create"`` refuses a file that exists."""
        if os.path.isdir(lpath):
            self.makedirs(rpath, exist_ok=True)
            return
        with open(lpath, "rb") as source, self.open(rpath, "xb" if mode == "create" else "wb", **kwargs) as target:
            callback.set_size(os.fstat(source.fileno()).st_size)
            while data := source.read(self.blocksize):
                callback.relative_update(target.write(data))

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        """Make an empty file, or empty one that is there; ``truncate=False`` only stamps it with the time."""
        self._forward(FSSPEC["touch"], path, truncate=truncate, **kwargs)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy one file, or make a directory of the same name."""
        self._forward(FSSPEC["cp_file"], path1, path2, **kwargs)

    def copy(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        on_error: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy files by fsspec's copying rules; of two lists, each path goes to its counterpart.

        Args:
            path1: a path, a pattern, or a list of them.
            path2: where to; a slash at the end makes it a directory.
            recursive: copy directories with what they hold.
            maxdepth: levels to go down.
            on_error: "ignore" files that vanish meanwhile (the default if ``recursive``), or "raise".
            kwargs: for the filesystem below.
        """
        pairs = pairs_of(self, "copy", path1, path2, recursive=recursive, maxdepth=maxdepth)
        if pairs:
            sources, targets = map(list, zip(*pairs, strict=True))
            on_error = on_error or ("ignore" if recursive else "raise")
            self._forward(FSSPEC["copy"], sources, targets, on_error=on_error, **kwargs)

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, and its parents unless told not to. EEXIST, ENOENT, ENOTDIR."""
        self._forward(FSSPEC["mkdir"], path, create_parents=create_parents, **kwargs)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; one that exists is an error unless ``exist_ok``."""
        self._forward(FSSPEC["makedirs"], path, exist_ok=exist_ok)

    # ---- removing and moving

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. OSError ENOTEMPTY, NotADirectoryError."""
        self._forward(FSSPEC["rmdir"], path)

    def rm_file(self, path: str) -> None:
        """Remove a file or link. IsADirectoryError for a directory."""
        self._forward(FSSPEC["rm_file"], path)

    def _rm(self, path: str) -> None:
        self.rm_file(path)

    def rm(self, path: Paths, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files, and directories with all they hold if ``recursive``; links are removed, not followed.

        Args:
            path: a path, a glob pattern, or a list of them.
            recursive: allow directories.
            maxdepth: with ``recursive``, remove only files this many levels down.

        Raises:
            OSError: ENOENT, EISDIR for a directory without ``recursive``.
        """
        self._forward(FSSPEC["rm"], matches(self, path), recursive=recursive, maxdepth=maxdepth)

    def mv(self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any) -> None:
        """Move files and directories by fsspec's copying rules, each in one step where the filesystem can ``rename``.

        Raises:
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        if maxdepth is not None:
            raise ValueError("a directory moves whole: maxdepth cannot be given")
        for source, target in move_pairs(self, path1, path2):
            self._move(source, target, recursive, **kwargs)

    def _move(self, source: str, target: str, recursive: bool, **kwargs: Any) -> None:
        if is_inside(target, source) and self.info(source)["type"] == "directory":
            raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
        if not self.capabilities.rename:
            super().mv(source, target, recursive=recursive, **kwargs)
        elif takes_inside(self, target):
            # The target is meant as it is; mv would go inside once more.
            self._forward(POSIX["rename"], source, target, flags=0)
        else:
            self._forward(FSSPEC["mv"], source, target, **kwargs)

    # ---- transactions

    def start_transaction(self) -> Any:
        """Begin a transaction without a ``with`` block; ``end_transaction`` commits it."""
        self.transaction.start()
        return self.transaction

    # ---- how it shows itself

    def _repr_html_(self) -> str:
        """Shown by notebooks."""
        return as_html(self)

    def _get_pyarrow_filesystem(self) -> ForwardingFileSystem:
        return self
