"""``VirtualFileSystem``: the one place where it is said what each call does."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from typing import Any, Literal, overload

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.facade import batches, changing, searching
from chuk_fsspec.facade.content import bytes_of, require_bytes, require_text, text_of
from chuk_fsspec.facade.metadata import check_metadata, write_metadata
from chuk_fsspec.facade.node_info import NodeInfo, node_info
from chuk_fsspec.facade.place import Place
from chuk_fsspec.facade.progress import per_chunk
from chuk_fsspec.facade.searching import Match
from chuk_fsspec.facade.statistics import declared, storage_stats
from chuk_fsspec.wrappers.streaming import ReadStream, StreamFileSystem, StreamResult
from chuk_fsspec.wrappers.streaming.progress import Listener

STREAM_CHUNK = 8192
"""Bytes of a piece of a stream, unless told otherwise."""

_SCRATCH = "/tmp"  # noqa: S108 - a directory of the virtual filesystem


class VirtualFileSystem(Place):
    """A filesystem as a shell knows it, with a current directory. What fails raises ``OSError``.

    Paths are absolute or count from the current directory; they are names, never patterns. Directories that are missing
    on the way to a new file are made.
    """

    def __enter__(self) -> VirtualFileSystem:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def streams(self) -> StreamFileSystem:
        """The same filesystem, with streams."""
        return StreamFileSystem(self.fs)

    # ---- directories

    def mkdir(self, path: str) -> None:
        """Make a directory, and those missing above it; one that is there stays. EEXIST for a file, ENOTDIR."""
        self.fs.makedirs(self.resolve_path(path), exist_ok=True)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY."""
        changing.remove_directory(self.fs, self.resolve_path(path))

    def ls(self, path: str = ".") -> list[str]:
        """The names in a directory, in order. ENOENT, ENOTDIR."""
        directory = self.resolve_path(path)
        found = self.fs.ls(directory, detail=False)
        if found == [directory]:
            raise os_error(errno.ENOTDIR, directory)
        return sorted(split(one)[1] for one in found)

    def exists(self, path: str) -> bool:
        """Whether there is something; a link to nothing is not."""
        return bool(self.fs.exists(self.resolve_path(path)))

    def is_file(self, path: str) -> bool:
        """Whether a path leads to a file."""
        return bool(self.fs.isfile(self.resolve_path(path)))

    def is_dir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        return bool(self.fs.isdir(self.resolve_path(path)))

    # ---- files

    def touch(self, path: str) -> None:
        """Make an empty file, or stamp one that is there with the time. ENOTSUP where times cannot be set."""
        target = self.resolve_path(path)
        try:
            self.fs.touch(target, truncate=False)
        except NotImplementedError:
            raise not_supported("setting times", target) from None

    def write_file(
        self, path: str, content: str | Buffer, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> str | None:
        """Write a whole file in one step: a text as UTF-8, bytes as they are.

        Args:
            path: the file; missing directories are made.
            content: ``str``, ``bytes``, ``bytearray`` or ``memoryview``.
            if_match: the etag that the file has to have, or ``*`` for any file.
            if_none_match: the etag that it must not have, or ``*`` if nothing may be there.

        Returns:
            The new etag; None where the filesystem has none.

        Raises:
            PreconditionFailed: an ``OSError``; another etag is there. Nothing is done then.
            OSError: EISDIR, ENOTDIR, ENOSPC, EROFS; ENOTSUP for conditions that cannot be kept. The old file is left.
            TypeError: for any other content.
        """
        return self._put(path, bytes_of(content), if_match, if_none_match)

    def write_text(
        self,
        path: str,
        text: str,
        encoding: str = "utf-8",
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> str | None:
        """Write a whole text file, as ``write_file`` does; line ends stay as they are. TypeError for bytes."""
        return self._put(path, bytes_of(require_text(text), encoding), if_match, if_none_match)

    def write_binary(
        self, path: str, data: Buffer, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> str | None:
        """Write a whole file, as ``write_file`` does. TypeError for a text."""
        return self._put(path, require_bytes(data), if_match, if_none_match)

    def _put(self, path: str, data: Buffer, if_match: str | None, if_none_match: str | None) -> str | None:
        asked = {"if_match": if_match, "if_none_match": if_none_match}
        conditions = {name: etag for name, etag in asked.items() if etag is not None}
        etag: str | None = self.fs.pipe_file(self.resolve_path(path), data, **conditions)
        return etag

    @overload
    def read_file(self, path: str, as_text: Literal[True] = True) -> str: ...

    @overload
    def read_file(self, path: str, as_text: Literal[False]) -> bytes: ...

    @overload
    def read_file(self, path: str, as_text: bool) -> str | bytes: ...

    def read_file(self, path: str, as_text: bool = True) -> str | bytes:
        """A file's content: text (UTF-8), or its bytes with ``as_text=False``. ENOENT, EISDIR; UnicodeDecodeError."""
        return self.read_text(path) if as_text else self.read_binary(path)

    def read_text(self, path: str, encoding: str = "utf-8", errors: str = "strict") -> str:
        """A file's text; line ends stay as they are. ENOENT, EISDIR; UnicodeDecodeError unless ``errors`` says else."""
        target = self.resolve_path(path)
        return text_of(self.fs.cat_file(target), target, encoding, errors)

    def read_binary(self, path: str) -> bytes:
        """A file's bytes. ENOENT, EISDIR."""
        data: bytes = self.fs.cat_file(self.resolve_path(path))
        return data

    def get_size(self, path: str) -> int:
        """Bytes of a file; 0 for a directory. ENOENT."""
        return node_info(self.fs, self.resolve_path(path)).size

    # ---- copying, moving, removing

    def cp(self, source: str, destination: str) -> None:
        """Copy a file, or a directory with all that it holds. A directory as destination takes the copy inside.

        Args:
            source: what is copied; symbolic links in it are copied as links.
            destination: where to; a slash at its end says that it is a directory. A file that is there is replaced.

        Raises:
            OSError: ENOENT; EINVAL for something onto or into itself; EISDIR, ENOTDIR, ENOSPC.
        """
        changing.copy(self.fs, *self._both(source, destination), inside=destination.endswith("/"))

    def mv(self, source: str, destination: str) -> None:
        """Move a file or directory. A directory as destination takes it inside.

        Args:
            source: what is moved.
            destination: where to; a slash at its end says that it is a directory. A file that is there is replaced.

        Raises:
            OSError: ENOENT; EINVAL for a directory into itself; ENOTEMPTY, EISDIR, ENOTDIR.
        """
        changing.move(self.fs, *self._both(source, destination), inside=destination.endswith("/"))

    def rm(self, path: str, recursive: bool = False) -> None:
        """Remove a file, a link or an empty directory, or with ``recursive`` one that is not. ENOENT, ENOTEMPTY."""
        changing.remove(self.fs, self.resolve_path(path), recursive=recursive)

    def _both(self, source: str, destination: str) -> tuple[str, str]:
        return self.resolve_path(source), self.resolve_path(destination)

    # ---- finding

    def find(self, pattern: str = "*", path: str | bool = ".", recursive: bool = True) -> list[str]:
        """Files and directories below a directory, by name.

        Args:
            pattern: of names, as ``*.txt``; with a slash in it, of paths from ``path``, as ``src/**/*.py``. What begins
                with a slash is no pattern but the directory: ``find("/home")``, or ``find("/home", recursive)``.
            path: where to look.
            recursive: look into directories.

        Returns:
            Absolute paths, in order.

        Raises:
            OSError: ENOENT.
        """
        if isinstance(path, bool):
            return self.find(pattern, recursive=path)
        if pattern.startswith("/"):
            pattern, path = "*", pattern
        return searching.find(self.fs, pattern, self.resolve_path(path), recursive=recursive)

    def search(
        self,
        path: str,
        pattern: str,
        recursive: bool = True,
        *,
        regex: bool = False,
        ignore_case: bool = False,
        limit: int = 1000,
    ) -> list[Match]:
        """Lines that hold a text, in the files below a directory; binary files are left out.

        Args:
            path: a directory, or one file.
            pattern: the text; or with ``regex`` a regular expression, which should come from somebody you trust: some
                take for ever.
            recursive: look into directories.
            regex: take the pattern as a regular expression.
            ignore_case: take small and capital letters for the same.
            limit: most lines that are returned.

        Returns:
            Tuples of path, line number (from 1) and line.

        Raises:
            OSError: ENOENT.
            ValueError: for an empty pattern or a wrong expression.
        """
        start = self.resolve_path(path)
        return searching.search(
            self.fs, start, pattern, recursive=recursive, regex=regex, ignore_case=ignore_case, limit=limit
        )

    # ---- describing

    def get_node_info(self, path: str, sha256: bool = False) -> NodeInfo | None:
        """What is known of a path, None if there is nothing.

        Args:
            path: a file, directory or link.
            sha256: read a file to its end for its checksum.
        """
        try:
            return node_info(self.fs, self.resolve_path(path), sha256=sha256)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def get_metadata(self, path: str) -> dict[str, Any]:
        """What is known of a path as a dict; what was noted is in ``custom_meta``. ENOENT."""
        return node_info(self.fs, self.resolve_path(path)).to_dict()

    def set_metadata(self, path: str, metadata: Mapping[str, Any]) -> None:
        """Note something about a path, in its extended attributes. Other keys stay; a value of None removes its key.

        Args:
            path: a file or directory.
            metadata: values that JSON can hold. ``mime_type`` is the type that ``get_node_info`` tells.

        Raises:
            OSError: ENOTSUP where there are no extended attributes; ENOENT, E2BIG, ERANGE, EROFS.
            TypeError: for a value that JSON cannot hold; nothing is noted then.
        """
        write_metadata(self.fs, self.resolve_path(path), metadata)

    def get_fs_info(self) -> dict[str, Any]:
        """The filesystem as a whole: ``provider``, ``cwd``, ``capabilities``, ``mounts`` and ``stats``."""
        return {
            "provider": self.get_provider_name(),
            "cwd": self.pwd(),
            "capabilities": declared(self.fs),
            "mounts": self.list_mounts(),
            "stats": self.get_storage_stats(),
        }

    def get_storage_stats(self) -> dict[str, Any]:
        """What is stored; every directory is listed for it.

        Returns:
            ``total_size_bytes``, ``total_size_mb``, ``file_count``, ``directory_count`` and ``total_nodes``;
            ``free_bytes`` where the filesystem knows it.
        """
        return storage_stats(self.fs)

    def generate_presigned_url(self, path: str, expires_in: int = 3600) -> str:
        """A URL that lets its holder read a file, for ``expires_in`` seconds. ENOTSUP where there are none."""
        target = self.resolve_path(path)
        try:
            return str(self.fs.sign(target, expiration=expires_in))
        except NotImplementedError:
            raise not_supported(f"URLs of files by the provider {self.get_provider_name()!r}", target) from None

    # ---- many at once

    def batch_create_files(self, file_specs: Iterable[Mapping[str, Any]]) -> list[str]:
        """Write files, each given as a dict of ``path``, ``content`` and ``metadata``.

        Args:
            file_specs: the dicts; without ``content`` the file is empty.

        Returns:
            The absolute paths, in order.

        Raises:
            OSError: of the first that fails; those before it are written.
            TypeError: for content that is neither text nor bytes. Nothing is written then.
            ValueError: for unknown keys. Nothing is written then.
        """
        specs = batches.specs_of(file_specs)
        noted = {self.resolve_path(one.path): one.metadata for one in specs if one.metadata}
        for path, metadata in noted.items():
            check_metadata(self.fs, path, metadata)
        written = self.batch_write_files({one.path: one.content for one in specs})
        for path, metadata in noted.items():
            write_metadata(self.fs, path, metadata)
        return written

    def batch_write_files(self, files: Mapping[str, str | Buffer]) -> list[str]:
        """Write files, given as a dict from path to text or bytes.

        Returns:
            The absolute paths, in order.

        Raises:
            OSError: of the first that fails; others may be written.
            TypeError: for content that is neither text nor bytes. Nothing is written then.
        """
        contents = {self.resolve_path(path): data for path, data in batches.encoded(files).items()}
        if contents:
            self.fs.pipe(contents)
        return list(contents)

    def batch_read_files(self, paths: Iterable[str], as_text: bool = False) -> dict[str, Any]:
        """The contents of files by path, as bytes, or with ``as_text`` as text (UTF-8). ENOENT, EISDIR for any."""
        given = list(paths)
        targets = [self.resolve_path(path) for path in given]
        contents = batches.read_files(self.fs, targets)
        if not as_text:
            return dict(zip(given, contents, strict=True))
        return {path: text_of(data, target) for path, target, data in zip(given, targets, contents, strict=True)}

    def batch_delete_paths(self, paths: Iterable[str]) -> list[str]:
        """Remove files and empty directories. All are looked up first: nothing is removed if one is missing (ENOENT).

        Returns:
            The absolute paths.
        """
        targets = [self.resolve_path(path) for path in paths]
        batches.delete_paths(self.fs, targets)
        return targets

    # ---- streams

    def stream_write(
        self,
        path: str,
        stream: Any,
        chunk_size: int = STREAM_CHUNK,
        progress_callback: Listener | None = None,
        *,
        total: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        **metadata: Any,
    ) -> StreamResult:
        """Write a file from chunks that come one after the other. It appears whole, at the end, or not at all.

        Args:
            path: the file; missing directories are made.
            stream: an iterable of bytes-like chunks of any size, a binary file open for reading, or bytes.
            chunk_size: bytes that are written at a time.
            progress_callback: called as ``(bytes_written, total_bytes)`` after each chunk is written, with a total of
                -1 where it is not known; or an fsspec ``Callback``; or a progress bar like tqdm's.
            total: bytes that will come, for the callback alone; known of itself for bytes and lists.
            if_match: as for ``write_file``; compared when the file is to appear.
            if_none_match: likewise.
            metadata: noted about the file once it is there, as by ``set_metadata``.

        Returns:
            Path, size in bytes, checksum and etag.

        Raises:
            OSError: EISDIR, ENOSPC, EROFS; ENOTSUP for metadata where it cannot be kept. The old file is left.
            PreconditionFailed: as ``write_file``.
            TypeError: for chunks that are not bytes, and what is asynchronous.
        """
        target = self.resolve_path(path)
        check_metadata(self.fs, target, metadata)
        chunks, listener, known = per_chunk(stream, progress_callback)
        size = known if total is None else total
        result = self.streams.stream_write(
            target, chunks, chunk_size, listener, size, if_match=if_match, if_none_match=if_none_match
        )
        write_metadata(self.fs, target, metadata)
        return result

    def stream_read(self, path: str, chunk_size: int = STREAM_CHUNK) -> ReadStream:
        """Read a file piece by piece, in pieces of ``chunk_size`` bytes. ENOENT, EISDIR.

        Returns:
            An iterator of ``bytes`` with ``size`` and ``close``; also a context manager.
        """
        return self.streams.stream_read(self.resolve_path(path), chunk_size)

    # ---- care

    def cleanup(self) -> dict[str, int]:
        """Remove all that is in ``/tmp`` of this filesystem. Returns ``files_removed`` and ``bytes_freed``."""
        files, size = changing.clear(self.fs, _SCRATCH)
        return {"files_removed": files, "bytes_freed": size}


SyncVirtualFileSystem = VirtualFileSystem
"""The same class, by its other name in chuk-virtual-fs."""
