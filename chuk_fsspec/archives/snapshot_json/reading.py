"""Snapshots of chuk-virtual-fs as they are read, one piece of one file at a time."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from chuk_fsspec.archives.compression import Source
from chuk_fsspec.archives.members import DIRECTORY_MODE, Entry, Kind, Member
from chuk_fsspec.archives.refusal import ArchiveRefused, damaged, refused
from chuk_fsspec.archives.snapshot_json.scanner import Scanner
from chuk_fsspec.contract.posix import Buffer

_VERSION = 1


class JsonReader:
    """Gives the members of a snapshot in the order in which they stand there."""

    def __init__(self, source: Source) -> None:
        self._scanner = Scanner(source)

    def __iter__(self) -> Iterator[Entry]:
        has_snapshot = False
        for key in self._scanner.object_keys():
            if key == "snapshot" and not has_snapshot:
                has_snapshot = True
                yield from self._snapshot()
            else:
                self._scanner.skip()
        if not has_snapshot:
            raise refused("format", "it is no snapshot of chuk-virtual-fs: it has no 'snapshot'")
        if self._scanner.peek():
            raise damaged("something follows the end of the archive")

    def _snapshot(self) -> Iterator[Entry]:
        for key in self._scanner.object_keys():
            if key == "version":
                version = self._scanner.scalar()
                if version != _VERSION:
                    raise refused("format", f"version {version} of such snapshots is not known")
            elif key == "directories":
                for path in self._scanner.object_keys():
                    self._scanner.skip()
                    if _relative(path):
                        yield Member(_relative(path), Kind.DIRECTORY, DIRECTORY_MODE), ()
            elif key == "files":
                for path in self._scanner.object_keys():
                    yield from self._file(_relative(path))
            else:
                self._scanner.skip()

    def _file(self, path: str) -> Iterator[Entry]:
        has_content = False
        for key in self._scanner.object_keys():
            if key != "content":
                self._scanner.skip()
                continue
            if has_content:
                raise damaged("a file has two contents", path)
            has_content = True
            yield Member(path, Kind.FILE, size=None), self._content(path)
        if not has_content:
            yield Member(path, Kind.FILE), ()

    def _content(self, path: str) -> Iterator[Buffer]:
        """Decoded four characters at a time, whatever the pieces in which they come."""
        waiting, ended = "", False
        for piece in self._scanner.pieces():
            waiting += piece
            whole = len(waiting) // 4 * 4
            if whole and ended:
                raise _not_base64(path)
            data, waiting = waiting[:whole], waiting[whole:]
            ended = data.endswith("=")
            yield _decoded(data, path)
        if waiting:
            raise _not_base64(path)


def _decoded(data: str, path: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        raise _not_base64(path) from None


def _not_base64(path: str) -> ArchiveRefused:
    return damaged("its content is not base64", path)


def _relative(path: str) -> str:
    """Such snapshots have absolute paths; below their root they are like others."""
    return path[1:] if path.startswith("/") and not path.startswith("//") else path
