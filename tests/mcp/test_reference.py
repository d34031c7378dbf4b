"""The reference filesystem server and ours answer the same requests in the same way, but for what is listed here."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, types

from tests.mcp.mcp_talking import server_parameters, talk

PACKAGE = "@modelcontextprotocol/server-filesystem"
VERSION = "2026.8.31"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "chuk-fsspec-tests" / f"mcp-{VERSION}"

Request = tuple[str, dict[str, Any]]

OUTSIDE_SIZE = "(f) the size of a file outside, through a link"
EMPTY_READ = "reading no lines of a directory is an error, as reading any"
TEMPORARY = "(d) no temporary file beside the root, so none is named"
LINK_FIRST = "a link out is refused as such, also before a path that goes on below it"
DANGLING = "(g) a dangling link leads where it says: there is nothing, and its parent is not at fault"
AMBIGUOUS = "(a) oldText that stands in several places is refused, not guessed"
EMPTY_EDIT = "(b) an empty oldText is refused"
LINE_BREAKS = "(c) lines of a CRLF file keep their line breaks"
HARD_LINK = "(h) a file that has another name outside is not read"
BINARY = "(i) what is no text is refused, not shown in replacement characters"
NOT_UTF8 = "a file that is not UTF-8 is not edited: its other bytes would be lost"
NO_SIZE = "directories have no size to be sorted by, so they come last"
MOVES_LINK = "a symbolic link is moved itself, not the file that it leads to"

DIFFERENT: dict[str, str] = {}
"""By request: in what its answer differs."""


def differs(reason: str, tool: str, **arguments: Any) -> None:
    DIFFERENT[json.dumps([tool, arguments])] = reason


@pytest.fixture(scope="session")
def reference() -> list[str]:
    """How the reference server is started."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("the reference server needs node and npm")
    script = CACHE / "node_modules" / PACKAGE / "dist" / "index.js"
    if not script.exists():
        install(npm)
    assert script.exists()
    return [node, str(script)]


