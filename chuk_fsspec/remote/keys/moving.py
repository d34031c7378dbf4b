"""Moving inside the service, which has no such thing: everything is copied, looked at, and only then removed."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import PreconditionFailed, not_found, os_error
from chuk_fsspec.remote.keys.copying import copy_file
from chuk_fsspec.remote.keys.keystore import Guard, Key, Source
from chuk_fsspec.remote.keys.looking import pages
from chuk_fsspec.remote.keys.removing import remove_keys
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.together import together

_BATCH = 256
"""Objects that are copied at once, at most; how many requests are on their way is for the calls to say."""


async def move(
    space: Space, source: Entry, target_space: Space, target: str, condition: Condition | None, source_etag: str = ""
) -> None:
    """Give a file or a directory another name, as ``RemoteStore.move`` has it; spaces are as for ``copy_file``."""
    if source.kind == "directory":
        await _move_directory(space, source.path, target_space, target)
        return
    found = await _object_of(space, source, target_space, condition)
    await _move_file(space, source.path, found, target_space, target, condition, source_etag or found.etag)


async def _object_of(space: Space, source: Entry, target_space: Space, condition: Condition | None) -> Key:
    """The object of a file or a link as it was seen; asked for if that does not tell all that is needed. ENOENT."""
    name = space.names.key(source.path)
    is_small = source.size <= target_space.keys.traits.largest_copy
    if source.etag and condition is None and is_small and space.keys.traits.heads_whole:
        storage_class = str(source.details.get("storage_class", ""))
        return Key(name, source.size, source.mtime, source.etag, storage_class=storage_class)
    found = await space.head_whole(source.path, name)
    if found is None:
        raise await space.why_no_file(source.path)
    return found


async def _move_file(
    space: Space,
    source: str,
    found: Key,
    target_space: Space,
    target: str,
    condition: Condition | None,
    etag: str,
) -> None:
    await copy_file(space, source, target_space, target, condition, etag, found)
    guard = Guard(etag) if etag and space.keys.traits.guards_all else None
    try:
        await space.calls(source, lambda: space.keys.delete(found.name, guard))
    except FileNotFoundError:
        return  # the reply of a first attempt was lost, or somebody else has removed it
    except PreconditionFailed as error:
        hint = f"it was changed while it was moved, and is left; what it was is at {target}"
        raise os_error(errno.EBUSY, source, hint=hint) from error


async def _move_directory(space: Space, source: str, target_space: Space, target: str) -> None:
    old, new = space.names.directory(source), target_space.names.directory(target)
    there = await target_space.page(target, new, deep=True, limit=2)
    if any(key.name != new for key in there.keys):
        raise os_error(errno.ENOTEMPTY, target)
    kept = {key.name for key in there.keys}
    keys = await _all_keys(space, source, old)
    if not keys:
        raise not_found(source)
    copies = {name: new + name[len(old) :] for name in keys}
    for copy in copies.values():
        target_space.names.key(target_space.names.path(copy) or target)
    try:
        await _copy_all(space, source, target_space, target, list(keys.values()), copies)
        await _require_whole(space, source, target_space, target, keys, copies)
    except BaseException:
        await remove_keys(target_space, target, [copy for copy in copies.values() if copy not in kept])
        raise
    await remove_keys(space, source, list(keys))


async def _copy_all(
    space: Space, source: str, target_space: Space, target: str, keys: Sequence[Key], copies: Mapping[str, str]
) -> None:
    failures: list[OSError] = []

    async def copy(key: Key) -> None:
        if failures:
            return
        try:
            await _copy_one(space, source, target_space, target, key, copies[key.name])
        except OSError as error:
            # The others come to their end: one that is only dropped may be carried out after all copies are removed.
            failures.append(error)

    for start in range(0, len(keys), _BATCH):
        await together(copy(key) for key in keys[start : start + _BATCH])
        if failures:
            raise failures[0]


async def _copy_one(space: Space, source: str, target_space: Space, target: str, key: Key, copy: str) -> None:
    """Copy one object, with its labels; a large one, which needs parts, by its path."""
    paths = space.names.path(key.name), target_space.names.path(copy)
    if key.size > target_space.keys.traits.largest_copy and paths[0] is not None and paths[1] is not None:
        await copy_file(space, paths[0], target_space, paths[1], None, key.etag)
        return
    found = Source(space.keys.bucket, key.name, key.etag, storage_class=key.storage_class)
    try:
        await target_space.calls(paths[1] or target, lambda: target_space.keys.copy(found, copy, None, None))
    except (FileNotFoundError, PreconditionFailed) as error:
        raise _changed(paths[0] or source) from error


async def _require_whole(
    space: Space,
    source: str,
    target_space: Space,
    target: str,
    keys: Mapping[str, Key],
    copies: Mapping[str, str],
) -> None:
    """EBUSY unless the source is what it was, and the target has all of it."""
    now = await _all_keys(space, source, space.names.directory(source))
    if {name: key.etag for name, key in now.items()} != {name: key.etag for name, key in keys.items()}:
        raise _changed(source)
    there = await _all_keys(target_space, target, target_space.names.directory(target))
    for name, copy in copies.items():
        if copy not in there or there[copy].size != keys[name].size:
            raise os_error(errno.EBUSY, target, hint="somebody else changes it")


async def _all_keys(space: Space, path: str, prefix: str) -> dict[str, Key]:
    found: dict[str, Key] = {}
    async for page in pages(space, path, prefix, deep=True):
        found |= {key.name: key for key in page.keys}
    return found


def _changed(path: str) -> OSError:
    return os_error(errno.EBUSY, path, hint="it was changed while it was moved; nothing is moved")
