"""Removing files, directories and trees."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping, Sequence

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.remote.keys.guarding import require_guards
from chuk_fsspec.remote.keys.keystore import Guard
from chuk_fsspec.remote.keys.looking import pages
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.together import together

_ROUNDS = 5
"""How often objects that a service was too busy to remove are removed again."""


async def remove_file(space: Space, path: str, condition: Condition | None) -> None:
    """Remove a file or a link. ENOENT, EISDIR, PreconditionFailed."""
    key = space.names.key(path)
    if condition is not None:
        require_guards(space, path, everywhere=True)
    found = await space.head(path, key)
    if found is None:
        why = await space.why_no_file(path)
        if condition is not None and not isinstance(why, IsADirectoryError) and not condition.holds(None):
            raise condition.failure(path, None)
        raise why
    if condition is None:
        await space.calls(path, lambda: space.keys.delete(key, None))
        return
    condition.require(path, found.etag)
    guard = Guard(found.etag)
    try:
        await space.calls(path, lambda: space.keys.delete(key, guard), repeatable=False)
    except (PreconditionFailed, FileNotFoundError) as refusal:
        found = await space.head(path, key)
        raise condition.failure(path, None if found is None else found.etag) from refusal


async def remove_directory(space: Space, path: str) -> None:
    """Remove an empty directory, which is its marker. ENOENT, ENOTDIR, ENOTEMPTY."""
    marker = space.names.directory(path)
    page = await space.page(path, marker, deep=True, limit=2, names_only=True)
    if not page.keys:
        raise await space.why_no_directory(path)
    if any(key.name != marker for key in page.keys):
        raise os_error(errno.ENOTEMPTY, path)
    await space.calls(path, lambda: space.keys.delete(marker, None))


async def remove_tree(space: Space, path: str) -> None:
    """Remove a directory with all keys below it; of the root, only those. ENOENT, ENOTDIR."""
    prefix = space.names.directory(path)
    is_there = path == space.names.top
    async for page in pages(space, path, prefix, deep=True, names_only=True):
        is_there = is_there or bool(page.keys)
        keys = [key.name for key in page.keys]
        await remove_keys(space, path, [key for key in keys if key != prefix or path != space.names.top])
    if not is_there:
        raise await space.why_no_directory(path)


async def remove_keys(space: Space, path: str, keys: Sequence[str]) -> None:
    """Remove objects, in as few requests as the service allows.

    Args:
        space: where.
        path: what it is about, for errors of the whole.
        keys: of the objects.

    Raises:
        OSError: EACCES or EIO, naming the first object that was not removed; the others are.
    """
    left: dict[str, int] = dict.fromkeys(keys, errno.EAGAIN)
    for attempt in range(_ROUNDS):
        again = [key for key, code in left.items() if code == errno.EAGAIN]
        if not again:
            break
        if attempt:
            await asyncio.sleep(0.1 * 2**attempt)
        left = {key: code for key, code in left.items() if code != errno.EAGAIN}
        size = space.keys.traits.delete_batch
        batches = [again[start : start + size] for start in range(0, len(again), size)]
        for failed in await together(_remove_batch(space, path, batch) for batch in batches):
            left |= failed
    if left:
        key, code = next(iter(left.items()))
        more = f"and {len(left) - 1} more were not removed" if len(left) > 1 else "it was not removed"
        raise os_error(errno.EIO if code == errno.EAGAIN else code, space.names.path(key) or path, hint=more)


async def _remove_batch(space: Space, path: str, keys: Sequence[str]) -> Mapping[str, int]:
    return await space.calls(path, lambda: space.keys.delete_many(keys))
