"""What differs between two states of a filesystem: records for programs, and text for people."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from enum import Enum
from io import StringIO
from typing import Any

from chuk_fsspec.contract.display import printable
from chuk_fsspec.contract.info import FileType
from chuk_fsspec.contract.paths import is_inside


class Kind(Enum):
    """What happened to a file, link or directory. The value is the letter that stands before it in a listing."""

    ADDED = "A"
    REMOVED = "D"
    MODIFIED = "M"
    """Other content under the same path: another text, another target of a link, or another type of file."""
    RENAMED = "R"
    """Another path; content and attributes may have changed as well."""
    ATTRIBUTES = "P"
    """The same content with other properties: mode, owner, times, extended attributes or hard links."""


@dataclass(frozen=True)
class Facts:
    """What a filesystem says of a file, link or directory; None where it keeps no such thing.

    Attributes:
        type: as fsspec names it.
        size: bytes of content; 0 for a directory.
        mode: type and permission bits.
        uid: owner.
        gid: group.
        mtime_ns: last change of content, in nanoseconds since 1970.
        target: where a symbolic link points.
    """

    type: FileType
    size: int
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime_ns: int | None = None
    target: str | None = None


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        kind: what happened.
        path: absolute normal path, the new one of what was renamed.
        before: as it was; None if it was not there.
        after: as it is; None if it is there no more.
        source: the path that it had before it was renamed.
        has_content: whether the content differs, or for a link the target.
        attributes: which others differ: "mode", "owner", "times", "xattrs", "links".
    """

    kind: Kind
    path: str
    before: Facts | None
    after: Facts | None
    source: str | None = None
    has_content: bool = False
    attributes: tuple[str, ...] = ()

    @property
    def facts(self) -> Facts:
        """As it is, or was where it is no more."""
        facts = self.after or self.before
        if facts is None:
            raise ValueError(f"the change of {self.path} has neither before nor after")
        return facts

    def __str__(self) -> str:
        path = printable(self.path) + ("/" if self.facts.type == "directory" and self.path != "/" else "")
        if self.source is not None:
            path = f"{printable(self.source)} -> {path}"
        return f"{self.kind.value} {path}{_details(self)}"


