"""Making and replacing files, whole and in one step."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.remote.keys.describing import written
from chuk_fsspec.remote.keys.guarding import make_guarded, require_guards
from chuk_fsspec.remote.keys.keystore import NO_LABELS, Guard, Key, Labels
from chuk_fsspec.remote.keys.looking import look
from chuk_fsspec.remote.keys.metadata import labels_of, permissions_of
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.keys.uploading import KeyTreeUpload, begin
from chuk_fsspec.remote.store import NOTHING_BESIDES, Attributes, Entry

NEW = Condition(if_none_match="*")


async def write(space: Space, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
    """Make or replace a file with one request, as ``RemoteStore.write`` has it.

    Whether there are keys below the path, which makes it a directory, is not looked at: that would be a second one.
    """
    key = await _put(space, path, data, await _labels(space, path, besides), condition)
    return written(path, key, len(data))


async def upload(space: Space, path: str, besides: Attributes, condition: Condition | None) -> KeyTreeUpload:
    """Begin to make or replace a file in parts. A condition that is not met already is found before the first one."""
    if condition is not None:
        require_guards(space, path)
        found = await space.head(path, space.names.key(path))
        condition.require(path, None if found is None else found.etag)
    return await begin(space, path, await _labels(space, path, besides), condition)


async def make_directory(space: Space, path: str, *, is_missing: bool = False) -> None:
    """Make a directory by its marker, as ``RemoteStore.make_directory`` has it. EEXIST."""
    if not is_missing and await look(space, path) is not None:
        raise os_error(errno.EEXIST, path)
    marker = space.names.directory(path)
    labels = labels_of(NOTHING_BESIDES, keeps_posix=space.keeps_posix, kind="directory")
    guard = Guard() if space.keys.traits.guards_writes else None
    try:
        await space.calls(path, lambda: space.keys.put(marker, b"", labels, guard))
    except PreconditionFailed as error:
        raise os_error(errno.EEXIST, path) from error


async def make_link(space: Space, path: str, destination: str) -> None:
    """Make a symbolic link: an object that holds where it leads to. EEXIST."""
    if await look(space, path) is not None:
        raise os_error(errno.EEXIST, path)
    labels = labels_of(NOTHING_BESIDES, keeps_posix=True, kind="link")
    condition = NEW if space.keys.traits.guards_writes else None
    await _put(space, path, destination.encode("utf-8", "surrogateescape"), labels, condition)


async def _labels(space: Space, path: str, besides: Attributes) -> Labels:
    """What is to be kept with a file; where modes are kept, those of the file that is replaced."""
    if besides is NOTHING_BESIDES and not space.keeps_posix:
        return NO_LABELS
    found = await space.head(path, space.names.key(path)) if space.keeps_posix else None
    before = NO_LABELS if found is None or found.labels is None else permissions_of(found.labels)
    return labels_of(besides, keeps_posix=space.keeps_posix, before=before)


async def _put(space: Space, path: str, data: bytes, labels: Labels, condition: Condition | None) -> Key:
    key = space.names.key(path)

    async def change(labels: Labels, guard: Guard | None) -> Key:
        return await space.calls(path, lambda: space.keys.put(key, data, labels, guard), size=len(data))

    return await make_guarded(space, path, labels, condition, change)
