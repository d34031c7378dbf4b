"""grep_files and glob_files: what they find, what they leave out, and that no pattern stops the server."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_adapters.mcp import mcp_server
from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.globs import Globs
from chuk_adapters.mcp.grep.finders import Pattern, finder_of
from chuk_adapters.mcp.grep.lines import lines_of
from chuk_adapters.mcp.workspace import Limits, Workspace
from tests.mcp.mcp_clients import Talker, talking_to

TREE = {
    "/src/a.py": b"import os\n\ndef main():\n    return os.name\n",
    "/src/b.py": b"def other():\n    pass\n",
    "/src/deep/c.ts": b"const Import = 1\r\nimport x\r\n",
    "/src/.hidden": b"import secret\n",
    "/node_modules/d.py": b"import os\n",
    "/binary": b"import\0\n",
    "/odd (1)+[x].txt": b"a.c abc\n",
}


@pytest.fixture
def files(chukmem: Any) -> Any:
    chukmem.pipe(TREE)
    return chukmem


@pytest.fixture
def talker(files: Any) -> Iterator[Talker]:
    with talking_to(mcp_server(files)) as talker:
        yield talker


def test_shows_lines_of_text(talker: Talker):
    found = talker.call("grep_files", path="/", pattern="import", exclude="node_modules")
    assert found.splitlines() == ["/src/.hidden:1:import secret", "/src/a.py:1:import os", "/src/deep/c.ts:2:import x"]
    assert talker.call("grep_files", path="/", pattern="a.c") == "/odd (1)+[x].txt:1:a.c abc"
    assert talker.call("grep_files", path="/src", pattern="nowhere") == "No matches found"


def test_looks_at_what_is_asked_for(talker: Talker):
    def files(**arguments: Any) -> list[str]:
        found = talker.call("grep_files", path="/", pattern="import", outputMode="files", **arguments)
        return found.splitlines()

    assert files(include="*.py") == ["/node_modules/d.py", "/src/a.py"]
    assert files(include=["src/*"]) == ["/src/.hidden", "/src/a.py"]
    assert files(include="*.{ts,py}", exclude=["node_modules"]) == ["/src/a.py", "/src/deep/c.ts"]
    assert files(include="src/**/*.ts") == ["/src/deep/c.ts"]
    assert (
        talker.call("grep_files", path="/src/a.py", pattern="os")
        == "/src/a.py:1:import os\n/src/a.py:4:    return os.name"
    )


def test_counts_and_ignores_case(talker: Talker):
    counted = talker.call("grep_files", path="/src/deep", pattern="IMPORT", ignoreCase=True, outputMode="count")
    assert counted == "/src/deep/c.ts:2"


def test_shows_lines_around(talker: Talker):
    found = talker.call("grep_files", path="/src", pattern="def", contextLines=1)
    assert found.splitlines() == [
        "/src/a.py-2-",
        "/src/a.py:3:def main():",
        "/src/a.py-4-    return os.name",
        "--",
        "/src/b.py:1:def other():",
        "/src/b.py-2-    pass",
    ]


def test_takes_expressions(talker: Talker):
    found = talker.call("grep_files", path="/", pattern=r"^def \w+\(\):$", regex=True, outputMode="files")
    assert found.splitlines() == ["/src/a.py", "/src/b.py"]
    assert "no regular expression" in talker.refused("grep_files", path="/", pattern="(", regex=True)


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"(a|aa)+$", r"(.*a){25}"])
def test_no_expression_stops_the_server(files: Any, pattern: str):
    files.pipe_file("/evil", b"a" * 5000 + b"!\n")
    server = mcp_server(files, limits=Limits(expression=0.2))
    with talking_to(server) as talker:
        assert "/evil" in talker.refused("grep_files", path="/evil", pattern=pattern, regex=True)
        assert talker.call("grep_files", path="/src", pattern="pass") == "/src/b.py:2:    pass"


def test_pages_follow_one_another(files: Any):
    files.pipe({f"/many/{number:03}": b"hit\nhit\n" for number in range(30)})
    with talking_to(mcp_server(files)) as talker:
        seen: list[str] = []
        offset = 0
        while True:
            facts = talker.facts("grep_files", path="/many", pattern="hit", maxResults=25, offset=offset)
            seen += [line for line in facts["content"].splitlines() if line.startswith("/many")]
            if "next_offset" not in facts:
                break
            assert f"offset={facts['next_offset']}" in facts["content"]
            offset = facts["next_offset"]
        assert seen == [f"/many/{number:03}:{line}:hit" for number in range(30) for line in (1, 2)]


def test_results_are_bounded(files: Any):
    files.pipe_file("/long", b"x" * 100_000 + b"\n" + b"x\n" * 100_000)
    limits = replace(Limits(), characters=2000)
    with talking_to(mcp_server(files, limits=limits)) as talker:
        facts = talker.facts("grep_files", path="/long", pattern="x")
        assert len(facts["content"]) < 2500
        assert facts["truncated"]
        assert "[99500 more characters]" in facts["content"]


def test_globs(talker: Talker):
    assert talker.call("glob_files", path="/src", pattern="*.py") == "/src/a.py\n/src/b.py"
    assert talker.call("glob_files", path="/", pattern="**/*.{ts,py}", exclude="node_modules").splitlines() == [
        "/src/a.py",
        "/src/b.py",
        "/src/deep/c.ts",
    ]
    assert talker.call("glob_files", path="/", pattern="**/deep") == "/src/deep"
    assert talker.call("glob_files", path="/", pattern="*.nothing") == "No matches found"
    facts = talker.facts("glob_files", path="/", pattern="**", maxResults=2)
    assert facts["next_offset"] == 2


def test_globs_newest_first(files: Any, talker: Talker):
    files.posix.utime("/src/b.py", ns=(10**18, 3 * 10**18))
    files.posix.utime("/src/a.py", ns=(10**18, 2 * 10**18))
    assert talker.call("glob_files", path="/src", pattern="*.py", sortBy="modified") == "/src/b.py\n/src/a.py"


def test_wrong_patterns_are_refused(talker: Talker):
    assert "more than a" in talker.refused("glob_files", path="/", pattern="{a,b}" * 20).replace("1000", "a")
    assert "ENOENT" in talker.refused("grep_files", path="/none", pattern="x")


def test_stars_do_not_multiply():
    assert not Globs("/", ["a*" * 30 + "b"]).match("/" + "a" * 200)


# ---- the lines of a file, whatever the size of the blocks that are read

_TEXTS = st.lists(st.sampled_from(["hit", "miss", "", "a hit here", "x" * 30]), max_size=25).map("\n".join)


@given(text=_TEXTS, size=st.integers(40, 60), context=st.integers(0, 4))
def test_lines_are_those_of_the_whole_text(text: str, size: int, context: int):
    lines = text.removesuffix("\n").split("\n") if text else []
    matches = {number for number, line in enumerate(lines, 1) if "hit" in line}
    wanted = [n for n in range(1, len(lines) + 1) if any(abs(n - match) <= context for match in matches)]
    with finder_of(Pattern("hit"), _call(), 5) as finder:
        found = list(lines_of(io.BytesIO(text.encode()), "/f", finder, context, size))
    assert [(line.number, line.text, line.is_match) for line in found] == [
        (number, lines[number - 1], number in matches) for number in wanted
    ]


@given(text=_TEXTS)
def test_expressions_and_texts_agree(text: str):
    block = text.encode()
    with finder_of(Pattern("hit", regex=True), _call(), 5) as finder:
        assert finder.find(block, "/f") == [n for n, line in enumerate(text.split("\n")) if re.search("hit", line)]


def test_a_line_longer_than_a_block_is_cut_and_counted():
    file = io.BytesIO(b"y" * 100 + b"hit\nhit\n")
    with finder_of(Pattern("hit"), _call(), 5) as finder:
        assert [line.number for line in lines_of(file, "/f", finder, 0, 50)] == [2]


def _call() -> Call:
    return Call(Workspace(fsspec.filesystem("chukmem", name="unused")))
