"""Conditions of a change on their way down: kept by the filesystem below, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.conditions import condition_of, etag_at, refuse_etags
from chuk_fsspec.contract.errors import not_supported

NAMES = frozenset({"if_match", "if_none_match", "if_source_match", "if_target_match"})
"""The arguments that are conditions."""


def taken_from(options: dict[str, Any]) -> dict[str, Any]:
    """Take the conditions of a call out of its options; those that are None are none."""
    taken = {name: options.pop(name) for name in NAMES.intersection(options)}
    return {name: value for name, value in taken.items() if value is not None}


def refuse(conditions: Mapping[str, Any], path: str) -> None:
    """ENOTSUP if there are conditions: to leave one out would lose an update."""
    if conditions:
        raise not_supported(f"{' and '.join(sorted(conditions))}: the filesystem does not keep conditions", path)


def require_for_directory(fs: AbstractFileSystem, source: str, target: str, conditions: Mapping[str, Any]) -> None:
    """Check the conditions of a move that replaces an empty directory, for which etags say nothing.

    Args:
        fs: where.
        source: absolute path of what is moved.
        target: absolute path of the directory.
        conditions: the arguments of ``mv``.
    """
    replaced = condition_of(conditions.get("if_target_match"), conditions.get("if_none_match"))
    refuse_etags(source, condition_of(conditions.get("if_match")))
    refuse_etags(target, replaced)
    if replaced is not None:
        replaced.require(target, etag_at(fs, target))


def etag_in(result: Any) -> str | None:
    """The etag that a call has returned; other people's filesystems return all kinds of things."""
    return result if isinstance(result, str) else None
