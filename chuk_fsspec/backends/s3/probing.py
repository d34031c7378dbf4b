"""Which conditions a service checks, found by conditions that do not hold."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.remote.keys import Guard, Source, Space
from chuk_fsspec.remote.keys.keystore import NO_LABELS

_WRONG = "0" * 32
"""An etag that no object has."""
_GUARDS = (Guard(_WRONG), Guard())
"""Neither holds for an object that is there."""
_UNKNOWN = (errno.EINVAL, errno.EIO, errno.ENOTSUP)
"""What a service answers that does nothing because it does not know conditions."""


async def conditions_of(space: Space) -> str:
    """What ``conditions`` is to be for a service: "all", "writes" or "none".

    It is tried on two objects of new names, which are removed again.

    Args:
        space: where those are put.

    Raises:
        OSError: nothing can be written there.
    """
    one, other = (f"{space.names.prefix}chuk-conditions-{secrets.token_hex(8)}" for _ in range(2))
    try:
        for name in (one, other):
            await _asked(space, partial(space.keys.put, name, b"", NO_LABELS, None))
        if not await _checks_writes(space, one):
            return "none"
        return "all" if await _checks_the_rest(space, one, other) else "writes"
    finally:
        for name in (one, other):
            await _asked(space, partial(space.keys.delete, name, None))


async def _checks_writes(space: Space, name: str) -> bool:
    whole = await _refuses(space, (partial(space.keys.put, name, b"x", NO_LABELS, guard) for guard in _GUARDS))
    return whole and all([await _checks_upload(space, name, guard) for guard in _GUARDS])


async def _checks_upload(space: Space, name: str, guard: Guard) -> bool:
    upload = await _asked(space, partial(space.keys.begin, name, NO_LABELS, guard))
    try:
        await _asked(space, partial(upload.send, 0, b"x"))
        return await _refuses(space, [partial(upload.finish, guard)])
    finally:
        await _asked(space, upload.abort)


async def _checks_the_rest(space: Space, one: str, other: str) -> bool:
    keys = space.keys
    copies = [partial(keys.copy, Source(keys.bucket, one), other, None, guard) for guard in _GUARDS]
    changed = partial(keys.copy, Source(keys.bucket, one, _WRONG), other, None, None)
    return await _refuses(space, [*copies, changed, partial(keys.delete, other, _GUARDS[0])])


async def _refuses(space: Space, changes: Iterable[Callable[[], Awaitable[Any]]]) -> bool:
    """Whether conditions are checked, none of which holds."""
    for change in changes:
        try:
            await _asked(space, change)
        except (PreconditionFailed, FileNotFoundError):
            continue
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
        return False
    return True


async def _asked(space: Space, request: Callable[[], Awaitable[Any]]) -> Any:
    return await space.calls(space.names.top, request)
