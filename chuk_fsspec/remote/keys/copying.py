"""Copying files inside the service."""

from __future__ import annotations

import asyncio

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import PreconditionFailed, precondition_failed
from chuk_fsspec.remote.keys.describing import written
from chuk_fsspec.remote.keys.guarding import fresh, make_guarded, require_guards
from chuk_fsspec.remote.keys.keystore import NO_LABELS, Guard, Key, Labels, Source
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.keys.uploading import begin
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.together import together

_ROUNDS = 20
"""How often a copy begins anew because others replace the file that is copied."""

_COPIED_PART = 256 << 20
"""Bytes of one part of a copy that is made in parts; more where there would be too many."""


class SourceChanged(Exception):  # noqa: N818 - it is news, and copying begins anew
    """The file that is copied is another one by now."""


async def copy_file(
    space: Space,
    source: str,
    target_space: Space,
    target: str,
    condition: Condition | None,
    source_etag: str = "",
    found: Key | None = None,
) -> Entry:
    """Copy a file, in one step at the target, with what is kept besides.

    Args:
        space: where the file is.
        source: its path.
        target_space: where it is copied to, in the same service.
        target: the path there.
        condition: what has to be at the target.
        source_etag: what the file has to have; empty for anything.
        found: its object, for who has just looked; with its labels, where there is a condition or it is large.

    Raises:
        PreconditionFailed: with nothing done.
        OSError: ENOENT, EISDIR.
    """
    if condition is not None:
        require_guards(target_space, target, everywhere=True)
    target_space.names.key(target)
    etag = None
    for _ in range(_ROUNDS):
        found = found or await space.head_whole(source, space.names.key(source))
        if found is None:
            raise await space.why_no_file(source)
        etag = found.etag
        if source_etag not in ("", etag):
            break
        try:
            key = await _copy(space, found, target_space, target, condition)
        except SourceChanged:
            found = None
            continue
        return written(target, key, found.size)
    raise precondition_failed(source, source_etag or etag, etag, exists=False)


async def _copy(space: Space, found: Key, target_space: Space, target: str, condition: Condition | None) -> Key:
    source = Source(space.keys.bucket, found.name, found.etag, space.version, found.storage_class)
    labels = fresh(found.labels or NO_LABELS)
    if found.size > target_space.keys.traits.largest_copy:
        return await copy_parts(source, found.size, target_space, target, labels, condition)
    key = target_space.names.key(target)

    async def change(new: Labels, guard: Guard | None) -> Key:
        # What is copied onto its own key is told its labels: some services refuse to copy it otherwise.
        kept = None if condition is None and not space.version else new
        try:
            return await target_space.calls(target, lambda: target_space.keys.copy(source, key, kept, guard))
        except (PreconditionFailed, FileNotFoundError):
            now = await space.head(target, found.name)
            if now is None or now.etag != found.etag:
                raise SourceChanged from None
            raise

    return await make_guarded(target_space, target, labels, condition, change)


async def copy_parts(
    source: Source, size: int, space: Space, target: str, labels: Labels, condition: Condition | None
) -> Key:
    """Copy an object that is too large for one request.

    Raises:
        SourceChanged: if it is another one by now.
        PreconditionFailed: by the condition.
    """
    traits = space.keys.traits
    part = min(traits.largest_copy, max(_COPIED_PART, -(-size // traits.parts_max)))
    upload = await begin(space, target, labels, condition)
    turns = asyncio.Semaphore(traits.parallel_parts)

    async def send(number: int) -> None:
        async with turns:
            await upload.send_copy(number, source, number * part, min(size, (number + 1) * part))

    try:
        await together(send(number) for number in range(-(-size // part)))
        entry = await upload.finish()
    except PreconditionFailed as error:
        await upload.abort()
        if condition is None:
            raise SourceChanged from error
        raise
    except BaseException:
        await upload.abort()
        raise
    return Key(space.names.key(target), size, entry.mtime, entry.etag)
