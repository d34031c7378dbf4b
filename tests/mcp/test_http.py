"""Serving over HTTP: whom it answers, and whom not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fsspec
import pytest
from mcp import Client

from chuk_adapters.mcp import mcp_server, run_http
from tests.mcp.mcp_clients import text_of
from tests.mcp.mcp_talking import http_server, over_http, post, talk


def test_pages_of_others_cannot_use_it(tmp_path: Path):
    """DNS rebinding: the name is one of the attacker, or the page is."""
    with http_server(tmp_path) as url:
        assert post(url).status_code == 200
        assert post(url, Host="evil.example").status_code == 421
        assert post(url, Host="evil.example:80").status_code == 421
        assert post(url, Origin="http://evil.example").status_code == 403
        assert post(url, Origin="null").status_code == 403
        assert post(url, Origin="http://localhost:1234").status_code == 200
        assert "access-control-allow-origin" not in post(url, Origin="http://localhost:1234").headers


def test_a_token_is_asked_for_before_anything_else(tmp_path: Path):
    (tmp_path / "a.txt").write_text("secret")
    with http_server(tmp_path, env={"CHUK_FSSPEC_MCP_TOKEN": "opensesame"}) as url:
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "opensesame"}):
            refused = post(url, **headers)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert "opensesame" not in refused.text

        async def conversation(client: Client) -> str:
            return text_of(await client.call_tool("read_file", {"path": "a.txt"}))

        assert talk(over_http(url, "opensesame"), conversation) == "secret"


def test_a_token_may_be_in_a_file_and_other_names_may_be_allowed(tmp_path: Path):
    (tmp_path / "token").write_text("from a file\n")
    with http_server(tmp_path, "--token-file", tmp_path / "token", "--allow-host", "files.example") as url:
        assert post(url).status_code == 401
        token = "Bearer from a file"
        assert post(url, Authorization=token).status_code == 200
        assert post(url, Authorization=token, Host="evil.example").status_code == 421
        assert post(url, Authorization=token, Host="files.example").status_code == 200
        origin = "https://files.example:8443"
        assert post(url, Authorization=token, Host="files.example:8443", Origin=origin).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "files.example"])
def test_an_address_that_others_reach_needs_a_token(host: str):
    server = mcp_server(fsspec.filesystem("chukmem", name="mcp-http"))
    with pytest.raises(ValueError, match="a token is needed"):
        run_http(server, host)


def test_clients_at_once_do_not_see_the_state_of_one_another(tmp_path: Path):
    with http_server("chuksqlite://", "--option", f"database={tmp_path}/w.db") as url:

        async def conversation(client: Client) -> Any:
            await client.call_tool("write_file", {"path": "/a", "content": "one"})
            async with Client(over_http(url), mode="legacy") as other:
                return text_of(await other.call_tool("read_file", {"path": "/a"}))

        assert talk(over_http(url), conversation, mode="legacy") == "one"
