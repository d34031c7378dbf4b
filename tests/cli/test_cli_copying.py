"""cp, mv, rm, put, get and mkdir: what arrives, what stays, and what is refused."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.commands import bash, outcome, said, said_json

ODD_NAMES = ("new\nline", "-rf", "ä ö", "*", "[a]", "a::b", "tab\t", "$HOME", "x.toml", "\udcff")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def url(here: Path) -> str:
    """The root of a chuksqlite filesystem."""
    return f"chuksqlite:///::file://{here}/w.db"


def at(url: str, path: str) -> str:
    return url.replace(":///", f":///{path}", 1)


def make_tree(top: Path) -> None:
    (top / "deep" / "er").mkdir(parents=True)
    (top / "deep").chmod(0o750)
    for number, name in enumerate(ODD_NAMES):
        (top / name).write_bytes(b"x" * number)
    (top / "run").write_bytes(b"#!/bin/sh\n")
    (top / "run").chmod(0o755)
    (top / "private").write_bytes(b"secret")
    (top / "private").chmod(0o600)
    (top / "deep" / "link").symlink_to("../run")
    (top / "deep" / "nowhere").symlink_to("/no/such/file")
    os.link(top / "run", top / "deep" / "er" / "second name")
    os.utime(top / "run", ns=(10**18, 10**18 + 7))
    (top / "large").write_bytes(os.urandom(2_500_000))


def listing(top: Path, form: str) -> str:
    return bash(f"cd '{top}' && find . -printf '%p {form}\\n' | sort", top)


def test_a_tree_is_copied_as_cp_does_it(here: Path) -> None:
    make_tree(here / "src")
    assert outcome("cp", "-r", "src", "ours") == 0
    bash("cp -r src theirs && diff -r --no-dereference ours theirs", here)
    assert listing(here / "ours", "%y %m %l") == listing(here / "theirs", "%y %m %l")


def test_a_tree_goes_to_another_filesystem_and_back_with_everything(here: Path, url: str) -> None:
    make_tree(here / "src")
    os.setxattr(here / "src" / "run", "user.note", b"kept")
    assert outcome("put", "-a", "src", at(url, "kept")) == 0
    assert outcome("get", "-a", at(url, "kept"), "back") == 0
    bash("diff -r --no-dereference src back", here)
    assert listing(here / "back", "%y %m %l %n %T@") == listing(here / "src", "%y %m %l %n %T@")
    assert os.getxattr(here / "back" / "run", "user.note") == b"kept"
    assert (here / "back" / "run").samefile(here / "back" / "deep" / "er" / "second name")


trees = st.dictionaries(
    st.lists(st.text("ab*? -\n\\'é", min_size=1, max_size=3), min_size=1, max_size=3).map(tuple),
    st.binary(max_size=50),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_whatever_the_names_all_files_arrive_and_are_gone_from_where_they_were(
    tree: dict[tuple[str, ...], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    top = tmp_path_factory.mktemp("any")
    (top / "src").mkdir()
    made: dict[str, bytes] = {}
    for names, content in tree.items():
        path = (top / "src").joinpath(*names)
        if all(not parent.is_file() for parent in path.parents) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            made[str(path.relative_to(top / "src"))] = content
    url = f"chuksqlite:///dst::file://{top}/w.db"
    assert outcome("mv", str(top / "src"), url) == 0
    assert not (top / "src").exists()
    fs = fsspec.filesystem("chuksqlite", database=str(top / "w.db"))
    assert {path.removeprefix("/dst/"): fs.cat_file(path) for path in fs.find("/dst")} == made
    assert outcome("mv", url, str(top / "back")) == 0
    assert not fs.exists("/dst")
    found = {
        str(path.relative_to(top / "back")): path.read_bytes() for path in (top / "back").rglob("*") if path.is_file()
    }
    assert found == made


def test_sources_go_into_a_directory_or_to_a_name(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (here / name).write_text(name)
    (here / "d").mkdir()
    assert outcome("cp", "a", "b", "d") == 0
    assert sorted(os.listdir(here / "d")) == ["a", "b"]
    assert outcome("cp", "-r", "d", "new") == 0
    assert outcome("cp", "-r", "d", "new") == 0
    assert sorted(os.listdir(here / "new")) == ["a", "b", "d"]
    assert outcome("cp", "-r", "d/.", "flat") == 0
    assert sorted(os.listdir(here / "flat")) == ["a", "b"]
    assert "needs one" not in said(capsys, "cp", "a", "c")
    for arguments, says in (
        (("cp", "a", "b", "c"), "several sources need one"),
        (("cp", "a", "missing/"), "mkdir -p missing/"),
        (("cp", "a", "missing/x"), "No such file"),
        (("cp", "d", "e"), "-r copies it"),
        (("cp", "-r", "d", "d/in"), "into itself"),
        (("cp", "a", "a"), "same file"),
        (("cp", "none", "x"), "none: No such file"),
        (("cp", "a"), "there is no target"),
        (("mv", "d/a", "new/a", "flat"), "would both be flat/a"),
        (("cp", "", "x"), "empty name"),
        (("mv", "d", "d/in"), "into itself"),
        (("mv", "a", "a"), "same file"),
    ):
        assert says in said(capsys, *arguments, code=1), arguments


@pytest.mark.parametrize("kind", ["local", "sqlite", "foreign"])
def test_what_is_there_is_kept_or_asked_about_or_replaced(
    kind: str, here: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "new").write_text("new")
    target = {"local": "old", "sqlite": at(url, "old"), "foreign": "memory://cli-old"}[kind]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"old")))
    assert outcome("cp", "-", target) == 0
    for option, answer, left in (
        ("-n", "", "old"), ("-i", "n\n", "old"), ("-i", "", "old"), ("-i", "y\n", "new"), ("-f", "", "new")
    ):  # fmt: skip
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        assert outcome("cp", option, "new", target) == 0
        capsys.readouterr()
        with fsspec.open(str(here / target) if kind == "local" else target) as file:
            assert file.read().decode() == left


def test_a_replaced_file_keeps_its_mode_and_a_link_its_target(here: Path) -> None:
    (here / "new").write_text("new")
    (here / "old").write_text("old")
    (here / "old").chmod(0o640)
    (here / "link").symlink_to("old")
    assert outcome("cp", "new", "link") == 0
    assert (here / "link").is_symlink()
    assert (here / "old").read_text() == "new"
    assert (here / "old").stat().st_mode & 0o777 == 0o640
    assert outcome("cp", "-p", "new", "old") == 0
    assert (here / "old").stat().st_mtime_ns == (here / "new").stat().st_mtime_ns


def test_moving_in_one_filesystem_is_a_rename(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(here / "src")
    number = (here / "src").stat().st_ino
    assert said_json(capsys, "mv", "src", "dst") == [{"source": "src", "target": "dst", "renamed": True}]
    assert (here / "dst").stat().st_ino == number
    (here / "other" / "dst" / "full").mkdir(parents=True)
    assert "not empty" in said(capsys, "mv", "dst", "other", code=1)
    (here / "other" / "dst" / "full").rmdir()
    assert outcome("mv", "dst", "other") == 0
    assert (here / "other" / "dst").stat().st_ino == number
    (here / "file").touch()
    assert "Not a directory" in said(capsys, "mv", "other", "file", code=1)
    assert "same file" in said(capsys, "mv", "file", "./file", code=1)


def test_nothing_is_moved_onto_itself_under_the_name_of_another_filesystem(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "d" / "sub").mkdir(parents=True)
    (here / "d" / "f").write_text("content")
    for arguments, says in (
        (("mv", "d/f", "chuklocal:///f"), "same file"),
        (("cp", "d/f", "chuklocal:///f"), "same file"),
        (("mv", "d", "chuklocal:///in"), "into itself"),
        (("mv", "d", "chuklocal:///sub"), "into itself"),
        (("cp", "-r", "d", "chuklocal:///new/deep"), "into itself"),
        (("cp", "-r", "d/.", "chuklocal:///"), "same directory"),
    ):
        assert says in said(capsys, *arguments, "--target-option", f"root={here}/d", code=1), arguments
    assert sorted(path.name for path in (here / "d").rglob("*")) == ["f", "sub"]
    assert (here / "d" / "f").read_text() == "content"


def test_what_cannot_be_copied_is_named_and_the_rest_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "src").mkdir()
    (here / "src" / "a").write_text("a")
    (here / "src" / "link").symlink_to("a")
    os.mkfifo(here / "src" / "pipe")
    problems = said_json(capsys, "cp", "-r", "src", "memory://cli-few", code=1)
    assert {Path(one["path"]).name for one in problems} == {"link", "pipe"}
    assert all(one["errno"] == "ENOTSUP" for one in problems)
    assert fsspec.filesystem("memory").cat_file("/cli-few/a") == b"a"
    assert outcome("mv", "src", "memory://cli-fewer") == 1
    assert sorted(os.listdir(here / "src")) == ["a", "link", "pipe"]


def test_removing(here: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    make_tree(here / "src")
    (here / "way").symlink_to("src")
    assert outcome("put", "-r", "src", at(url, "src")) == 0
    assert outcome("rm", "way") == 0
    assert (here / "src" / "run").exists()
    assert "-r removes it" in said(capsys, "rm", "src", code=1)
    assert outcome("rm", "src/*", at(url, "src/*")) == 0
    assert (here / "src" / "run").exists()
    assert outcome("rm", "--", "src/-rf") == 0
    assert said(capsys, "rm", "src/*", code=1)
    assert outcome("rm", "-f", "src/*") == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert outcome("rm", "-ri", "src") == 0
    assert (here / "src").exists()
    assert outcome("rm", "-rv", "src", at(url, "src")) == 0
    assert "src" not in os.listdir(here)
    for root in ("/", ".", "..", "./", "/tmp/..", url, "chuklocal:///::file:///tmp"):
        assert "stays" in said(capsys, "rm", "-rf", root, code=1), root


def test_making_directories(here: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for top in ("", url):
        one = at(url, "a/b/c") if top else "a/b/c"
        assert "-p makes it" in said(capsys, "mkdir", one, code=1)
        assert outcome("mkdir", "-p", "-m", "750", one) == 0
        assert outcome("mkdir", "-p", one) == 0
        assert "File exists" in said(capsys, "mkdir", one, code=1)
    assert (here / "a" / "b" / "c").stat().st_mode & 0o777 == 0o750
    assert "would end with this command" in said(capsys, "mkdir", "chukmem://a", code=1)


def test_pipes_at_both_ends(here: Path, url: str) -> None:
    data = "'\\x00'*3000000+'end'"
    script = f"python3 -c \"print({data}, end='')\" > in; python3 -m chuk_fsspec cp - {at(url, 'f')} < in"
    bash(f"{script}; python3 -m chuk_fsspec get {at(url, 'f')} - | cmp - in", here)
