"""A sandbox service on this machine, and filesystems in its sandboxes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.version_info < (3, 11):
    collect_ignore_glob = ["*"]  # the SDK needs Python 3.11
else:
    from chuk_fsspec.backends.e2b import E2BFileSystem
    from tests.e2b.service import Service, service_in
    from tests.remote.by_night import BASE_GROUPS, mark_slow

    LONG = (
        *BASE_GROUPS,
        *("TestPosixAttributes", "TestSymbolicLinks"),  # commands by the hundred; test_e2b_requests has some of each
        *("a_deep_tree", "many_entries", "test_glob", "test_walk", "TestFsspecAbstract"),
    )

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
        mark_slow(items, Path(__file__).parent, LONG)

    @pytest.fixture(scope="session")
    def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
        """The service, which the SDK finds by its environment variables."""
        with service_in(tmp_path_factory.getbasetemp()) as service:
            yield service

    @pytest.fixture(autouse=True)
    def _found_by_the_sdk(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever other tests of this process have told the SDK."""
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)

    @pytest.fixture
    def fs(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[E2BFileSystem]:
        """A filesystem in a sandbox of its own."""
        root: Path = tmp_path_factory.mktemp("root")
        with service.filesystem(root) as fs:
            yield fs
