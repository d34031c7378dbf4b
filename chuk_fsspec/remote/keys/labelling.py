"""Changing what is kept with a file besides its content, which copies its object onto itself."""

from __future__ import annotations

import errno
from dataclasses import replace

from chuk_fsspec.contract.errors import PreconditionFailed, not_found, os_error
from chuk_fsspec.contract.info import FileType
from chuk_fsspec.remote.keys.copying import SourceChanged, copy_parts
from chuk_fsspec.remote.keys.keystore import NO_LABELS, Key, Source
from chuk_fsspec.remote.keys.metadata import entry_of, is_link, labels_of
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.store import Attributes

_ROUNDS = 20
"""How often it begins anew because others replace the file meanwhile."""


async def set_attributes(space: Space, path: str, changed: Attributes) -> None:
    """Change modes, owners, times, the content type or metadata. ENOENT.

    The object gets a new time from the service; where times are kept, the old one stays the one that is told.
    """
    for _ in range(_ROUNDS):
        found = await _object_of(space, path)
        if await _relabelled(space, path, found, changed):
            return
    raise os_error(errno.EBUSY, path, hint="others keep replacing it")


async def _object_of(space: Space, path: str) -> Key:
    """The object of a file, or the marker of a directory, which is made for one that is only a prefix."""
    found = None if path == space.names.top else await space.head_whole(path, space.names.key(path))
    if found is not None:
        return found
    if not await space.has_directory(path):
        raise not_found(path)
    marker = space.names.directory(path)
    return await space.head(path, marker) or Key(marker)


async def _relabelled(space: Space, path: str, found: Key, changed: Attributes) -> bool:
    before = found.labels or NO_LABELS
    kind: FileType = "directory" if found.name.endswith("/") else "link" if is_link(before.metadata) else "file"
    told = entry_of(path, found, keeps_posix=space.keeps_posix)
    if changed.mode is None and told.mode is not None:
        changed = replace(changed, mode=told.mode)
    if changed.mtime is None:
        changed = replace(changed, mtime=told.mtime)
    labels = labels_of(changed, keeps_posix=space.keeps_posix, kind=kind, before=before)
    if found.labels is None or kind == "directory":
        await space.calls(path, lambda: space.keys.put(found.name, b"", labels, None))
        return True
    source = Source(space.keys.bucket, found.name, found.etag)
    try:
        if found.size > space.keys.traits.largest_copy:
            await copy_parts(source, found.size, space, path, labels, None)
        else:
            await space.calls(path, lambda: space.keys.copy(source, found.name, labels, None))
    except (SourceChanged, PreconditionFailed, FileNotFoundError):
        return False
    return True