@dataclass(frozen=True)
class Changes:
    """All differences, in the order of their paths."""

    entries: tuple[Change, ...] = ()

    @classmethod
    def of(cls, changes: Iterable[Change]) -> Changes:
        """Changes in the order of their paths."""
        return cls(tuple(sorted(changes, key=lambda change: (change.path.split("/"), change.kind.value))))

    @property
    def added(self) -> tuple[Change, ...]:
        """What was not there before."""
        return self._of(Kind.ADDED)

    @property
    def removed(self) -> tuple[Change, ...]:
        """What is there no more."""
        return self._of(Kind.REMOVED)

    @property
    def modified(self) -> tuple[Change, ...]:
        """What has other content."""
        return self._of(Kind.MODIFIED)

    @property
    def renamed(self) -> tuple[Change, ...]:
        """What has another path."""
        return self._of(Kind.RENAMED)

    @property
    def attributes(self) -> tuple[Change, ...]:
        """What has the same content and other properties."""
        return self._of(Kind.ATTRIBUTES)

    def at(self, path: str) -> Change | None:
        """The change of one path; None if it did not change."""
        return next((change for change in self.entries if change.path == path), None)

    def below(self, paths: Iterable[str]) -> Changes:
        """The changes of some paths and of all that lies below them; a rename counts with either of its paths."""
        chosen = tuple(paths)
        return Changes(tuple(change for change in self.entries if _is_meant(change, chosen)))

    def summary(self) -> str:
        """How many there are of each kind, in one line."""
        counts = [(kind, len(self._of(kind))) for kind in Kind]
        return ", ".join(f"{count} {_WORDS[kind]}" for kind, count in counts if count) or "nothing changed"

    def __iter__(self) -> Iterator[Change]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.entries), self.summary()])

    def _of(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(change for change in self.entries if change.kind is kind)


def facts_of(info: Mapping[str, Any]) -> Facts:
    """The facts of an info dict (``contract.Info``), of a filesystem that may know less than ours do."""
    mtime = info.get("mtime")
    mtime_ns = info.get("mtime_ns")
    if mtime_ns is None and isinstance(mtime, (int, float)):
        mtime_ns = int(mtime * 1e9)
    target = info.get("destination")
    is_directory = info["type"] == "directory"
    return Facts(
        type=info["type"],
        size=0 if is_directory else int(info.get("size") or 0),
        mode=_number(info.get("mode")),
        uid=_number(info.get("uid")),
        gid=_number(info.get("gid")),
        mtime_ns=mtime_ns,
        target=target if isinstance(target, str) else None,
    )


def changed_attributes(before: Facts, after: Facts) -> tuple[str, ...]:
    """Which of "mode", "owner" and "times" differ; the times of a directory follow from its entries and do not count.

    Args:
        before: as it was; what is None there is taken not to differ.
        after: as it is.
    """
    found: list[str] = []
    if None not in (before.mode, after.mode) and before.mode != after.mode:
        found.append("mode")
    owners = (before.uid, after.uid), (before.gid, after.gid)
    if any(None not in pair and pair[0] != pair[1] for pair in owners):
        found.append("owner")
    if after.type != "directory" and None not in (before.mtime_ns, after.mtime_ns):
        found += ["times"] * (before.mtime_ns != after.mtime_ns)
    return tuple(found)


def unified_text(path: str, before: bytes | None, after: bytes | None, *, source: str = "", context: int = 3) -> str:
    """The difference of two contents as unified text, as patch(1) reads it.

    Args:
        path: absolute path of the file.
        before: its content as it was; None if it was not there.
        after: its content as it is; None if it is there no more.
        source: the path that it had before, if that was another one.
        context: lines that are shown around each difference.

    Returns:
        The text, empty if nothing differs; for contents that are no text, one line that says so.
    """
    if before == after:
        return ""
    old = f"a{printable(source or path)}" if before is not None else "/dev/null"
    new = f"b{printable(path)}" if after is not None else "/dev/null"
    try:
        first, second = (before or b"").decode(), (after or b"").decode()
    except UnicodeDecodeError:
        first = second = "\0"
    if "\0" in first or "\0" in second:
        return f"Binary files {old} and {new} differ\n"
    lines = unified_diff(_lines(first), _lines(second), old, new, n=context)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


_WORDS = {
    Kind.ADDED: "added",
    Kind.REMOVED: "removed",
    Kind.MODIFIED: "modified",
    Kind.RENAMED: "renamed",
    Kind.ATTRIBUTES: "with other attributes",
}


def _lines(text: str) -> list[str]:
    return StringIO(text, newline="\n").readlines()


def _is_meant(change: Change, paths: tuple[str, ...]) -> bool:
    own = (change.path,) if change.source is None else (change.path, change.source)
    return any(is_inside(one, path) for one in own for path in paths)


def _details(change: Change) -> str:
    """Sizes and attributes, in brackets after the path."""
    before, after = change.before, change.after
    said: list[str] = []
    if before is not None and after is not None:
        if before.type != after.type:
            said.append(f"{before.type} -> {after.type}")
        elif change.has_content:
            said.append(_content(before, after))
        said += [_attribute(name, before, after) for name in change.attributes]
    elif change.facts.type == "link":
        said.append(f"link to {printable(change.facts.target or '?')}")
    elif change.facts.type == "file":
        said.append(_bytes(change.facts.size))
    elif change.facts.type == "other":
        said.append("special file")
    return f" ({', '.join(said)})" if said else ""


def _content(before: Facts, after: Facts) -> str:
    if after.type == "link":
        return f"link to {printable(before.target or '?')} -> {printable(after.target or '?')}"
    if before.size == after.size:
        return f"{_bytes(after.size)}, other content"
    return f"{before.size} -> {_bytes(after.size)}"


def _attribute(name: str, before: Facts, after: Facts) -> str:
    if name == "mode" and before.mode is not None and after.mode is not None:
        return f"mode {stat.S_IMODE(before.mode):o} -> {stat.S_IMODE(after.mode):o}"
    if name == "owner":
        return f"owner {before.uid}:{before.gid} -> {after.uid}:{after.gid}"
    return name


def _bytes(size: int) -> str:
    return f"{size} byte{'' if size == 1 else 's'}"


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None
