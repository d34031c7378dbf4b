"""The path rules on directories of this machine, and what no path leads to."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.contents import read_text
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.opening import workspace_of, workspace_of_directories
from chuk_adapters.mcp.tool import Tool
from chuk_adapters.mcp.tools import TOOLS
from chuk_fsspec.mounted import MountedFileSystem

Ask = Callable[..., str]


def asking(*directories: object, **options: Any) -> Ask:
    """Calls of tools on directories: the text, or what the error says."""
    call = Call(workspace_of_directories([str(one) for one in directories], **options))
    tools: dict[str, Tool] = {tool.name: tool for tool in TOOLS}

    def ask(tool: str, **arguments: Any) -> str:
        defaults = {name: schema["default"] for name, schema in tools[tool].properties.items() if "default" in schema}
        try:
            return tools[tool].run(call, {**defaults, **arguments}).text
        except ToolError as error:
            return f"error: {error}"

    return ask


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    (made / "a.txt").write_text("inside")
    (tmp_path / "root_evil").mkdir()
    (tmp_path / "root_evil" / "canary").write_text("outside")
    return made


@pytest.mark.parametrize("given", ["../root_evil/canary", "{}_evil/canary", "a/../../root_evil/canary", "/etc/passwd"])
def test_what_is_beside_an_allowed_directory_is_denied(root: Path, given: str):
    ask = asking(root)
    for tool in ("read_file", "list_directory", "get_file_info", "read_media_file"):
        told = ask(tool, path=given.format(root))
        assert told.startswith("error: Access denied - path outside allowed directories:")
        assert told.endswith(f"not in {root}")
    ask("write_file", path=given.format(root), content="PWN")
    ask("move_file", source="a.txt", destination=given.format(root) + ".moved")
    assert os.listdir(root) == ["a.txt"]
    assert (root.parent / "root_evil" / "canary").read_text() == "outside"


def test_links_are_followed_inside_and_refused_where_they_lead_out(root: Path):
    (root / "d").mkdir()
    (root / "to-file").symlink_to(root / "a.txt")
    (root / "d" / "up").symlink_to("../a.txt")
    (root / "out").symlink_to("/etc")
    (root / "chain").symlink_to("out/passwd")
    (root / "d" / "beside").symlink_to("../../root_evil")
    (root / "dangling-out").symlink_to("/nowhere/x")
    ask = asking(root)
    assert ask("read_file", path="to-file") == "inside"
    assert ask("read_file", path="d/up") == "inside"
    for path in ("out", "out/passwd", "chain", "d/beside/canary", "dangling-out"):
        for tool, more in (("read_file", {}), ("write_file", {"content": "PWN"}), ("create_directory", {})):
            assert ask(tool, path=path, **more).startswith("error: Access denied - symlink target outside")
    assert "[FILE] out" in ask("list_directory", path=".").splitlines()
    assert "out" not in ask("search_files", path=".", pattern="**").replace(str(root), "")
    assert (root.parent / "root_evil" / "canary").read_text() == "outside"


def test_a_dangling_link_inside_is_written_to_where_it_leads(root: Path):
    (root / "link").symlink_to("later.txt")
    ask = asking(root)
    assert ask("read_file", path="link") == (f"error: ENOENT: no such file or directory, open '{root}/later.txt'")
    ask("write_file", path="link", content="here")
    assert (root / "later.txt").read_text() == "here"
    assert (root / "link").is_symlink()


def test_a_move_moves_a_link_itself(root: Path):
    (root / "link").symlink_to("a.txt")
    assert asking(root)("move_file", source="link", destination="moved").startswith("Successfully")
    assert os.readlink(root / "moved") == "a.txt"
    assert (root / "a.txt").read_text() == "inside"


def test_a_fifo_is_refused_at_once(root: Path):
    os.mkfifo(root / "fifo")
    ask = asking(root)
    assert ask("read_file", path="fifo").startswith("error: EINVAL: invalid argument, open")
    assert "not a regular file" in ask("read_file", path="fifo", head=1)
    assert "not a regular file" in ask("read_file", path="fifo", tail=1)
    assert "not a regular file" in ask("read_media_file", path="fifo")
    assert "not a regular file" in ask("write_file", path="fifo", content="x")
    assert "not a regular file" in ask("edit_file", path="fifo", edits=[{"oldText": "a", "newText": "b"}])
    assert "Error - EINVAL" in ask("read_multiple_files", paths=["fifo"])
    assert "isFile: false" in ask("get_file_info", path="fifo")


def test_a_file_with_a_name_outside_is_not_read_and_not_written_through(root: Path):
    canary = root.parent / "root_evil" / "canary"
    os.link(canary, root / "hard")
    os.link(root / "a.txt", root / "second")
    ask = asking(root)
    assert "other names outside" in ask("read_file", path="hard")
    assert "other names outside" in ask("edit_file", path="hard", edits=[{"oldText": "out", "newText": "PWN"}])
    assert ask("read_file", path="second") == "inside"
    assert ask("write_file", path="hard", content="PWN").startswith("Successfully")
    assert canary.read_text() == "outside"
    os.link(canary, root / "again")
    assert asking(root, trust_links=True)("read_file", path="again") == "outside"


def test_both_names_of_a_directory_may_be_used(root: Path, tmp_path: Path):
    (tmp_path / "short").symlink_to(root)
    ask = asking(tmp_path / "short")
    assert ask("list_allowed_directories") == f"Allowed directories:\n{tmp_path}/short\n{root}"
    assert ask("read_file", path=f"{tmp_path}/short/a.txt") == "inside"
    assert ask("read_file", path=f"{root}/a.txt") == "inside"
    assert ask("read_file", path="a.txt") == "inside"
    (root / "back").symlink_to(f"{tmp_path}/short/a.txt")
    assert ask("read_file", path="back") == "inside"
    assert ask("search_files", path=f"{tmp_path}/short", pattern="a*") == f"{root}/a.txt"


def test_relative_paths_are_tried_in_each_directory(root: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.txt").write_text("b")
    ask = asking(root, other)
    assert ask("read_file", path="../other/b.txt") == "b"
    assert "open" in ask("read_file", path="b.txt")
    assert ask("move_file", source=f"{root}/a.txt", destination=f"{other}/a.txt").startswith("Successfully")
    assert (other / "a.txt").read_text() == "inside"
    assert not (root / "a.txt").exists()


def test_a_directory_inside_another_is_the_same_one(root: Path):
    (root / "sub").mkdir()
    (root / "sub" / "f").write_text("f")
    ask = asking(root / "sub", root)
    assert ask("list_allowed_directories") == f"Allowed directories:\n{root}/sub\n{root}"
    assert ask("read_file", path="f") == "f"
    assert "[DIR] sub" in ask("list_directory", path=str(root))


def test_directories_that_cannot_be_used_are_left_out(root: Path, caplog: pytest.LogCaptureFixture):
    ask = asking(root / "none", root / "a.txt", root)
    assert ask("list_allowed_directories") == f"Allowed directories:\n{root}"
    assert [record.getMessage() for record in caplog.records] == [
        f"Cannot access directory {root}/none, skipping",
        f"{root}/a.txt is not a directory, skipping",
    ]
    with pytest.raises(ValueError, match="None of the specified directories are accessible"):
        asking(root / "none")


def test_names_are_found_however_unicode_composes_them(root: Path):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    (root / decomposed).mkdir()
    (root / decomposed / "x.txt").write_text("x")
    ask = asking(root)
    assert ask("read_file", path=f"{composed}/x.txt") == "x"
    assert ask("write_file", path=f"{composed}/y.txt", content="y").startswith("Successfully")
    assert (root / decomposed / "y.txt").read_text() == "y"
    (root / unicodedata.normalize("NFD", "éà")).write_text("1")
    (root / "e\u0301\u00e0").write_text("2")
    assert ask("read_file", path="éà") == "error: Ambiguous Unicode path component: éà"


@pytest.mark.parametrize("path", ["C:\\Users", "c:/x", "D:"])
def test_windows_paths_are_not_taken_for_names(root: Path, path: str):
    assert asking(root)("write_file", path=path, content="x") == (
        f"error: Access denied - Windows-style path received on a POSIX host: {path}"
    )
    assert os.listdir(root) == ["a.txt"]


def test_home_is_that_of_the_user(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(root))
    assert asking("~")("read_file", path="~/a.txt") == "inside"


def test_the_mode_of_a_file_is_kept_and_nothing_is_left_beside_it(root: Path):
    (root / "a.txt").chmod(0o750)
    ask = asking(root)
    ask("write_file", path="a.txt", content="new")
    ask("edit_file", path="a.txt", edits=[{"oldText": "new", "newText": "newer"}])
    ask("write_file", path=".", content="x")
    assert ((root / "a.txt").stat().st_mode & 0o777, (root / "a.txt").read_text()) == (0o750, "newer")
    assert os.listdir(root) == ["a.txt"]
    assert sorted(os.listdir(root.parent)) == ["root", "root_evil"]


def test_a_name_is_counted_once_where_one_directory_is_inside_another(root: Path):
    (root / "sub").mkdir()
    os.link(root.parent / "root_evil" / "canary", root / "sub" / "hard")
    assert "other names outside" in asking(root / "sub", root)("read_file", path="hard")


def test_many_files_with_several_names_are_read_in_one_pass(root: Path, monkeypatch: pytest.MonkeyPatch):
    for number in range(50):
        (root / f"f{number}").write_text("x")
        os.link(root / f"f{number}", root / f"g{number}")
    walks: list[str] = []
    walk = MountedFileSystem.walk

    def counted(fs: MountedFileSystem, path: str, **more: Any) -> Any:
        walks.append(path)
        return walk(fs, path, **more)

    monkeypatch.setattr(MountedFileSystem, "walk", counted)
    told = asking(root)("read_multiple_files", paths=[f"f{number}" for number in range(50)])
    assert told.count("x") == 50
    assert walks == [str(root)]


def test_links_of_the_machine_lead_nowhere_else_from_python_either(root: Path):
    (root / "out").symlink_to(root.parent / "root_evil" / "canary")
    os.link(root.parent / "root_evil" / "canary", root / "hard")
    for fs, path in (
        (fsspec.filesystem("file"), str(root)),
        (fsspec.filesystem("chuklocal", root=str(root)), "/"),
        (MountedFileSystem({"/m": fsspec.filesystem("chuklocal", root=str(root))}), "/m"),
    ):
        call = Call(workspace_of(fs, path))
        prefix = path.rstrip("/")
        with pytest.raises(ToolError, match=r"Access denied|ENOENT"):
            read_text(call, call.path(f"{prefix}/out"))
        with pytest.raises(ToolError, match="other names outside"):
            read_text(call, call.path(f"{prefix}/hard"))
        assert read_text(call, call.path(f"{prefix}/a.txt")) == "inside"
