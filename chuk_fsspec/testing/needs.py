"""Tests are selected by capability: each says what it needs, and a filesystem says what it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of, names

Target = TypeVar("Target", bound=Callable[..., Any])

_ATTRIBUTE = "needed_capabilities"


def needs(*capabilities: str) -> Callable[[Target], Target]:
    """Mark a test, or each test of a class, as one of filesystems with certain capabilities; others skip it.

    Args:
        capabilities: field names of ``contract.Capabilities``.

    Returns:
        A decorator for a function or a class.

    Raises:
        ValueError: for a name that is not a capability.
    """
    unknown = set(capabilities) - set(names())
    if unknown:
        raise ValueError(f"not a capability: {', '.join(sorted(unknown))}")

    def mark(target: Target) -> Target:
        if isinstance(target, type):
            for name, member in vars(target).items():
                if name.startswith("test_"):
                    mark(member)
        else:
            setattr(target, _ATTRIBUTE, needed_capabilities(target) | set(capabilities))
        return target

    return mark


def needed_capabilities(test: Callable[..., Any]) -> frozenset[str]:
    """What a test was marked to need."""
    needed: frozenset[str] = getattr(test, _ATTRIBUTE, frozenset())
    return needed


def missing_capabilities(test: Callable[..., Any], fs: AbstractFileSystem) -> list[str]:
    """What a test needs and a filesystem does not declare, in alphabetical order."""
    declared = capabilities_of(fs)
    return sorted(name for name in needed_capabilities(test) if not getattr(declared, name))
