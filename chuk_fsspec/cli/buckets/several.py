"""Many objects: how much they are, and some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from chuk_fsspec.contract.buckets import StoredObject
from chuk_fsspec.contract.display import amount

Item = TypeVar("Item")


def batches(items: Sequence[Item], count: int) -> Iterator[Sequence[Item]]:
    """As many at a time, in their order."""
    for start in range(0, len(items), count):
        yield items[start : start + count]


def size_of(objects: Iterable[StoredObject]) -> int:
    """Their bytes."""
    return sum(one.size for one in objects)


def objects_text(objects: Sequence[StoredObject]) -> str:
    """How many, and how much: 3 objects (1.5 MiB)."""
    return f"{len(objects)} object{'s' * (len(objects) != 1)} ({amount(size_of(objects))})"
