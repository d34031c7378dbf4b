"""How sessions over HTTP end: with their client, or some time after it is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp.mcp_clients import talking_to
from tests.mcp.mcp_talking import http_server, over_http, post
from tests.processes import python, started
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 6
"""After which the session of a client that is gone ends."""

CLIENT = """
    import sys
    import anyio
    from mcp import Client
    from tests.mcp.mcp_talking import over_http

    async def stay():
        async with Client(over_http(sys.argv[1]), mode="legacy") as client:
            assert not (await client.call_tool("create_snapshot", {})).is_error
            assert not (await client.call_tool("begin_stage", {})).is_error
            print("ready", flush=True)
            await anyio.sleep_forever()

    anyio.run(stay)
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the server has temporary files."""
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.fixture
def url(tmp_path: Path, temporary: Path) -> Iterator[str]:
    (tmp_path / "files").mkdir()
    options = ("--session-timeout", SECONDS, "--max-sessions", 2)
    with http_server(tmp_path / "files", *options, env={"TMPDIR": str(temporary)}) as url:
        yield url


def test_what_a_client_began_is_let_go_of_when_it_leaves_or_is_gone(url: str, temporary: Path):
    """Each has snapshots of its own in a temporary directory, which show how long its session goes on."""
    with talking_to(over_http(url), mode="legacy") as stays:
        stays.call("create_snapshot")
        [kept] = temporary.iterdir()
        with started(python(CLIENT, url), cwd=ROOT) as (gone, _):
            assert len(list(temporary.iterdir())) == 2
            assert post(url).status_code == 503
            gone.send_signal(signal.SIGKILL)
            gone.wait()
            wait_until(lambda: list(temporary.iterdir()) == [kept])
        assert post(url).status_code == 200
    wait_until(lambda: not list(temporary.iterdir()))
