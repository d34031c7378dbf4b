"""Parts of the behaviour suite, for a filesystem that is another one but for a few things."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, TypeVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of, names
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.needs import needed_capabilities

BEYOND_SERVICES = (
    "append",
    "hardlinks",
    "nodes",
    "random_write",
    "rename_flags",
    "snapshots",
    "sparse",
    "special_files",
    "statvfs",
    "transactions",
    "whole_files",
)
"""What no filesystem over a network offers yet."""

BEYOND_KEYS = (*BEYOND_SERVICES, "attributes", "rename", "replace", "symlinks", "xattrs")
"""What a bucket does not have either, in which there are only keys and whole objects."""

Suite = TypeVar("Suite", bound=type[BehaviourSuite])


def only(*groups: str) -> Callable[[Suite], Suite]:
    """Leave all other groups out of a suite."""

    def leave_out(suite: Suite) -> Suite:
        for name in _others(suite, groups):
            setattr(suite, name, None)
        return suite

    return leave_out


def by_day(*groups: str) -> Callable[[Suite], Suite]:
    """Leave all other groups of a suite to `make nightly`."""

    def leave_for_later(suite: Suite) -> Suite:
        return _at_night(suite, _others(suite, groups))

    return leave_for_later


def at_night(*groups: str) -> Callable[[Suite], Suite]:
    """Leave these groups of a suite to `make nightly`."""

    def leave_for_later(suite: Suite) -> Suite:
        return _at_night(suite, [f"Test{group}" for group in groups])

    return leave_for_later


def lacking(*capabilities: str) -> Callable[[Suite], Suite]:
    """Leave out the tests that need one of these, which are not declared: the suite would skip each of hundreds.

    It stands above the other decorators.
    """
    unknown = set(capabilities) - set(names())
    if unknown:
        raise TypeError(f"not a capability: {', '.join(sorted(unknown))}")

    def leave_out(suite: Suite) -> Suite:
        groups = {name: getattr(suite, name) for name in dir(suite) if name.startswith("Test")}
        kept = {name: _without(group, capabilities) for name, group in groups.items() if group is not None}
        kept["TestLacking"] = type("Lacking", (Lacking,), {"capabilities": capabilities})
        for name, group in kept.items():
            setattr(suite, name, group)
        return suite

    return leave_out


class Lacking:
    """Nothing is left out that could run."""

    capabilities: ClassVar[tuple[str, ...]]

    def test_what_is_said_to_be_lacking_is_not_declared(self, fs: AbstractFileSystem) -> None:
        declared = capabilities_of(fs)
        assert [name for name in self.capabilities if getattr(declared, name)] == []


def _without(group: type, capabilities: tuple[str, ...]) -> type | None:
    """A group without the tests that need one of the capabilities; None if that is all of them."""
    tests = [name for name in dir(group) if name.startswith("test_") and getattr(group, name) is not None]
    left_out = [name for name in tests if not needed_capabilities(getattr(group, name)).isdisjoint(capabilities)]
    if len(left_out) == len(tests):
        return None
    return type(group.__name__, (group,), dict.fromkeys(left_out)) if left_out else group


def _at_night(suite: Suite, names: Iterable[str]) -> Suite:
    for name in names:
        group = getattr(suite, name)
        if group is not None:
            setattr(suite, name, pytest.mark.slow(type(group.__name__, (group,), {})))
    return suite


def _others(suite: type[BehaviourSuite], groups: tuple[str, ...]) -> Iterator[str]:
    """The attributes of all groups but those, and but those that the suite has a version of its own of."""
    names = [name for name in vars(BehaviourSuite) if name.startswith("Test")]
    unknown = {f"Test{group}" for group in groups} - set(names)
    if unknown:
        raise TypeError(f"{suite.__name__} names {', '.join(sorted(unknown))}, which the behaviour suite does not have")
    return (name for name in names if name not in vars(suite) and name.removeprefix("Test") not in groups)
