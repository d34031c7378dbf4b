"""ls, tree, find, du, stat, cat, head, tail and grep: as the programs of those names say it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chuk_fsspec.cli.completing import candidates
from tests.cli.commands import ENVIRONMENT, bash, outcome, said, said_json


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree on this machine and the same in a chuksqlite file, ``w.db``."""
    top = tmp_path_factory.mktemp("twins")
    tree = top / "tree"
    (tree / "sub" / "empty").mkdir(parents=True)
    (tree / "numbers").write_text("".join(f"{number}\n" for number in range(1, 20001)))
    (tree / "text").write_text("one\nTwo\nthree two\n\nfour-two\nzwölf\nno end")
    (tree / "binary").write_bytes(b"two\0two\n")
    (tree / "sub" / "script.py").write_text("def main():\n    two = 2\n")
    (tree / "sub" / ".hidden").write_text("two")
    (tree / "sub" / "latin").write_bytes(b"caf\xe9 two\n")
    (tree / "sub" / "a b\nc").write_text("two\n")
    (tree / "long").write_bytes(b"x" * 3_000_000 + b"\nshort\n")
    (tree / "void").touch()
    os.utime(tree / "text", (10**9, 10**9))
    os.link(tree / "text", tree / "sub" / "again")
    (tree / "link").symlink_to("text")
    assert outcome("put", "-a", str(tree), f"chuksqlite:///tree::file://{top}/w.db") == 0
    return top


AS_THE_PROGRAM = """
ls -1 tree
ls -1A tree/sub
ls -R tree/sub
ls -d tree
ls -1S tree/text tree/numbers tree/long
ls -1r tree
ls tree/text tree/sub
head -n 3 tree/numbers
head tree/text tree/numbers
head -n -19995 tree/numbers
head -n 1 tree/long
head -n 0 tree/text
head -c 5 tree/text
head -c -5 tree/text
head -c 2K tree/numbers
tail tree/numbers
tail -n 2 tree/text
tail -n +19998 tree/numbers
tail -n 2 tree/long
tail -n 0 tree/text
tail -n 100000 tree/numbers
tail -c 7 tree/text
tail -c +40 tree/text
tail -q -n 1 tree/text tree/numbers
cat tree/text tree/binary
cat - tree/text < tree/numbers
cat /dev/null tree/text
tail -n 2 < tree/text
head -c 9 < tree/text
find tree
find tree -name '*t*'
find tree -iname 'TEX?'
find tree -type d
find tree -type f,l
find tree -type f -size -2
find tree -type f -size +1M
find tree -size 7c
find tree -type f -size 1k
find tree -mtime +300
find tree -mtime -1
find tree -newer tree/text -type f
find tree -maxdepth 1 -mindepth 1
find tree -empty
find tree/sub -name 'a b*' -print0
grep two tree/text
grep -i two tree/text
grep -in -w two tree/text tree/sub/script.py
grep -v two tree/text
grep -c two tree/text tree/void
grep -l two tree/text tree/void tree/binary
grep -F -e two -e one tree/text
grep -E 'o(n|u)' tree/text
grep -A 1 -B 1 -n three tree/text
grep -C 1 -h two tree/text tree/sub/script.py
grep -r two tree/sub/script.py
grep -rh --include '*.py' two tree
grep -rl --exclude '*.py' --exclude '.*' two tree
grep -n zw.lf tree/text
grep -H one tree/text
grep one < tree/text
grep -q one tree/text
grep nothing tree/text
grep -c 1 tree/numbers
"""


