"""The frame of the behaviour suite: its fixtures, and which of its tests a filesystem has to pass."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of, names

Test = TypeVar("Test", bound=Callable[..., Any])

_NEEDED = "needed_capabilities"


def needs(*capabilities: str) -> Callable[[Test], Test]:
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

    def mark(target: Test) -> Test:
        if isinstance(target, type):
            for name, member in vars(target).items():
                if name.startswith("test_"):
                    mark(member)
        else:
            setattr(target, _NEEDED, getattr(target, _NEEDED, frozenset()) | set(capabilities))
        return target

    return mark


class Behaviour:
    """What the groups of tests have in common. A suite overrides ``fs`` and, where paths are not free, ``root``."""

    deviations: ClassVar[Mapping[str, str]] = {}
    """Tests that this filesystem is known to fail, by name (with ``[…]`` for one parameter only), and why.

    The declaration is strict: a deviation that passes fails the suite until it is removed.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in cls.deviations:
            if not callable(getattr(cls, name.partition("[")[0], None)):
                raise TypeError(f"{cls.__name__}.deviations names {name!r}, which is not a test of this suite")

    @pytest.fixture
    def fs(self) -> AbstractFileSystem:
        """The filesystem under test. It need not be empty, and it may be the same for all tests."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named fs that returns a filesystem")

    @pytest.fixture
    def root(self, fs: AbstractFileSystem) -> Iterator[str]:
        """A directory of its own for each test, as a normal path; it is removed afterwards."""
        if not capabilities_of(fs).write:
            pytest.skip("needs write, which this filesystem does not declare")
        path = f"/behaviour-{uuid.uuid4().hex}"
        fs.makedirs(path)
        yield path
        if fs.exists(path):
            fs.rm(path, recursive=True)

    @pytest.fixture(autouse=True)
    def _applies(self, request: pytest.FixtureRequest, fs: AbstractFileSystem) -> None:
        """Skip what the filesystem does not declare, and expect the failures that the suite declares."""
        declared = capabilities_of(fs)
        missing = sorted(name for name in getattr(request.function, _NEEDED, ()) if not getattr(declared, name))
        if missing:
            pytest.skip(f"needs {', '.join(missing)}, which this filesystem does not declare")
        for name in (request.node.name, request.node.originalname):
            if name in self.deviations:
                request.applymarker(pytest.mark.xfail(reason=self.deviations[name], strict=True))
