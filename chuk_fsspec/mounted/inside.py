"""Moving inside one mount."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.expansion import has_glob
from chuk_fsspec.contract.operations import FSSPEC, POSIX
from chuk_fsspec.forwarding.conditions import refuse, taken_from
from chuk_fsspec.mounted.access import call
from chuk_fsspec.mounted.ends import End
from chuk_fsspec.mounted.removing import remove
from chuk_fsspec.mounted.trees import look


def move_inside(source: End, target: End, **options: Any) -> None:
    """Move inside one mount, as its filesystem does it; a directory at the target is replaced, not gone into."""
    mount = source.mount
    paths = source.path, target.path
    if mount.names.is_ours and mount.can.rename and target.kind() == "directory":
        refuse(taken_from(options), source.path)
        call(mount, POSIX["rename"], (source.inner, target.inner), paths, flags=0)
    elif mount.can.rename or _moves_by_itself(source):
        recursive = {} if mount.can.rename else {"recursive": source.kind() == "directory"}
        call(mount, FSSPEC["mv"], (source.inner, target.inner), paths, **recursive, **options)
    else:
        refuse(taken_from(options), source.path)
        _copy_inside(source, target)
        remove(mount, source.path, recursive=True)


def _moves_by_itself(source: End) -> bool:
    """Whether a filesystem of others has a ``mv`` of its own, and takes this name for a name and no pattern."""
    return type(source.mount.fs).mv is not AbstractFileSystem.mv and not has_glob(source.path)


def _copy_inside(source: End, target: End) -> None:
    """Copy a file or directory inside the mount of a filesystem that copies many at once."""
    if source.kind() != "directory":
        call(source.mount, FSSPEC["cp_file"], (source.inner, target.inner), (source.path, target.path))
        return
    ends = [(source.below(rest), target.below(rest), kind) for rest, (kind, _) in look(source).items()]
    for _, made, kind in ends:
        if kind == "directory":
            with suppress(NotImplementedError):
                made.ask("makedirs", exist_ok=True)
    files = [(one.inner, other.inner) for one, other, kind in ends if kind != "directory"]
    if files:
        sources, targets = map(list, zip(*files, strict=True))
        call(source.mount, FSSPEC["copy"], (), (source.path, target.path), sources, targets, on_error="raise")