@pytest.mark.parametrize("line", AS_THE_PROGRAM.strip().splitlines())
def test_it_says_what_the_program_of_that_name_says(
    line: str, twins: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(twins)
    command, _, source = line.partition(" < ")
    with open(source or os.devnull) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code = outcome(*shlex.split(command))
    theirs = subprocess.run(["bash", "-c", line], env=ENVIRONMENT, capture_output=True, check=False)
    assert (_lines(capfdbinary.readouterr().out, line), code) == (_lines(theirs.stdout, line), theirs.returncode)


def _lines(text: bytes, line: str) -> list[bytes]:
    """Directories are listed by others in whatever order they have."""
    lines = text.splitlines(keepends=True)
    return sorted(lines) if line.startswith(("find", "grep -r")) else lines


def in_database(twins: Path, path: str) -> str:
    return f"chuksqlite:///{path}::file://{twins}/w.db"


@pytest.mark.parametrize(
    "line",
    [
        "ls -R tree", "ls -1a tree/sub", "cat tree/text", "tail -n 5 tree/numbers", "grep -rhi two tree",
        "head -c 9 tree/binary", "find tree -type f -size +1k", "find tree -mtime +300", "du -a tree",
    ],
)  # fmt: skip
def test_a_url_is_like_a_path(
    line: str, twins: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(twins)
    answers = []
    end = f"::file://{twins}/w.db"
    for scheme, rest in (("", ""), ("chuksqlite:///", end)):
        words = [f"{scheme}{word}{rest}" if word.startswith("tree") else word for word in shlex.split(line)]
        assert outcome(*words) == 0
        answers.append(capfdbinary.readouterr().out.replace(b"chuksqlite:///", b"").replace(end.encode(), b""))
    assert answers[0] == answers[1]


def test_a_long_listing(twins: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(twins)
    lines = said(capsys, "ls", "-lh", "tree").splitlines()
    theirs = bash("ls -lh tree | tail -n +2", twins).splitlines()
    assert [line.split()[0] for line in lines] == [line.split()[0] for line in theirs]
    files = [(ours, other) for ours, other in zip(lines, theirs, strict=True) if not ours.startswith("d")]
    assert [ours.split() for ours, _ in files] == [other.split() for _, other in files]
    assert lines[1].endswith("link -> text")


def test_sizes_add_up_as_du_adds_them(twins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = bash("find tree -type f -printf '%i %s\\n' | sort -u | awk '{s+=$2} END {print s}'", twins)
    link = len("text")
    for top in (str(twins / "tree"), in_database(twins, "tree")):
        (found,) = said_json(capsys, "du", "-s", top)
        assert found["bytes"] == int(files) + link
        depths = said_json(capsys, "du", "--max-depth", "1", top)
        assert len(depths) == 2
        assert len(said_json(capsys, "du", "-a", top)) > 10
    assert said(capsys, "du", "-shc", str(twins / "tree")).split()[0] == "3.0M"


def test_a_tree_shows_sizes(twins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "tree", "-L", "1", in_database(twins, "tree")).splitlines()
    assert shown[1:] == [
        "    binary  8",
        "    link -> text",
        "    long  3000007",
        "    numbers  108894",
        "    sub/",
        "    text  41",
        "    void  0",
        "1 directories, 6 files, 3.0 MiB",
    ]
    assert "empty/" in said(capsys, "tree", "-d", str(twins / "tree"))


def test_all_that_is_known_of_a_file(twins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for top in (str(twins / "tree"), in_database(twins, "tree")):
        name = top.replace("tree", "tree/link", 1) if "::" in top else f"{top}/link"
        (link,) = said_json(capsys, "stat", name)
        assert (link["type"], link["target"], link["size"]) == ("link", "text", 4)
        (file,) = said_json(capsys, "stat", "-L", name)
        assert (file["type"], file["size"], file["mtime_ns"]) == ("file", 41, 10**18)
        assert file["mode"] == "0644"
        assert "etag" in said(capsys, "stat", name)


def test_grep_tells_nothing_found_from_an_error(twins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = str(twins / "tree" / "text")
    assert outcome("grep", "nothing", text) == 1
    for wrong in (("grep", "(", text), ("grep", "x", "/no/such"), ("grep",), ("grep", "x", str(twins / "tree"))):
        assert outcome(*wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert outcome("grep", "-q", "one", "/no/such", text) == 0
    capsys.readouterr()
    binary = str(twins / "tree" / "binary")
    assert said(capsys, "grep", "two", binary) == f"{binary}: binary file matches\n"
    assert [(one["line"], one["match"]) for one in said_json(capsys, "grep", "-A1", "Two", text)] == [
        (2, True),
        (3, False),
    ]


def test_content_as_json_is_text_or_base64(twins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said_json(capsys, "tail", "-c", "6", str(twins / "tree" / "text"))[0]["text"] == "no end"
    assert said_json(capsys, "cat", str(twins / "tree" / "sub" / "latin"))[0]["base64"] == "Y2Fm6SB0d28K"
    long = said_json(capsys, "cat", str(twins / "tree" / "long"))
    assert [one["offset"] for one in long] == [0, 1 << 20, 2 << 20]
    cut = twins / "cut"
    cut.write_text("x" * ((1 << 20) - 1) + "ö" * 600_000)
    assert "".join(one["text"] for one in said_json(capsys, "cat", str(cut))) == cut.read_text()


def test_find_removes_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("d/e/x.tmp", "d/keep", "f/x.tmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert outcome("find", str(tmp_path), "-name", "*.tmp", "-delete") == 0
    assert outcome("find", str(tmp_path), "-mindepth", "1", "-type", "d", "-empty", "-delete") == 0
    assert sorted(os.listdir(tmp_path)) == ["d"]
    assert os.listdir(tmp_path / "d") == ["keep"]


def test_find_removes_the_others_if_one_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a1", "a2/kept", "a3"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    told = said(capsys, "find", str(tmp_path), "-name", "a*", "-delete", code=1)
    assert "a2" in told
    assert os.listdir(tmp_path) == ["a2"]


def test_paths_in_a_workspace_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a,b\n")
    work = tmp_path / "work.toml"
    work.write_text('[mounts."/"]\nurl = "chuksqlite:///::file://${workspace}/w.db"\n'
                    '[mounts."/in"]\nurl = "chuklocal:///::file://${workspace}/data"\n')  # fmt: skip
    assert outcome("cp", f"{work}:/in/a.csv", f"{work}:/copy.csv") == 0
    assert said(capsys, "find", f"{work}:/", "-type", "f").split() == [f"{work}:/copy.csv", f"{work}:/in/a.csv"]
    assert said(capsys, "cat", f"{work}:/copy.csv") == "a,b\n"
    assert said(capsys, "cat", str(work)).startswith("[mounts")
    with work.open("a") as file:
        file.write('[mounts."/gone"]\nurl = "chukmem://"\n')
    assert "would end" in said(capsys, "cp", str(work), f"{work}:/gone/x", code=1)
    assert outcome("cp", str(work), f"{work}:/in/x") == 0
    assert candidates(f"chuk-fsspec cat {work}:/in/a") == [f"{work}:/in/a.csv"]


def test_a_link_on_the_way_is_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tree" / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "sub" / "deep" / "f").write_text("x")
    (tmp_path / "tree" / "way").symlink_to("other")
    (tmp_path / "tree" / "other").symlink_to("/sub")
    (tmp_path / "tree" / "circle").symlink_to("circle")
    database = f"::file://{tmp_path}/w.db"
    assert outcome("put", "-r", f"{tmp_path}/tree/.", f"chuksqlite:///{database}") == 0
    for top in (f"chuklocal:///way/deep::file://{tmp_path}/tree", f"chuksqlite:///way/deep{database}"):
        assert len(said_json(capsys, "find", top)) == 2
        assert said(capsys, "grep", "-rc", "x", top).endswith(":1\n")
        assert len(said_json(capsys, "find", top.replace("/way/deep", "/way"))) == 1
    assert said(capsys, "ls", f"chuksqlite:///circle/x{database}", code=1)
    assert said(capsys, "ls", f"chuksqlite:///way{database}") == "deep\n"


def test_tail_follows_what_is_added(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("old\n")
    script = "python3 -m chuk_fsspec tail -f -s 0.05 log > seen & pid=$!; until grep -q old seen; do sleep 0.05; done; "
    script += "echo new >> log; until grep -q new seen; do sleep 0.05; done; echo z > log; "
    script += "until grep -q z seen; do sleep 0.05; done; kill -INT $pid; wait $pid || echo $?"
    done = bash(f"set -m; {script}", tmp_path)
    assert done.split() == ["130"]
    assert (tmp_path / "seen").read_text() == "old\nnew\nz\n"


def test_nothing_is_said_when_the_reader_has_seen_enough(twins: Path) -> None:
    for command in ("cat tree/long tree/numbers", "grep -r . tree", "ls -R /usr/lib", "find /usr/lib --json"):
        script = f"set +o pipefail; python3 -m chuk_fsspec {command} 2> problems | head -n 1 > /dev/null; "
        assert bash(f"{script} echo ${{PIPESTATUS[0]}}; cat problems", twins) == "0\n"


def test_what_a_shell_gives_for_a_command_is_a_file(twins: Path) -> None:
    assert bash("python3 -m chuk_fsspec grep -c 1 <(cat tree/numbers)", twins) == bash("grep -c 1 tree/numbers", twins)


def test_a_full_disk_is_an_error(twins: Path) -> None:
    text = bash("python3 -m chuk_fsspec cat tree/numbers > /dev/full || echo failed $?", twins)
    assert text == "failed 1\n"


@pytest.mark.parametrize("url", ["chuksqlite:///d::file://{}", "chukreadonly::chuksqlite:///d::file://{}"])
@pytest.mark.parametrize("command", ["ls", "tree", "find", "du", "stat", "cat", "grep -r x", "rm -r", "cp"])
def test_a_mistyped_database_is_not_made(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, url: str
) -> None:
    more = [str(tmp_path / "copy")] if command == "cp" else []
    assert outcome(*command.split(), url.format(tmp_path / "typo.db"), *more) in (1, 2)
    assert "'typo.db' does not exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
