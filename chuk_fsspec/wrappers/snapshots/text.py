"""The differences of files as text, within bounds."""

from __future__ import annotations

from dataclasses import dataclass

from chuk_fsspec.contract.changes import Change, Changes, unified_text
from chuk_fsspec.contract.display import printable
from chuk_fsspec.wrappers.snapshots.comparing import find
from chuk_fsspec.wrappers.snapshots.entry import Tree

FILE_BYTES = 1 << 20
"""Most bytes of a file that is compared line by line."""
ALL_BYTES = 4 << 20
"""Most bytes of text in all."""


@dataclass(frozen=True)
class TextChanges(Changes):
    """Changes, with the contents of files compared line by line.

    Attributes:
        text: as patch(1) reads it; a line each says which files are binary or too long.
    """

    text: str = ""

    def __str__(self) -> str:
        return "\n".join(filter(None, (super().__str__(), self.text.rstrip("\n"))))


def with_text(changes: Changes, before: Tree, after: Tree) -> TextChanges:
    """Read the files that changed, and compare their lines.

    Args:
        changes: between the two trees.
        before: the first.
        after: the second.
    """
    parts: list[str] = []
    left = ALL_BYTES
    for change in changes:
        if not (change.has_content and change.facts.type == "file"):
            continue
        part = _text(change, before, after)
        left -= len(part)
        if left < 0:
            parts.append("The rest is left out, for it is too long\n")
            break
        parts.append(part)
    return TextChanges(changes.entries, "".join(parts))


def _text(change: Change, before: Tree, after: Tree) -> str:
    sizes = [facts.size for facts in (change.before, change.after) if facts is not None and facts.type == "file"]
    if max(sizes) > FILE_BYTES:
        return f"{printable(change.path)} is too long to be compared line by line\n"
    old = _content(before, change.source or change.path) if change.before is not None else None
    new = _content(after, change.path) if change.after is not None else None
    return unified_text(change.path, old, new, source=change.source or "")


def _content(tree: Tree, path: str) -> bytes | None:
    """The content of a file; None for anything else."""
    entry = find(tree, path)
    return b"".join(tree.blocks(path, entry)) if entry is not None and entry.is_file else None
