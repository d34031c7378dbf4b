"""From any filesystem into an archive."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.archives.compression import compressing
from chuk_fsspec.archives.ends import Archive, CountingFile, name_of, opened_target
from chuk_fsspec.archives.formats import Format, format_named, format_of_name
from chuk_fsspec.archives.members import SPECIAL, Kind, Member
from chuk_fsspec.archives.snapshot_json.writing import JsonWriter
from chuk_fsspec.archives.tar.writing import TarWriter
from chuk_fsspec.archives.trees import Tree, kind_of
from chuk_fsspec.archives.zip.writing import ZipWriter
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.contract.reports import Report, Tally
from chuk_fsspec.trees.walking import Found

Special = Literal["skip", "refuse", "keep"]
"""What happens to FIFOs, sockets and device nodes. No archive has sockets."""

_NO_OWNER = 0


@dataclass(frozen=True)
class ExportReport(Report):
    """What was exported.

    Attributes:
        archive_bytes: of the archive.
        copied_links: further names of files that are in it as files of their own.
        without_attributes: entries whose permission bits and times have no place in it.
        xattrs: extended attributes that have none.
    """

    archive_bytes: int
    copied_links: int
    without_attributes: int
    xattrs: int


def export_archive(
    fs: AbstractFileSystem,
    path: str,
    archive: Archive,
    *,
    format: str | None = None,
    overwrite: bool = False,
    mtime_ns: int | None = None,
    owners: bool = True,
    special: Special = "skip",
    storage_options: Mapping[str, Any] | None = None,
    callback: Callback = DEFAULT_CALLBACK,
    on_member: Callable[[Member], None] | None = None,
) -> ExportReport:
    """Write a directory or file of any filesystem to an archive: tar, zip, or JSON as chuk-virtual-fs has it.

    Content passes through 1 MiB of memory. The archive appears under its name when it is whole. Two exports of the same
    files give the same bytes: entries are in the order of their names, and nothing tells who wrote them, or when.

    Args:
        fs: any fsspec filesystem.
        path: a directory in it, whose entries become those of the archive, or one file.
        archive: a path on the host, a binary file that is open for writing, or an fsspec URL.
        format: ``tar``, ``tar.gz``, ``tar.zst``, ``zip`` or ``json``; None tells it by the end of the archive's name.
        overwrite: whether it may take the place of a file that is there.
        mtime_ns: one time for all entries, in nanoseconds since 1970; None keeps those that they have.
        owners: whether numbers of owners and groups are written; False writes 0.
        special: whether FIFOs and device nodes are left out, refused, or kept where the format has them.
        storage_options: of the archive's URL.
        callback: told of each byte of content (``relative_update``).
        on_member: called with each entry that is written.

    Returns:
        What was written, and what the format has no place for.

    Raises:
        ValueError: for a format that is not known, or that the name does not tell.
        ImportError: for zstd where it is not installed.
        FileExistsError: if there is an archive, and ``overwrite`` is not set.
        OSError: ENOENT; ENOTSUP for a special file that is refused; EBUSY for a file that changes while it is read;
            whatever the filesystems say. No archive is left then.
    """
    known = format_named(format) if format else format_of_name(name_of(archive))
    tree = Tree(fs, path)
    with opened_target(archive, storage_options or {}, overwrite=overwrite) as file:
        writer = _writer(known, file)
        export = _Export(tree, known, _Options(mtime_ns, owners, special), callback)
        try:
            for member, content in export.entries():
                writer.add(member, content)
                if on_member is not None:
                    on_member(member)
            writer.finish()
        except BaseException:
            writer.abandon()
            raise
    return ExportReport(**export.tally.figures(), archive_bytes=file.count)


class _Writer(Protocol):
    def add(self, member: Member, content: Iterator[Buffer]) -> None: ...

    def finish(self) -> None: ...

    def abandon(self) -> None: ...


def _writer(known: Format, file: CountingFile) -> _Writer:
    if known.container == "zip":
        return ZipWriter(file)
    sink = compressing(file, known.compression)
    return TarWriter(sink) if known.container == "tar" else JsonWriter(sink)


@dataclass(frozen=True)
class _Options:
    mtime_ns: int | None
    owners: bool
    special: Special


@dataclass
class _ExportTally(Tally):
    copied_links: int = 0
    without_attributes: int = 0
    xattrs: int = 0


class _Export:
    """One export."""

    def __init__(self, tree: Tree, known: Format, options: _Options, callback: Callback) -> None:
        self.tally = _ExportTally()
        self._tree, self._format, self._options, self._callback = tree, known, options, callback
        self._linked: dict[int, str] = {}

    def entries(self) -> Iterator[tuple[Member, Iterator[Buffer]]]:
        """The members that the format can hold; what it cannot is noted."""
        for found in self._tree:
            reason = self._reason_to_leave_out(found)
            if reason:
                self.tally.leave_out(f"/{found.path}", reason)
                continue
            member = self._member(found)
            self._count(member)
            yield member, self._content(found) if member.kind is Kind.FILE else iter(())

    def _reason_to_leave_out(self, found: Found) -> str:
        kind = kind_of(found)
        if kind is None:
            return "nobody knows what it is"
        if kind in SPECIAL:
            if self._options.special == "refuse":
                hint = f"it is a {kind.value} (special=skip leaves it out)"
                raise os_error(errno.ENOTSUP, found.place, hint=hint)
            if self._options.special == "skip" or kind is Kind.SOCKET or not self._format.special:
                return f"it is a {kind.value}"
        if kind is Kind.SYMLINK and not self._format.links:
            return f"{self._format.name} archives have no symbolic links"
        if not self._format.any_name and not (_is_text(found.path) and _is_text(found.attributes.target or "")):
            return "its name, or the text of the link, is not UTF-8"
        return ""

    def _member(self, found: Found) -> Member:
        attributes, options, kind = found.attributes, self._options, kind_of(found)
        assert kind is not None
        first = self._first_name(found) if kind is Kind.FILE and attributes.nlink > 1 else ""
        xattrs = {} if first else self._tree.xattrs(found)
        if not self._format.xattrs:
            self.tally.xattrs += len(xattrs)
        return Member(
            path=found.path,
            kind=Kind.HARD_LINK if first else kind,
            mode=attributes.mode & 0o7777,
            uid=attributes.uid if options.owners else _NO_OWNER,
            gid=attributes.gid if options.owners else _NO_OWNER,
            mtime_ns=(attributes.mtime_ns or 0) if options.mtime_ns is None else options.mtime_ns,
            size=attributes.size if kind is Kind.FILE and not first else 0,
            target=first or (attributes.target or ""),
            rdev=self._tree.rdev(found) if kind in {Kind.CHARACTER, Kind.BLOCK} else 0,
            xattrs=xattrs if self._format.xattrs else {},
        )

    def _first_name(self, found: Found) -> str:
        """The member that holds the file already; nothing if this is the first, or has to be a file of its own."""
        number = found.attributes.file_id
        if number is None:
            return ""
        first = self._linked.setdefault(number, found.path)
        if first == found.path:
            return ""
        if not self._format.hard_links:
            self.tally.copied_links += 1
            return ""
        return first

    def _count(self, member: Member) -> None:
        tally = self.tally
        tally.files += member.kind is Kind.FILE
        tally.directories += member.kind is Kind.DIRECTORY
        tally.symlinks += member.kind is Kind.SYMLINK
        tally.hard_links += member.kind is Kind.HARD_LINK
        tally.special_files += member.kind in SPECIAL
        tally.without_attributes += not self._format.attributes

    def _content(self, found: Found) -> Iterator[Buffer]:
        for data in self._tree.content(found):
            yield data
            self.tally.bytes += len(data)
            self._callback.relative_update(len(data))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
