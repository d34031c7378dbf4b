"""The command line, as far as it can be tried without a mount."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec import MemoryFileSystem
from chuk_fsspec.cli import checks, doctor_cmd
from chuk_fsspec.cli.checks import Check
from chuk_fsspec.cli.directories import open_directory
from chuk_fsspec.cli.main import main
from chuk_fsspec.cli.mounts import Mounted, find_mount, read_mountinfo
from chuk_fsspec.cli.output import CommandError, describe
from chuk_fsspec.cli.trees import source_name
from chuk_fsspec.cli.urls import is_volatile, parse_option
from chuk_fsspec.registry import PROTOCOLS
from tests.cli.commands import all_commands

COMMANDS = ("mount", "umount", "doctor", "audit")


def outcome(arguments: list[str]) -> int:
    """The exit code, however the command ends."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


# ---- help


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)], ids=["chuk-fsspec", *COMMANDS])
def test_every_help_ends_with_an_example(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert outcome([*arguments, "--help"]) == 0
    text = capsys.readouterr().out
    assert re.search(rf"example:\n(  .*\n)*  chuk-fsspec {' '.join(arguments)}", text)
    assert max(map(len, text.splitlines())) <= 120


def test_the_version_names_what_matters_for_a_report(capsys: pytest.CaptureFixture[str]):
    assert outcome(["--version"]) == 0
    text = capsys.readouterr().out
    assert version("chuk-fsspec") in text
    assert f"fsspec {version('fsspec')}" in text


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "chuk_fsspec", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("chuk-fsspec ")


# ---- bad input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required: COMMAND"),
        (["mout"], "invalid choice: 'mout'"),
        (["mount"], "required: URL, MOUNTPOINT"),
        (["mount", "chukmem://"], "required: MOUNTPOINT"),
        (["mount", "chukmem://", "x", "--transport", "carrier-pigeon"], "invalid choice: 'carrier-pigeon'"),
        (["mount", "chukmem://", "x", "--cache-timeout", "soon"], "'soon' is not a number of seconds"),
        (["mount", "chukmem://", "x", "--cache-timeout=-1"], "'-1' is not a number of seconds"),
        (["mount", "chukmem://", "x", "--cache-timeout", "nan"], "'nan' is not a number of seconds"),
        (["mount", "chukmem://", "x", "--option", "capacity"], "'capacity' is not KEY=VALUE"),
        (["umount"], "required: MOUNTPOINT"),
        (["doctor", "who"], "unrecognized arguments: who (see chuk-fsspec doctor"),
        (["snapshot", "creat"], "invalid choice: 'creat'; did you mean create?"),
        (["find", ".", "-maxdepth", "-1"], "'-1' is not a whole number from 0 up"),
        (["snapshot", "prune", "x", "--keep-last", "x"], "argument --keep-last: 'x' is not a whole number"),
        (["serve", "webdav", "x", "--port", "65536"], "'65536' is not a whole number from 0 to 65535"),
        (["serve", "webdav", "x", "--max-body", "0"], "'0' is not a whole number from 1 up"),
        (["sync", "x", "y", "-j", "-1"], "'-1' is not a whole number from 0 up"),
        (["mcp", "x", "--max-result", "0.5"], "'0.5' is not a whole number from 1 up"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]):
    assert outcome(arguments) == 2
    assert_one_line(capsys.readouterr().err, says, "--help)")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("chukmem:/x", "did you mean chukmem://x ?"),
        ("chukmem:x", "did you mean chukmem://x ?"),
        ("chukmem", "did you mean chukmem:// ?"),
        ("chukmen://", "unknown protocol chukmen; did you mean chukmem:// ?"),
        ("simplecache::chukmen://a", "unknown protocol chukmen; did you mean chukmem://a ?"),
        (
            "chuksqlite:///a::b::file:///nonexistent/w.db",
            "b in chuksqlite:///a::b::file:///nonexistent/w.db is no protocol",
        ),
        ("memori://x", "did you mean memory://x ?"),
        ("quantum://x", "unknown protocol quantum; there are chukmem"),
        ("chukmem://../x", "climbs above the root"),
        ("/nonexistent/directory", "/nonexistent/directory: No such file or directory"),
        ("chuksecure://x", "chuksecure://x has nothing below it: chain a URL to it"),
        ("chukmount://", "chukmount:// has nothing below it: chain a URL to it"),
        ("chuklocal://x", "--option root=…, or a chained URL"),
        ("chuksqlite://x", "--option database=…, or a chained URL"),
    ],
)
def test_a_bad_url_is_one_line_that_says_what_was_meant(
    url: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert outcome(["mount", "--foreground", url, str(tmp_path)]) == 1
    assert_one_line(capsys.readouterr().err, says)


def test_a_bad_mount_point_is_one_line_that_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for name, says in [
        ("missing", f"mkdir -p {tmp_path}/missing"),
        ("full", "mount on an empty directory"),
        ("full/file", "a mount point must be a directory"),
    ]:
        assert outcome(["mount", "--foreground", "chukmem://", str(tmp_path / name)]) == 1
        assert_one_line(capsys.readouterr().err, f"{tmp_path}/{name}: ", says)


@pytest.mark.parametrize(
    ("option", "says"), [("capacity=-1", "capacity must be 0"), ("capacity=lots", "does not take these options")]
)
def test_a_bad_storage_option_is_one_line(option: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert outcome(["mount", "--foreground", "chukmem://", str(tmp_path), "--option", option]) == 1
    assert_one_line(capsys.readouterr().err, says)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ValueError("give key= and secret=, or anon=True"),
            "give --option key=… and --option secret=…, or --option anon=true",
        ),
        (ValueError("'x=1' is no NAME=VALUE (max_files=1)"), "'x=1' is no NAME=VALUE (max_files=1)"),
        (OSError(5, "upper=, a file, makes it last", "/a="), "/a=: --option upper=…, a file, makes it last"),
        (CommandError("a= is a directory"), "a= is a directory"),
        (FileNotFoundError("https://host/x"), "https://host/x: No such file or directory"),
        (PermissionError("bucket/x"), "bucket/x: Permission denied"),
    ],
)  # fmt: skip
def test_errors_are_told_in_the_words_of_a_shell(error: Exception, told: str):
    assert describe(error) == told


