"""A stage and a door for each test; both live for a module, and the stage is built anew before each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from chuk_adapters.mcp import mcp_server
from tests.attacks.doors import ApiDoor, Door, McpDoor, MountDoor, mounted_at
from tests.attacks.stages import STAGES, Stage
from tests.mcp.mcp_clients import talking_to

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # renameat2(2), O_TMPFILE, chroot(2) by a mount's own process

NIGHTLY = frozenset(("workspace",))
"""Stages that are made of the others."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.slow) if kind in NIGHTLY else kind for kind in sorted(STAGES)],
)
def lasting_stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """One stage for all tests of a module."""
    return STAGES[request.param](tmp_path_factory.mktemp("attacks"))


@pytest.fixture
def stage(lasting_stage: Stage) -> Stage:
    """A stage with everything in place."""
    lasting_stage.reset()
    return lasting_stage


@pytest.fixture(scope="module")
def api(lasting_stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> ApiDoor:
    """The way in by fsspec and ``fs.posix``."""
    return ApiDoor(lasting_stage.fs, tmp_path_factory.mktemp("downloads"))


@pytest.fixture(scope="module")
def mounted(lasting_stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MountDoor]:
    """The way in by a mount; its tests are marked ``mount``."""
    with mounted_at(tmp_path_factory.mktemp("mount"), lasting_stage.fs) as door:
        yield door


@pytest.fixture(scope="module")
def mcp(lasting_stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[McpDoor]:
    """The way in by an MCP server."""
    with talking_to(mcp_server(lasting_stage.fs)) as talker:
        yield McpDoor(lasting_stage.fs, tmp_path_factory.mktemp("downloads"), talker)


@pytest.fixture(
    scope="module",
    params=["api", pytest.param("mcp", marks=pytest.mark.slow), pytest.param("mounted", marks=pytest.mark.mount)],
)
def door(request: pytest.FixtureRequest, lasting_stage: Stage) -> Door:
    """Each way in, to that stage."""
    found: Door = request.getfixturevalue(request.param)
    return found
