"""Partial responses: the parameter ``fields``, such as ``items(id,parents/id),nextPageToken``."""

from __future__ import annotations

from typing import Any

Selection = dict[str, Any]


def select(value: Any, fields: str) -> Any:
    """What a selection leaves of a JSON value; all of it for an empty one."""
    return _keep(value, _parse(fields)) if fields else value


def _keep(value: Any, wanted: Selection) -> Any:
    if not wanted:
        return value
    if isinstance(value, list):
        return [_keep(one, wanted) for one in value]
    return {name: _keep(one, wanted[name]) for name, one in value.items() if name in wanted}


def _parse(fields: str) -> Selection:
    wanted: Selection = {}
    depth, start = 0, 0
    for index, letter in enumerate(f"{fields},"):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            _add(wanted, fields[start:index].strip())
            start = index + 1
    return wanted


def _add(wanted: Selection, field: str) -> None:
    if "(" in field:
        name, _, inner = field.partition("(")
        wanted.setdefault(name, {}).update(_parse(inner[:-1]))
    else:
        name, _, inner = field.partition("/")
        wanted.setdefault(name, {}).update(_parse(inner) if inner else {})