def test_a_move_to_no_directory_names_the_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "f").touch()
    assert outcome(["mv", f"{tmp_path}/f", f"{tmp_path}/nope/f"]) == 1
    assert_one_line(capsys.readouterr().err, f"{tmp_path}/nope/f: No such file or directory: its directory is missing")


def test_a_private_file_is_named_and_not_its_temporary_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "secret").write_text("s")
    arguments = ["serve", "passwd", f"{tmp_path}/nope/users", "alice", "--password-file", f"{tmp_path}/secret"]
    assert outcome(arguments) == 1
    assert_one_line(capsys.readouterr().err, f"{tmp_path}/nope/users: No such file")


def test_unmounting_what_is_no_mount_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert outcome(["umount", str(tmp_path)]) == 1
    assert_one_line(capsys.readouterr().err, f"{tmp_path} is not a mount point")


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="needs Linux's table of mounts")
def test_only_fuse_is_unmounted(capsys: pytest.CaptureFixture[str]):
    assert outcome(["umount", "/proc"]) == 1
    assert_one_line(capsys.readouterr().err, "/proc is a mount of another kind (proc)")


def test_a_bug_is_one_line_too_and_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    def broken() -> list[Check]:
        raise KeyError("oops")

    monkeypatch.setattr(doctor_cmd, "all_checks", broken)
    assert outcome(["doctor"]) == 1
    assert_one_line(capsys.readouterr().err, "unexpected KeyError", "--debug shows where")
    with caplog.at_level("DEBUG", "chuk-fsspec"):
        outcome(["doctor", "--debug"])
    assert "in broken" in caplog.text


def assert_one_line(text: str, *parts: str) -> None:
    assert text.startswith("chuk-fsspec: ")
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    for part in parts:
        assert part in text


def test_a_storage_option_is_spelled_the_same_everywhere():
    for name, parser in all_commands().items():
        spellings = [action.option_strings for action in parser._actions if "--option" in action.option_strings]
        assert spellings in ([], [["--option", "-o"]]), name


# ---- doctor


def test_the_doctor_fails_only_for_what_mounting_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    found = [Check("one", True, "is here"), Check("two", False, "install it")]
    monkeypatch.setattr(doctor_cmd, "all_checks", lambda: found)
    assert outcome(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", "one"], ["missing", "two"]]
    found.append(Check("three", False, "install it", needed=True))
    assert outcome(["doctor"]) == 1


def test_the_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(checks, "DEVICE", str(tmp_path / "fuse"))
    device = checks.check_device()
    assert (device.ok, device.needed) == (False, True)
    assert "modprobe fuse" in device.detail
    assert "pip install no-such-package" in checks.check_package("no-such-package", "nothing").detail
    assert "apt install it" in checks.check_program("no-such-program", "nothing", "apt install it").detail
    assert "reinstall" in checks.check_protocol("chukmissing").detail
    assert checks.check_protocol("chukmem").ok


def test_allow_other_is_read_from_fuses_own_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    configuration = tmp_path / "fuse.conf"
    monkeypatch.setattr(checks, "FUSE_CONF", configuration)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not checks.check_allow_other().ok
    configuration.write_text("#user_allow_other\n")
    assert not checks.check_allow_other().ok
    configuration.write_text("# a comment\nuser_allow_other\n")
    assert checks.check_allow_other().ok


def test_root_may_lack_the_right_to_mount(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    status = tmp_path / "status"
    monkeypatch.setattr(checks, "STATUS", status)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    status.write_text("Name:\tpython\nCapEff:\t000001ffffffffff\n")
    assert checks.check_right_to_mount().ok
    status.write_text("Name:\tpython\nCapEff:\t00000000a80425fb\n")
    assert "--cap-add SYS_ADMIN" in checks.check_right_to_mount().detail


# ---- parts


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("capacity=1000", ("capacity", 1000)),
        ("anon=true", ("anon", True)),
        ("name=work", ("name", "work")),
        ("name=a=b", ("name", "a=b")),
        ("name=", ("name", "")),
        ('key="123"', ("key", "123")),
        ('s3={"anon": false}', ("s3", {"anon": False})),
    ],
)
def test_storage_options_are_json_where_they_can_be(text: str, pair: tuple[str, object]):
    assert parse_option(text) == pair


