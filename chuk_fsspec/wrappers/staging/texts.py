"""How single files of a stage differ from those of the base, as text."""

from __future__ import annotations

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.changes import Change, unified_text
from chuk_fsspec.wrappers.staging.committing import diff
from chuk_fsspec.wrappers.staging.overlay import Overlay


def text_diff(overlay: Overlay, fs: AbstractFileSystem, path: str, context: int) -> str:
    """The difference of one file as unified text; empty if its content is the same.

    Args:
        overlay: the stage.
        fs: a view of it.
        path: normal path in the stage, or in the base for what was removed.
        context: lines that are shown around each difference.
    """
    found = [change for change in diff(overlay) if change.path == path]
    return "".join(_text(overlay, fs, change, context) for change in found)


def _text(overlay: Overlay, fs: AbstractFileSystem, change: Change, context: int) -> str:
    source = change.source or change.path
    before = after = None
    if change.before is not None and change.before.type == "file":
        before = overlay.base.open(source)(change.before.size, 0)
    if change.after is not None and change.after.type == "file":
        after = fs.cat_file(change.path)
    return unified_text(change.path, before, after, source=source, context=context)