def install(npm: str) -> None:
    """Install the reference server beside its place and move it there, as other workers may do the same."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent, ignore_cleanup_errors=True) as made:
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", made, f"{PACKAGE}@{VERSION}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"the reference server cannot be installed here: {done.stderr.strip()[-200:]}")
        with contextlib.suppress(OSError):  # another worker was faster
            os.rename(made, CACHE)


def plant(root: Path, outside: Path) -> None:
    """The same tree for both."""
    for directory in (root, outside):
        shutil.rmtree(directory, ignore_errors=True)
    (root / "d/e/f").mkdir(parents=True)
    (root / "empty").mkdir()
    outside.mkdir()
    (outside / "secret.txt").write_text("s" * 5000)
    texts = {
        "a.txt": "hello\nworld\n",
        "B.txt": "bee",
        "_u.md": "x" * 5000,
        "d/e/y.ts": "let y = 1;\n",
        "d/x.py": "def f():\n    return 1\n\n\ndef g():\n    return 2\n",
        "d/e/f/z.TXT": "z",
        ".hidden": "h",
        "nonl": "1\n2\n3",
        "many.txt": "".join(f"line {number}\n" for number in range(500)),
        "é.txt": "e",
        "empty.txt": "",
        "crlf.txt": "one\r\ntwo\r\nthree\r\n",
        "twice.txt": "same\nsame\n",
    }
    for name, text in texts.items():
        (root / name).write_bytes(text.encode())
    raw = {"latin.txt": "café\nnaïve".encode("latin-1"), "img.PNG": b"\x89PNG\r\n\x1a\n\0\0", "s.mp3": b"ID3"}
    for name, data in {**raw, "bin.dat": b"\0\1\2\xff"}.items():
        (root / name).write_bytes(data)
    (root / "link").symlink_to("a.txt")
    (root / "absolute").symlink_to(root / "a.txt")
    (root / "dlink").symlink_to("d")
    (root / "loop").symlink_to("loop")
    (root / "out").symlink_to(outside / "secret.txt")
    (root / "dangling").symlink_to("nothing")
    os.link(outside / "secret.txt", root / "hard.txt")
    os.utime(root / "a.txt", (1.7e9, 1.7e9))


PATHS = (
    *("a.txt", "B.txt", "nonl", "many.txt", "latin.txt", "empty.txt", "crlf.txt", "link", "absolute", "dlink/x.py"),
    *("loop", "out", "nosuch", "nosuch/deep", "d", "a.txt/x", "é.txt", "e\u0301.txt", "", ".", "..", "../root/a.txt"),
    *("~/x", "~", "C:\\x", "c:/x", "d/../a.txt", "./a.txt", "//a.txt", "/etc/passwd", "x" * 300, "a\0b", "a%2e.txt"),
    *("we..ird", "...", "a.txt/", " a.txt", '"a.txt"'),
)
PATTERNS = (
    *("*", "**", "**/*", "*.txt", "**/*.txt", "**/*.{py,ts}", "d/**", "d/*", "**/e/**", "*.TXT", "[aB].txt", "?.txt"),
    *("[!a]*.txt", "!*.txt", "**/.*", "@(a|B).txt", "?(a).txt", "{a,B}.txt", "d/{x.py,e/*}", "**/f/z*", "a*t", "[", ""),
    *(
        "\\a.txt",
        "**/**",
        "d/**/z.TXT",
        "{1..3}",
        "*/",
        "/a.txt",
        "./a.txt",
        "d//x.py",
        " ",
        "nosuch*",
        "é*",
        "dlink/**",
    ),
)


def reading(root: Path) -> list[Request]:
    made: list[Request] = []
    for path in PATHS:
        made += [(tool, {"path": path}) for tool in ("read_text_file", "read_media_file", "get_file_info")]
        made += [(tool, {"path": path}) for tool in ("list_directory", "list_directory_with_sizes")]
        made.append(("search_files", {"path": path, "pattern": "**/*"}))
        made.append(("directory_tree", {"path": path if path.startswith(("/", "~", "C:", "c:")) else f"{root}/{path}"}))
        for lines in (0, 1, 3, 1000, -1):
            made += [("read_text_file", {"path": path, "head": lines}), ("read_file", {"path": path, "tail": lines})]
    for path in ("d", "", ".", "..", "../root/a.txt", "~"):
        differs(EMPTY_READ, "read_text_file", path=path, head=-1)
        differs(EMPTY_READ, "read_file", path=path, tail=-1)
    for path in ("", "."):
        differs(OUTSIDE_SIZE, "list_directory_with_sizes", path=path)
    for pattern in PATTERNS:
        made.append(("search_files", {"path": ".", "pattern": pattern}))
        made.append(("search_files", {"path": ".", "pattern": "**", "excludePatterns": [pattern]}))
        made.append(("directory_tree", {"path": str(root), "excludePatterns": [pattern]}))
    for name in ("e", "d/e", "x.py", "node_modules", ".hidden"):
        made.append(("directory_tree", {"path": str(root), "excludePatterns": [name]}))
    made.append(("list_directory_with_sizes", {"path": ".", "sortBy": "size"}))
    differs(OUTSIDE_SIZE, "list_directory_with_sizes", path=".", sortBy="size")
    differs(NO_SIZE, "list_directory_with_sizes", path="d", sortBy="size")
    made += [
        ("list_directory_with_sizes", {"path": "d", "sortBy": "size"}),
        ("read_multiple_files", {"paths": ["a.txt", "nosuch", "d", "out", "loop", "B.txt"]}),
        ("read_text_file", {"path": "a.txt", "head": 1, "tail": 1}),
        ("list_allowed_directories", {}),
        ("nosuch", {}),
    ]
    for path in ("dangling",):
        for tool in ("read_text_file", "list_directory", "get_file_info"):
            made.append((tool, {"path": path}))
            differs(DANGLING, tool, path=path)
    for path, reason in (("hard.txt", HARD_LINK), ("bin.dat", BINARY), ("img.PNG", BINARY)):
        made.append(("read_text_file", {"path": path}))
        differs(reason, "read_text_file", path=path)
    made += [("read_media_file", {"path": path}) for path in ("img.PNG", "s.mp3", "bin.dat")]
    return made


WRONG: tuple[Request, ...] = (
    ("read_file", {}),
    ("read_file", {"path": 3}),
    ("read_file", {"path": None, "head": "x"}),
    ("read_file", {"path": True}),
    ("read_file", {"path": ["a"]}),
    ("read_file", {"path": "a.txt", "extra": 1}),
    ("edit_file", {}),
    ("edit_file", {"path": "f", "edits": [{"oldText": 3}]}),
    ("edit_file", {"path": "f", "edits": "no"}),
    ("edit_file", {"path": "f", "edits": [], "dryRun": "yes"}),
    ("list_directory_with_sizes", {"path": "d", "sortBy": "x"}),
    ("read_multiple_files", {}),
    ("read_multiple_files", {"paths": []}),
    ("read_multiple_files", {"paths": ["a", 3]}),
    ("search_files", {"path": "."}),
    ("search_files", {"pattern": {}}),
    ("write_file", {"path": "x"}),
    ("directory_tree", {"path": ".", "excludePatterns": "x"}),
)


def edit(path: str, *pairs: tuple[str, str], **more: Any) -> Request:
    return "edit_file", {"path": path, "edits": [{"oldText": old, "newText": new} for old, new in pairs], **more}


def editing() -> list[Request]:
    made = [
        edit("a.txt", ("hello", "HI"), dryRun=True),
        edit("a.txt", ("hello", "HI"), ("world\n", "a\nb\nc")),
        edit("d/x.py", ("  return 2", "  return 3\n    # ```")),
        edit("d/x.py", ("def g():\nreturn 3", "def h():\n  return 4\n    deep")),
        edit("d/x.py", ("   nothing", "")),
        edit("nonl", ("3", "3\n")),
        edit("nonl", ("3\n", "three")),
        edit("nosuch", ("3", "three")),
        edit("d", ("3", "three")),
        edit("a.txt"),
    ]
    for request, reason in (
        (edit("twice.txt", ("same", "other")), AMBIGUOUS),
        (edit("B.txt", ("", "x")), EMPTY_EDIT),
        (edit("latin.txt", ("na", "NA")), NOT_UTF8),
    ):
        made.append(request)
        differs(reason, request[0], **request[1])
    made += [edit("crlf.txt", ("two", "2\n2b")), ("read_text_file", {"path": "crlf.txt", "head": 9})]
    differs(LINE_BREAKS, "read_text_file", path="crlf.txt", head=9)
    made += [("read_file", {"path": path}) for path in ("a.txt", "d/x.py", "nonl", "link")]
    return made


def random_edits(seed: int, how_many: int) -> list[Request]:
    """Whole texts replaced by others, so that diffs of all shapes are compared."""
    rnd = random.Random(seed)
    made: list[Request] = []
    for number in range(how_many):
        old = [rnd.choice("abcdefgh") + "\n" for _ in range(rnd.randint(0, 30))]
        new = list(old)
        for _ in range(rnd.randint(1, 8)):
            place = rnd.randint(0, len(new))
            new[place : place + rnd.randint(0, 2)] = [rnd.choice("abcdXYZ") + "\n" for _ in range(rnd.randint(0, 2))]
        before = f"START{number}\n" + "".join(old) + "END"
        after = f"START{number}\n" + "".join(new) + rnd.choice(("END", "", "END\n"))
        made += [("write_file", {"path": "r.txt", "content": before}), edit("r.txt", (before, after))]
        made.append(("read_file", {"path": "r.txt"}))
    return made


def changing(root: Path) -> list[Request]:
    made: list[Request] = []
    for path in ("new.txt", "nodir/x", "d", "", "a.txt/x", "out", "dlink/new", "../x", ".", "link", "e\u0301.txt"):
        made += [("write_file", {"path": path, "content": "c"}), ("read_file", {"path": path})]
    for path in ("d", "", "."):
        differs(TEMPORARY, "write_file", path=path, content="c")
    made += [
        ("create_directory", {"path": path})
        for path in ("m/n/o", "d", "a.txt", "a.txt/x", "out/x", "", "dlink/q", "../zz", "x" * 300, "é/e\u0301")
    ]
    differs(LINK_FIRST, "create_directory", path="out/x")
    moves = (
        *(("B.txt", "C.txt"), ("nosuch", "q"), ("C.txt", "a.txt"), ("d/e", "d/e/f/g"), ("d/e", "e2"), ("e2", "d")),
        *(("C.txt", "nodir/x"), ("C.txt", "../x"), ("/etc/passwd", "x"), ("a.txt", "a.txt"), ("C.txt", "C.txt/x")),
    )
    made += [("move_file", {"source": source, "destination": target}) for source, target in moves]
    made += [("directory_tree", {"path": str(root)}), ("list_directory", {"path": "."})]
    made += [("move_file", {"source": "link", "destination": "moved"}), ("get_file_info", {"path": "a.txt"})]
    differs(MOVES_LINK, "get_file_info", path="a.txt")
    made.append(("read_file", {"path": "moved"}))
    return made


def told(tool: str, result: types.CallToolResult) -> tuple[bool, str, str]:
    """An answer in the form that is compared: times are not those of the same second, and etags are ours alone."""
    blocks = json.dumps([block.model_dump(mode="json", exclude_none=True) for block in result.content])
    structured = json.dumps({**(result.structured_content or {}), "etag": None})
    if tool == "get_file_info":
        blocks, structured = (
            re.sub(r"(created|accessed|modified): [^\\]*|\\netag: [\w-]+", r"\1", one) for one in (blocks, structured)
        )
    return bool(result.is_error), blocks, structured


async def answers(client: Client, requests: list[Request]) -> list[tuple[bool, str, str]]:
    return [told(tool, await client.call_tool(tool, arguments)) for tool, arguments in requests]


@pytest.mark.timeout(400)
def test_the_same_requests_have_the_same_answers(reference: list[str], tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    requests = [*reading(root), *WRONG, *editing(), *random_edits(7, 40), *changing(root)]
    command, *first = reference
    found = []
    for server in (StdioServerParameters(command=command, args=[*first, str(root)]), server_parameters(root)):
        plant(root, outside)
        found.append(talk(server, lambda client: answers(client, requests)))
    theirs, ours = found
    unlike = [
        (json.dumps(request), one, other)
        for request, one, other in zip(requests, theirs, ours, strict=True)
        if one != other
    ]
    unlisted = [difference for difference in unlike if difference[0] not in DIFFERENT]
    assert not unlisted, "\n".join(f"{request}\n  theirs {one}\n  ours   {other}" for request, one, other in unlisted)
    assert {DIFFERENT[request] for request, _, _ in unlike} == set(DIFFERENT.values())
    assert len(requests) > 700


def test_the_tools_are_described_in_the_same_way(reference: list[str], tmp_path: Path) -> None:
    """Names, titles, descriptions, hints and results are the same, and what may be asked is the same or more."""
    command, *first = reference
    theirs = talk(StdioServerParameters(command=command, args=[*first, str(tmp_path)]), described)
    ours = talk(server_parameters(tmp_path), described, mode="legacy")
    for name, tool in theirs.items():
        own = ours[name]
        for schema in ("inputSchema", "outputSchema"):
            wanted, own_schema = tool.pop(schema), own.pop(schema)
            assert own_schema["properties"].items() >= wanted["properties"].items()
            assert own_schema.get("required") == wanted.get("required")
        assert own == tool
    assert list(ours)[: len(theirs)] == list(theirs)


async def described(client: Client) -> dict[str, dict[str, Any]]:
    tools = (await client.list_tools()).tools
    return {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools}
