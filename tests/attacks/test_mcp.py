"""The tools of an MCP server: the attacks that are its own, and of all others the core; nightly tests try the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from chuk_adapters.mcp import Limits, mcp_server
from tests.attacks.attack import attack
from tests.attacks.doors import McpDoor
from tests.attacks.racing import eager_threads, set_up, swap, swapped_on_the_host, together, work
from tests.attacks.stages import Stage
from tests.attacks.test_paths import CLIMBS, NAMES
from tests.attacks.test_patterns import BOMBS
from tests.attacks.test_special import EACH_KIND, planted
from tests.mcp.mcp_clients import Talker, talking_to

# A call that waits for ever is one of the failures that are looked for here.
pytestmark = pytest.mark.timeout(100)

READS = ["read_text_file", "read_lines", "resource", "list_directory", "directory_tree", "grep_files", "get_file_info"]
WRITES = [
    *("write_file", "append_file", "edit_file", "copy_file in", "create_directory inside", "move_file inside"),
    *("delete_file", "delete_file all", "write_file parents"),
]
PLAN = [(READS, "real/file"), (READS, "real"), (WRITES, "real/file"), (WRITES, "real/new")]
LINKS = ["../../{}", "/{}", "dir/../../../{}"]


@pytest.fixture
def small(stage: Stage) -> Iterator[Talker]:
    """A client of a server with small limits."""
    limits = Limits(characters=4_000, entries=50, file_size=100_000, media_bytes=100_000, expression=0.3, seconds=20)
    with talking_to(mcp_server(stage.fs, limits=limits)) as talker:
        yield talker


@pytest.mark.parametrize("spelling", ["/{}", CLIMBS[1], CLIMBS[2], NAMES[0], NAMES[1], "~/../{}", "C:\\..\\{}"])
def test_no_spelling_of_a_path_leads_outside(stage: Stage, mcp: McpDoor, spelling: str) -> None:
    attack(stage, mcp, spelling.format(f"{stage.places[0]}/file"), ways=mcp.core)


@pytest.mark.parametrize("text", LINKS)
@pytest.mark.parametrize("through", ["/w/link", "/w/link/file", "/w/link/sub/../file"])
def test_no_link_leads_outside(stage: Stage, mcp: McpDoor, text: str, through: str) -> None:
    target = text.format(stage.places[0])
    plant = [("remove", "/w/link"), ("symlink", target, "/w/link")]
    attack(stage, mcp, through, plant, given=[target], ways=mcp.core)


@pytest.mark.parametrize(
    "path", ["/w/a\0b", "/w/\0/../../{}/file", "/w/" + "n" * 256, "/w/" + "\u20ac" * 86, "/d" * 3000]
)
def test_odd_names_are_refused(stage: Stage, mcp: McpDoor, path: str) -> None:
    attack(stage, mcp, path.format(stage.places[0]), ways=mcp.core)
    assert sorted(mcp.names("/w")) == ["dir", "file", "source"]


@pytest.mark.parametrize("kind", EACH_KIND)
def test_no_tool_waits_for_a_special_file(stage: Stage, mcp: McpDoor, kind: str) -> None:
    for path in ("/w/special", "/w/link", "/w"):
        attack(stage, mcp, path, planted("/w", kind), ways=mcp.core)


def test_no_swap_opens_a_way_out(stage: Stage, mcp: McpDoor) -> None:
    for area in stage.areas[:1]:
        set_up(stage, area)
        seen: Counter[str] = Counter()
        tasks = [partial(swap, stage, area, 1.0, seen)]
        tasks += [partial(work, stage, mcp, ways, f"{area}/{name}", 1.0, seen) for ways, name in PLAN]
        with eager_threads(), swapped_on_the_host(stage, area, 1.0):
            together(tasks)
        assert not [problem for problem in seen if problem.startswith("PROBLEM")]
        assert min(seen[kind] for kind in ("swap", "result", "error")) > 0, seen
    assert not stage.changes()


# ---- bombs


def test_no_pattern_keeps_the_server_busy(stage: Stage, small: Talker) -> None:
    stage.fs.pipe_file("/w/" + "a" * 240, b"a" * 2_000)
    for pattern in BOMBS:
        for tool in ("search_files", "glob_files"):
            small.result(tool, path="/w", pattern=pattern)
        small.result("grep_files", path="/w", pattern=pattern, regex=True)
        small.result("grep_files", path="/w", pattern="a", include=pattern)
        small.result("directory_tree", path="/w", excludePatterns=[pattern])
    assert small.call("read_text_file", path="/w/file") == "inside"


def test_no_tree_floods_a_client(stage: Stage, small: Talker) -> None:
    """By count, by depth and by size: what comes back is bounded, and says that it is not all."""
    deep = "/w/deep" + "/d" * 60
    stage.fs.makedirs(deep)
    stage.fs.pipe({f"/w/many/{number:04}": b"x\n" * 10 for number in range(300)})
    stage.fs.pipe_file("/w/long", b"y" * 200_000)
    for tool, arguments in (
        ("list_directory", {"path": "/w/many"}),
        ("list_directory_with_sizes", {"path": "/w/many"}),
        ("directory_tree", {"path": "/w"}),
        ("directory_tree", {"path": "/w/deep"}),
        ("search_files", {"path": "/w", "pattern": "**"}),
        ("glob_files", {"path": "/w", "pattern": "**"}),
        ("grep_files", {"path": "/w", "pattern": "x"}),
        ("grep_files", {"path": "/w/long", "pattern": "y", "contextLines": 3}),
        ("read_text_file", {"path": "/w/long"}),
        ("read_lines", {"path": "/w/long"}),
        ("read_multiple_files", {"paths": ["/w/long"] * 20}),
    ):
        result = small.result(tool, **arguments)
        assert not result.is_error
        assert len(result.model_dump_json()) < 4 * 4_000, tool
        text = str(result.content)
        assert "left out" in text or "Cut after" in text or "goes on" in text or "more characters" in text, tool
    for tool in ("read_media_file", "edit_file", "append_file"):
        more = {"edit_file": {"edits": [{"oldText": "y", "newText": "z"}], "replaceAll": True}}.get(tool, {})
        more |= {"append_file": {"content": "x" * 10}}.get(tool, {})
        assert len(small.result(tool, path="/w/long", **more).model_dump_json()) < 4_000
