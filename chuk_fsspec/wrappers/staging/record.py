"""What a stage remembers of a file of its base, kept with the file in the upper filesystem."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from chuk_fsspec.contract.changes import Facts
from chuk_fsspec.wrappers.staging.ranges import Ranges


@dataclass(frozen=True)
class Seen:
    """A file of the base as it was at one moment.

    Attributes:
        facts: its attributes.
        identity: what is another text once its content, its target or its type is another one.
        ino: its inode number; 0 where the base has none.
        nlink: how many names it has; 1 where the base does not know.
    """

    facts: Facts
    identity: str
    ino: int = 0
    nlink: int = 1

    @property
    def etag(self) -> str | None:
        """The etag, where the base has such a thing."""
        kind, _, value = self.identity.partition(" ")
        return value if kind == "etag" else None

    def differs(self, other: Seen) -> bool:
        """Whether somebody changed the file between the two moments; times alone do not count."""
        own, theirs = self.facts, other.facts
        return (self.identity, own.mode, own.uid, own.gid) != (other.identity, theirs.mode, theirs.uid, theirs.gid)


@dataclass
class Record:
    """What belongs to one inode of the upper filesystem that came from the base.

    Attributes:
        origins: its names in the base: absolute normal paths.
        first: the base's file when the stage first read or changed it, or else when it was last looked at.
        seen: the base's file of which it shows the content.
        limit: bytes from the start that may still be those of the base.
        own: the bytes below ``limit`` that are not.
        is_filled: of a directory: whether its entries were taken over.
        is_changed: whether content was written, cut or replaced.
        is_read: whether content was read or changed, so that ``first`` stays.
        is_dressed: whether the extended attributes were taken over.
        has_xattrs: whether they were changed.
    """

    origins: list[str]
    first: Seen
    seen: Seen
    limit: int = 0
    own: Ranges = field(default_factory=Ranges)
    is_filled: bool = False
    is_changed: bool = False
    is_read: bool = False
    is_dressed: bool = False
    has_xattrs: bool = False

    @property
    def shows_base(self) -> bool:
        """Whether some of the content is still read from the base."""
        return self.limit > 0 and bool(self.own.gaps(0, self.limit))

    def is_directory(self) -> bool:
        """Whether it is about a directory."""
        return self.seen.facts.type == "directory"

    def dump(self) -> bytes:
        """All of it as bytes."""
        fields: dict[str, Any] = {
            "origins": self.origins,
            "first": dump_seen(self.first),
            "limit": self.limit,
            "own": self.own.spans,
            "flags": [self.is_filled, self.is_changed, self.is_read, self.is_dressed, self.has_xattrs],
        }
        if self.seen is not self.first:
            fields["seen"] = dump_seen(self.seen)
        return json.dumps(fields).encode()


def load_record(data: bytes) -> Record:
    """What ``dump`` gave."""
    fields = json.loads(data)
    is_filled, is_changed, is_read, is_dressed, has_xattrs = fields["flags"]
    first = load_seen(fields["first"])
    return Record(
        origins=fields["origins"],
        first=first,
        seen=load_seen(fields["seen"]) if "seen" in fields else first,
        limit=fields["limit"],
        own=Ranges(map(tuple, fields["own"])),
        is_filled=is_filled,
        is_changed=is_changed,
        is_read=is_read,
        is_dressed=is_dressed,
        has_xattrs=has_xattrs,
    )


def dump_seen(seen: Seen) -> list[Any]:
    """A ``Seen`` as plain values."""
    facts = seen.facts
    return [
        [facts.type, facts.size, facts.mode, facts.uid, facts.gid, facts.mtime_ns, facts.target],
        seen.identity,
        seen.ino,
        seen.nlink,
    ]


def load_seen(values: list[Any]) -> Seen:
    """What ``dump_seen`` gave."""
    facts, identity, ino, nlink = values
    return Seen(Facts(*facts), identity, ino, nlink)
