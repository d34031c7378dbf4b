"""One Drive for the room, and filesystems in folders of their own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from tests.gdrive.owner import Owner
from tests.gdrive.server.running import DriveServer, drive_server
from tests.remote.by_night import BASE_GROUPS, mark_slow

PART = 256 << 10
"""Bytes of the parts of uploads in these tests; the smallest there are."""
LARGE = 2 * PART + 1000
"""Bytes of a file of three parts."""
LONG = (*BASE_GROUPS, "a_deep_tree", "many_entries", "test_glob", "test_walk", "TestFsspecAbstract")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_slow(items, Path(__file__).parent, LONG)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[DriveServer]:
    with drive_server() as server:
        yield server


@pytest.fixture
def server(shared_server: DriveServer) -> Iterator[DriveServer]:
    """The Drive, with no request refused."""
    yield shared_server
    shared_server.refusals.clear()
    shared_server.lost_replies.clear()


Opening = Callable[..., GoogleDriveFileSystem]


@pytest.fixture
def opening(server: DriveServer) -> Iterator[Opening]:
    """Opens filesystems of one folder, each with caches of its own."""
    folder = f"test-{uuid.uuid4().hex}"
    opened = []

    def open_one(**options: Any) -> GoogleDriveFileSystem:
        given: dict[str, Any] = {
            "credentials": server.credentials,
            "root_folder": folder,
            "endpoint_url": server.address,
            "part_size": PART,
            **options,
        }
        opened.append(GoogleDriveFileSystem(**given, skip_instance_cache=True))
        return opened[-1]

    yield open_one
    for fs in opened:
        fs.close()


@pytest.fixture
def drive(opening: Opening) -> GoogleDriveFileSystem:
    return opening()


@pytest.fixture
def owner(server: DriveServer, drive: GoogleDriveFileSystem) -> Owner:
    return Owner(server, drive)
