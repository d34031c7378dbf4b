"""Files that are sent in parts."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress

from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.remote.keys.describing import is_own, written
from chuk_fsspec.remote.keys.guarding import guard_of
from chuk_fsspec.remote.keys.keystore import Key, KeyUpload, Labels, Source
from chuk_fsspec.remote.keys.metadata import with_token
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.store import Entry


class KeyTreeUpload:
    """A file that is being sent (``remote.store.Upload``)."""

    def __init__(
        self,
        space: Space,
        path: str,
        sent: KeyUpload,
        token: str,
        condition: Condition | None,
        lost_since: float | None = None,
    ) -> None:
        """Go on with an upload that has begun.

        Args:
            space: where.
            path: of the file.
            sent: the service's side of it.
            token: in the labels that it has begun with.
            condition: what has to be at the path when it is finished.
            lost_since: of ``time.monotonic``, since when others may have begun whose replies were lost; None for none.
        """
        self._space, self._path, self._sent = space, path, sent
        self._token, self._condition, self._lost_since = token, condition, lost_since
        self._size = 0
        self._is_over = False

    async def send(self, number: int, data: bytes) -> None:
        """Send a part. EFBIG past the number of parts that the service takes."""
        traits = self._space.keys.traits
        if number >= traits.parts_max:
            most = traits.parts_max * traits.part_size >> 30
            hint = f"{most} GiB is the most here; open the filesystem with a larger part_size"
            raise os_error(errno.EFBIG, self._path, hint=hint)
        # Where parts come in order, the one before is sent now.
        size = max(len(data), traits.part_size)
        await self._space.calls(self._path, lambda: self._sent.send(number, data), size=size)
        self._size += len(data)

    async def send_copy(self, number: int, source: Source, start: int, stop: int) -> None:
        """Have the service copy a part from another object."""
        await self._space.calls(self._path, lambda: self._sent.send_copy(number, source, start, stop))
        self._size += stop - start

    async def finish(self) -> Entry:
        """Put the file in its place, as ``remote.store.Upload`` has it."""
        await self._end_lost()
        key = await self._finished()
        self._is_over = True
        return written(self._path, key, self._size)

    async def _finished(self) -> Key:
        space, path, condition = self._space, self._path, self._condition
        guard = None if condition is None else await guard_of(space, path, condition)
        try:
            return await space.calls(path, lambda: self._sent.finish(guard), size=space.keys.traits.part_size)
        except (PreconditionFailed, FileNotFoundError) as refusal:
            found = await space.head(path, space.names.key(path))
            if found is not None and is_own(found, self._token):
                return found
            etag = None if found is None else found.etag
            if condition is not None and (isinstance(refusal, PreconditionFailed) or not condition.holds(etag)):
                raise condition.failure(path, etag) from refusal
            raise

    async def abort(self) -> None:
        """Leave nothing behind. A second time, and after ``finish``, it does nothing."""
        if self._is_over:
            return
        self._is_over = True
        await self._end_lost()
        await self._space.calls(self._path, self._sent.abort)

    async def _end_lost(self) -> None:
        """Only now: another writer who has begun at the same time has sent something since, and can be told by that."""
        since, self._lost_since = self._lost_since, None
        if since is not None:
            await _sweep(self._space, self._path, since, self._sent)


async def begin(space: Space, path: str, labels: Labels, condition: Condition | None) -> KeyTreeUpload:
    """Begin to send a file. What a lost reply has left open is closed, at once or when the upload ends."""
    key = space.names.key(path)
    token = os.urandom(12).hex()
    labels = with_token(labels, token)
    guard = None if condition is None else await guard_of(space, path, condition)
    began = time.monotonic()
    attempts = 0

    async def attempt() -> KeyUpload:
        nonlocal attempts
        attempts += 1
        return await space.keys.begin(key, labels, guard)

    try:
        sent = await space.calls(path, attempt)
    except BaseException:
        await _sweep(space, path, began, None)
        raise
    return KeyTreeUpload(space, path, sent, token, condition, began if attempts > 1 else None)


async def _sweep(space: Space, path: str, since: float, keep: KeyUpload | None) -> None:
    """End uploads that nobody knows of. What cannot be ended does no harm to files, and is no error of theirs."""
    with suppress(OSError):
        await space.calls(path, lambda: space.keys.sweep(space.names.key(path), time.monotonic() - since, keep))
