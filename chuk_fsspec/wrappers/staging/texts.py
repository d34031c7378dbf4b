"""How single files of a stage differ from those of the base, as text."""

from __future__ import annotations

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.changes import unified_text
from chuk_fsspec.wrappers.staging.differences import Difference, differences, survey
from chuk_fsspec.wrappers.staging.overlay import Overlay, read_exactly


def text_diff(overlay: Overlay, fs: AbstractFileSystem, path: str, context: int) -> str:
    """The difference of one file as unified text; empty if its content is the same.

    Args:
        overlay: the stage.
        fs: a view of it.
        path: normal path in the stage, or in the base for what was removed.
        context: lines that are shown around each difference.
    """
    with overlay.turns.step():
        found = [one for one in differences(overlay, survey(overlay)) if one.change.path == path]
        return "".join(_text(overlay, fs, one, context) for one in found)


def _text(overlay: Overlay, fs: AbstractFileSystem, one: Difference, context: int) -> str:
    change, before, after = one.change, None, None
    if one.origin is not None and change.before is not None and change.before.type == "file":
        before = read_exactly(overlay.base.open(one.origin), change.before.size, 0, one.origin)
    if change.after is not None and change.after.type == "file":
        after = fs.cat_file(change.path)
    return unified_text(change.path, before, after, source=one.origin or "", context=context)
