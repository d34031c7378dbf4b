"""fsspec's own suite for filesystems, as one class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from fsspec.tests import abstract


class FsspecAbstractSuite(
    abstract.AbstractCopyTests,
    abstract.AbstractGetTests,
    abstract.AbstractPutTests,
    abstract.AbstractPipeTests,
    abstract.AbstractOpenTests,
    abstract.AbstractFixtures,
):
    """Copying, getting, putting, piping and opening. A subclass has a fixture ``fs``: the filesystem."""

    deviations: ClassVar[Mapping[str, str]] = {}
    """Tests that this filesystem is known to fail, by their names, and why; strict as in ``BehaviourSuite``."""

    # fsspec has a test of putting under the name of one of copying, which would hide it here.
    test_put_with_source_and_destination_as_list = (
        abstract.AbstractPutTests.test_copy_with_source_and_destination_as_list
    )

    @pytest.fixture
    def fs_path(self) -> str:
        """The directory of the filesystem to work in."""
        return "/base"

    @pytest.fixture
    def fs_join(self) -> Any:
        """What makes a path of parts."""
        return lambda *parts: "/".join(parts)

    @pytest.fixture(autouse=True)
    def _expect_deviations(self, request: pytest.FixtureRequest) -> None:
        reason = self.deviations.get(request.node.name)
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
