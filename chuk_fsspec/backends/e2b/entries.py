"""What E2B says of a path, as an ``Entry``."""

from __future__ import annotations

from e2b import EntryInfo
from e2b.sandbox.filesystem.filesystem import FileType

from chuk_fsspec.backends.e2b.people import People
from chuk_fsspec.contract.info import FileType as Kind
from chuk_fsspec.remote.store import Entry

_KINDS: dict[FileType | None, Kind] = {
    FileType.FILE: "file",
    FileType.DIR: "directory",
    FileType.SYMLINK: "link",
    None: "other",
}
_HIGH_BITS = {"u": 0o4000, "g": 0o2000, "t": 0o1000}
_NINE = len("rwxrwxrwx")


def is_link(info: EntryInfo) -> bool:
    """Whether it is a symbolic link, which E2B tells with the type and mode of what it leads to."""
    return info.symlink_target is not None or info.type is FileType.SYMLINK


def entry_of(info: EntryInfo, path: str, people: People, destination: str = "") -> Entry:
    """What is at a path.

    Args:
        info: as E2B tells it.
        path: of the filesystem.
        people: who is who in the sandbox.
        destination: what it holds, if it is a link.
    """
    kind: Kind = "link" if is_link(info) else _KINDS[info.type]
    return Entry(
        path=path,
        kind=kind,
        size=info.size if kind == "file" else 0,
        mtime=info.modified_time.timestamp(),
        mode=None if kind == "link" else info.mode | _high_bits(info.permissions),
        uid=people.shown_uid(info.owner),
        gid=people.shown_gid(info.group),
        destination=destination,
        metadata=info.metadata or None,
        details={"owner": info.owner, "group": info.group},
    )


def _high_bits(permissions: str) -> int:
    """Those above ``rwxrwxrwx``, which are letters before it (Go: ``FileMode.String``)."""
    return sum(_HIGH_BITS.get(letter, 0) for letter in permissions[:-_NINE])
