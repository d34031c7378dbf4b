"""Conditions of a change, for stores whose service only says that one was not met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chuk_fsspec.contract.conditions import Condition, Etags, condition_of, etags_by_path
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.remote.describing import etag_of
from chuk_fsspec.remote.store import Entry, RemoteStore

if TYPE_CHECKING:
    from chuk_fsspec.remote.resolving import Resolving


def require_met(condition: Condition | None, path: str, entry: Entry | None) -> None:
    """PreconditionFailed unless what was found at a normal path is what was asked for, if anything was."""
    if condition is not None:
        condition.require(path, None if entry is None else etag_of(entry))


async def failure_of(store: RemoteStore, path: str, condition: Condition) -> PreconditionFailed:
    """The error for a condition that a service has refused, with the etag of what is at the path now.

    Args:
        store: where.
        path: absolute and normal.
        condition: what was asked.
    """
    entry = await store.look(path)
    return condition.failure(path, None if entry is None else etag_of(entry))


async def conditions_by_path(
    fs: Resolving, paths: Iterable[str], if_match: Etags = None, if_none_match: Etags = None
) -> dict[str, Condition | None]:
    """What a bulk operation asks of each of its paths, looked at before the first one is changed.

    As ``contract.conditions.conditions_by_path``, of which it is the coroutine.
    """
    paths = list(paths)
    wanted = etags_by_path(fs, paths, "if_match", if_match)
    unwanted = etags_by_path(fs, paths, "if_none_match", if_none_match)
    conditions = {path: condition_of(wanted[path], unwanted[path]) for path in paths}
    for path, condition in conditions.items():
        if condition is not None:
            require_met(condition, path, await fs._look_or_none(path, follow=not condition.is_new))
    return conditions
