"""Changes on conditions, by the two that object stores check in the step that makes the change.

A change whose reply was lost is made again, and may then be refused for what it has done itself. So each carries a
token, and one that is refused looks whether the token is there.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

from chuk_fsspec.contract.conditions import ANY, Condition
from chuk_fsspec.contract.errors import PreconditionFailed, not_supported
from chuk_fsspec.remote.keys.describing import is_own
from chuk_fsspec.remote.keys.keystore import Guard, Key, Labels
from chuk_fsspec.remote.keys.metadata import WRITE_TOKEN, with_token
from chuk_fsspec.remote.keys.space import Space

_ROUNDS = 20
"""How often a condition that no service knows is looked at anew, while others change what is there."""

Change = Callable[[Labels, Guard | None], Awaitable[Key]]
"""Makes an object with labels, if what is there is as it has to be."""


async def make_guarded(space: Space, path: str, labels: Labels, condition: Condition | None, change: Change) -> Key:
    """Make an object on a condition.

    Args:
        space: where.
        path: of the object.
        labels: that it is to have.
        condition: what has to be there.
        change: makes it, with the calls of the space.

    Raises:
        PreconditionFailed: with nothing done.
    """
    if condition is None:
        return await change(labels, None)
    require_guards(space, path)
    token = os.urandom(12).hex()
    labels = with_token(labels, token)
    key = space.names.key(path)
    etag: str | None = None
    for _ in range(_ROUNDS):
        guard = await guard_of(space, path, condition)
        try:
            return await change(labels, guard)
        except (PreconditionFailed, FileNotFoundError) as refusal:
            found = await space.head(path, key)
            if found is not None and is_own(found, token):
                return found
            etag = None if found is None else found.etag
            if not condition.holds(etag):
                raise condition.failure(path, etag) from refusal
            if isinstance(refusal, FileNotFoundError) and found is None:
                raise
    raise condition.failure(path, etag)


async def guard_of(space: Space, path: str, condition: Condition) -> Guard:
    """The guard that stands for a condition at this moment. PreconditionFailed if it is not met already."""
    if condition.is_new:
        return Guard()
    if condition.if_match not in (None, ANY):
        return Guard(condition.if_match or "")
    found = await space.head(path, space.names.key(path))
    etag = None if found is None else found.etag
    condition.require(path, etag)
    return Guard(etag or "")


def require_guards(space: Space, path: str, *, everywhere: bool = False) -> None:
    """ENOTSUP where the service does not check conditions itself.

    Args:
        space: where.
        path: for the message.
        everywhere: whether it has to do so in copies and removals too.
    """
    traits = space.keys.traits
    if not (traits.guards_all if everywhere else traits.guards_writes):
        raise not_supported("this service does not check conditions of such a change", path)


def fresh(labels: Labels) -> Labels:
    """Labels of an object that is copied, without the token of whoever wrote it."""
    return replace(labels, metadata={name: value for name, value in labels.metadata.items() if name != WRITE_TOKEN})
