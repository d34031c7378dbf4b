"""The roots of a client and the directories of the server: what both have is shown, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client

from tests.mcp.mcp_clients import text_of
from tests.mcp.mcp_talking import served, talk, with_roots


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("given/sub", "given/other", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "f.txt").write_text(name)
    (tmp_path / "given" / "sub" / "link").symlink_to(tmp_path / "given" / "other")
    return tmp_path


async def allowed(client: Client) -> list[str]:
    return text_of(await client.call_tool("list_allowed_directories", {})).splitlines()[1:]


async def reads(client: Client, path: object) -> str:
    return text_of(await client.call_tool("read_file", {"path": str(path)}))


def test_a_root_inside_a_given_directory_narrows_it(tree: Path):
    async def conversation(client: Client):
        assert await allowed(client) == [f"{tree}/given/sub"]
        assert await reads(client, tree / "given/sub/f.txt") == "given/sub"
        assert (await reads(client, tree / "given/other/f.txt")).startswith("Access denied - path outside")
        assert (await reads(client, tree / "given/sub/link/f.txt")).startswith("Access denied - symlink target outside")

    talk(served(tree / "given"), conversation, **with_roots(tree / "given/sub", tree / "elsewhere"))


def test_a_root_above_a_given_directory_changes_nothing(tree: Path):
    async def conversation(client: Client):
        assert await allowed(client) == [f"{tree}/given"]
        assert (await reads(client, tree / "elsewhere/f.txt")).startswith("Access denied")

    talk(served(tree / "given"), conversation, **with_roots(tree))


def test_roots_that_have_nothing_in_common_with_the_given_directories_show_nothing(tree: Path):
    async def conversation(client: Client):
        assert "have nothing in common" in await reads(client, tree / "elsewhere/f.txt")
        assert "have nothing in common" in await reads(client, tree / "given/sub/f.txt")

    talk(served(tree / "given"), conversation, **with_roots(tree / "elsewhere"))


def test_roots_are_ignored_where_that_was_asked_for(tree: Path):
    async def conversation(client: Client):
        assert await allowed(client) == [f"{tree}/given"]

    talk(served(tree / "given", "--ignore-roots"), conversation, **with_roots(tree / "elsewhere"))


def test_without_directories_the_roots_are_what_is_shown(tree: Path):
    async def conversation(client: Client):
        assert await allowed(client) == [f"{tree}/elsewhere"]
        assert await reads(client, tree / "elsewhere/f.txt") == "elsewhere"
        assert (await reads(client, tree / "given/sub/f.txt")).startswith("Access denied")

    talk(served(), conversation, **with_roots(tree / "elsewhere", tree / "none"))


def test_without_directories_and_roots_nothing_is_shown():
    async def conversation(client: Client):
        assert "No allowed directories" in await reads(client, "/etc/passwd")

    talk(served(), conversation)


def test_a_virtual_tree_is_shown_whatever_directories_the_client_works_in(tree: Path):
    async def conversation(client: Client):
        assert await allowed(client) == ["/"]

    talk(served("chukmem://"), conversation, **with_roots(tree))
