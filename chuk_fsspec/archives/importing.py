"""From an archive, of which nothing is believed, into any filesystem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.archives.compression import Counted, decompressed
from chuk_fsspec.archives.describing import ImportTally
from chuk_fsspec.archives.ends import Archive, Peeked, opened_source, require_seekable
from chuk_fsspec.archives.formats import SNIFFED, Format, format_named, format_of_content
from chuk_fsspec.archives.limits import ArchiveLimits, Meter
from chuk_fsspec.archives.members import Entry, Member
from chuk_fsspec.archives.names import Names
from chuk_fsspec.archives.placing import Existing, place_for
from chuk_fsspec.archives.planting import Links, Planter, Policy, Special
from chuk_fsspec.archives.snapshot_json.reading import JsonReader
from chuk_fsspec.archives.tar.reading import TarReader
from chuk_fsspec.archives.zip.reading import ZipReader
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.contract.reports import Report


@dataclass(frozen=True)
class ImportReport(Report):
    """What was imported.

    Attributes:
        archive_bytes: of the archive that were read.
        copied_links: further names of files that became files of their own, for the target has no hard links.
        without_attributes: entries whose permission bits and times the target does not keep.
        without_owners: entries whose owner the target did not take.
        without_xattrs: extended attributes that were not set.
    """

    archive_bytes: int
    copied_links: int
    without_attributes: int
    without_owners: int
    without_xattrs: int


def import_archive(
    archive: Archive,
    fs: AbstractFileSystem,
    path: str = "/",
    *,
    format: str | None = None,
    limits: ArchiveLimits | None = None,
    existing: Existing = "refuse",
    links: Links = "inside",
    names: Names = "portable",
    special: Special = "refuse",
    owners: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    callback: Callback = DEFAULT_CALLBACK,
    on_member: Callable[[Member], None] | None = None,
) -> ImportReport:
    """Put what an archive holds into a directory of any filesystem: all of it, or nothing.

    The archive may come from anybody. Limits are checked against what really comes out; no member leads out of the
    directory, in itself or through another one. Content passes through little memory; a member takes about 200 bytes.

    Where the filesystem has transactions that undo everything, members are made where they belong. Elsewhere they are
    made in a new directory, beside the target or in it, whose content is moved when it is whole.

    Args:
        archive: a path on the host, a binary file that is open for reading, or an fsspec URL. A zip file has to seek.
        fs: any fsspec filesystem.
        path: the directory; it is made if it is missing, and so are those above it.
        format: ``tar``, ``tar.gz``, ``tar.zst``, ``zip`` or ``json``; None tells it by how the archive begins.
        limits: how much may come out; None for the defaults.
        existing: for a directory that has something in it: ``refuse``, ``merge`` (files of the archive take the place
            of those of the same name), or ``replace`` all that is there.
        links: ``inside`` refuses archives with a symbolic link that may lead out of the directory, ``skip`` leaves such
            links out, ``keep`` makes all of them, ``refuse`` refuses any. Hard links lead to files of the archive
            always.
        names: ``portable`` refuses backslashes and drive letters, ``any`` takes all that our filesystems can hold.
        special: whether FIFOs and device nodes are refused, left out, or kept.
        owners: whether owners, groups, set-ID bits and extended attributes outside of ``user.`` are set.
        storage_options: of the archive's URL.
        callback: told of each byte of content (``relative_update``).
        on_member: called with each member that is taken.

    Returns:
        What was made, and what was not.

    Raises:
        ArchiveRefused: what the archive may not hold, with the name of the member and of the rule; EBADMSG for a
            damaged archive. The filesystem is as it was.
        ValueError: for an option that is not known.
        ImportError: for zstd where it is not installed.
        OSError: ENOTEMPTY, ENOTDIR for ``path``; whatever the filesystem says, its own quotas included. The filesystem
            is as it was.
    """
    for given, words, option in ((existing, Existing, "existing"), (links, Links, "links"), (names, Names, "names")):
        _require_one_of(given, words, option)
    _require_one_of(special, Special, "special")
    known = format_named(format) if format else None
    policy = Policy(links, names, special, owners)
    meter = Meter(limits or ArchiveLimits())
    view = without_links(fs)
    with opened_source(archive, storage_options or {}) as file:
        members = _members(file, known, meter)
        place = place_for(view, fs._strip_protocol(path), existing)
        with place:
            planter = Planter(view, place.base, policy, meter, callback, in_place=place.in_place, merges=place.merges)
            for member, content in members:
                planter.plant(member, content)
                if on_member is not None:
                    on_member(member)
            place.arrive(planter.finish)
    return _report(planter.tally, meter)


def _members(file: Any, known: Format | None, meter: Meter) -> Iterator[Entry]:
    """The members of an archive, in the format that is given or that it begins as."""
    counted = Counted(file, meter)
    source = Peeked(counted, 0 if known else SNIFFED)
    known = known or format_of_content(source.start)
    if known.container == "zip":
        require_seekable(file)
        return iter(ZipReader(counted, meter))
    stream = decompressed(source, known.compression, meter)
    return iter(TarReader(stream, meter) if known.container == "tar" else JsonReader(stream))


def _report(tally: ImportTally, meter: Meter) -> ImportReport:
    return ImportReport(**tally.figures(), archive_bytes=meter.taken)


def _require_one_of(given: str, words: Any, option: str) -> None:
    if given not in get_args(words):
        raise ValueError(f"{option} must be one of {', '.join(get_args(words))}, not {given!r}")