def test_a_storage_option_needs_a_key():
    with pytest.raises(ValueError, match="KEY=VALUE"):
        parse_option("=value")


def test_the_table_of_mounts_is_read_with_its_escapes():
    text = (
        "22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
        r"36 22 0:32 / /mnt/with\040space rw shared:7 master:1 - fuse.chuk chukmem://a\040b rw,user_id=0" + "\n"
        "37 22 0:33 / /plain rw - tmpfs tmpfs rw\n"
    )
    assert read_mountinfo(text) == [
        Mounted("/proc", "proc", "proc"),
        Mounted("/mnt/with space", "fuse.chuk", "chukmem://a b"),
        Mounted("/plain", "tmpfs", "tmpfs"),
    ]


def test_a_plain_directory_is_not_a_mount(tmp_path: Path):
    assert find_mount(tmp_path) is None


def test_the_source_of_a_mount_is_its_url(tmp_path: Path):
    assert source_name(fsspec.filesystem("chukmem"), "/a/b") == "chukmem://a/b"
    assert source_name(fsspec.filesystem("file"), "/tmp/x") == "file:///tmp/x"


def test_only_chukmem_ends_with_its_process():
    assert is_volatile("chukmem://a")
    assert is_volatile("simplecache::chukmem://a")
    assert not is_volatile("file:///tmp")
    assert not is_volatile("/tmp")


def test_a_directory_can_be_the_root(chukmem: MemoryFileSystem):
    chukmem.pipe_file("/a/b/c/file", b"1")
    nodes = open_directory(chukmem, "/a/b")
    assert [name for name, _ in nodes.entries(nodes.root)] == ["c"]
    inside = nodes.lookup(nodes.root, "c")
    assert inside is not None
    assert nodes.parent(inside) is nodes.root
    assert nodes.parent(nodes.root) is nodes.root
    with pytest.raises(NotADirectoryError):
        open_directory(chukmem, "/a/b/c/file")
    with pytest.raises(FileNotFoundError):
        open_directory(chukmem, "/a/x")


def test_directories_of_other_filesystems_can_be_the_root(tmp_path: Path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").touch()
    local = fsspec.filesystem("file")
    nodes = open_directory(local, str(tmp_path / "d"))
    assert [name for name, _ in nodes.entries(nodes.root)] == ["file"]
    nodes.close()
    with pytest.raises(NotADirectoryError):
        open_directory(local, str(tmp_path / "d" / "file"))
    with pytest.raises(FileNotFoundError):
        open_directory(local, str(tmp_path / "x"))


def test_a_root_directory_is_believed_for_as_long_as_is_said(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    seen = {}
    for seconds in (0, 300):
        nodes = open_directory(fsspec.filesystem("file"), str(tmp_path), seconds)
        node = nodes.lookup(nodes.root, "file")
        assert node is not None
        file.write_bytes(bytes(seconds + 1))
        seen[seconds] = nodes.getattr(node).size
        nodes.close()
    assert seen == {0: 1, 300: 1}


# ---- registry


def test_the_registry_is_what_is_installed():
    installed = {point.name: point.value for point in entry_points(group="fsspec.specs")}
    ours = {name: home for name, home in installed.items() if home.startswith("chuk_fsspec.")}
    assert ours == {name: protocol.home for name, protocol in PROTOCOLS.items()}
    for protocol in PROTOCOLS.values():
        if protocol.name == "chuke2b" and find_spec("e2b") is None:
            continue  # its SDK needs Python 3.11
        assert fsspec.get_filesystem_class(protocol.name) is protocol.load()


def test_reading_the_registry_imports_no_backend():
    script = "import sys, chuk_fsspec.registry; sys.exit('chuk_fsspec.backends' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
