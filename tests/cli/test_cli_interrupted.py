"""What is left when a command does not come to its end, and how much memory it takes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import fsspec
import pytest

from tests.cli.commands import ENVIRONMENT, PROGRAM, bash, outcome, program, said_json
from tests.processes import python
from tests.waiting import wait_until

LARGE = 3 << 30
"""Bytes of a file without content, which is long in coming through a pipe of copies."""


def started(here: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PROGRAM, *arguments], cwd=here, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def read_bytes(pid: int) -> int:
    """How many bytes a process has asked the system for, so far."""
    text = Path(f"/proc/{pid}/io").read_text()
    return int(text.split("rchar: ")[1].split()[0])


@pytest.mark.parametrize("target", ["local", "sqlite"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_copy_leaves_what_was_there(target: str, number: signal.Signals, tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(LARGE)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "copy").write_text("old")
    database = f"file://{tmp_path}/w.db"
    assert outcome("put", str(tmp_path / "d" / "copy"), f"chuksqlite:///copy::{database}") == 0
    where = {"local": f"chuklocal:///copy::file://{tmp_path}/d", "sqlite": f"chuksqlite:///copy::{database}"}
    copying = started(tmp_path, "cp", "large", where[target])
    wait_until(lambda: read_bytes(copying.pid) > 64 << 20)
    copying.send_signal(number)
    out, err = copying.communicate(timeout=60)
    assert copying.returncode == (130 if number == signal.SIGINT else -9)
    assert (out, err) == (b"", b"")
    assert (tmp_path / "d" / "copy").read_text() == "old"
    fs = fsspec.filesystem("chuksqlite", database=str(tmp_path / "w.db"))
    assert fs.cat_file("/copy") == b"old"
    if number == signal.SIGINT:
        assert os.listdir(tmp_path / "d") == ["copy"]
        assert fs.ls("/", detail=False) == ["/copy"]
    # What a killed one left is removed by the next.
    (tmp_path / "small").write_text("new")
    assert program("cp", "small", where[target], cwd=tmp_path).returncode == 0
    assert fs.ls("/", detail=False) == ["/copy"]
    assert os.listdir(tmp_path / "d") == ["copy"]


def test_an_interrupted_move_leaves_everything_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for number in range(20):
        with open(tmp_path / "src" / f"f{number:02}", "wb") as file:
            file.truncate(40 << 20)
    moving = started(tmp_path, "mv", "src", f"chuksqlite:///src::file://{tmp_path}/w.db")
    wait_until(lambda: read_bytes(moving.pid) > 60 << 20)
    moving.send_signal(signal.SIGINT)
    moving.communicate(timeout=60)
    assert moving.returncode == 130
    assert len(os.listdir(tmp_path / "src")) == 20
    fs = fsspec.filesystem("chuksqlite", database=str(tmp_path / "w.db"))
    assert fs.info("/src")["mode"] & 0o777 == 0o755
    sizes = {info["size"] for info in fs.find("/src", detail=True).values()}
    assert sizes <= {40 << 20}


def test_large_files_pass_through_little_memory(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(256 << 20)
    script = "import resource, sys; from chuk_fsspec.cli.main import main; code = main(sys.argv[1:]); "
    script += "print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    (tmp_path / "measured.py").write_text(script)
    database = f"chuksqlite:///large::file://{tmp_path}/w.db"
    # What is mapped would be counted, too, though the kernel has it back whenever it likes.
    stored = f"--option mmap_size=0 {database}"
    for command in (f"put large {database}", f"cat {stored}", f"tail -c 1000 {stored}", "grep -c x large"):
        told = bash(f"python3 measured.py {command} 2>&1 >/dev/null", tmp_path).split()
        assert int(told[1]) < 150_000, command


def test_a_target_that_is_full_keeps_what_it_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "f").write_bytes(b"x" * 500_000)
    (tmp_path / "old").write_text("old")
    secure = f"chuksecure:///f::chuklocal:///::file://{tmp_path}/d"
    (tmp_path / "d").mkdir()
    options = ["--target-option", 'chuksecure={"max_file_size": 1000}']
    assert outcome("cp", str(tmp_path / "old"), secure, *options) == 0
    problems = said_json(capsys, "cp", str(tmp_path / "f"), secure, *options, code=1)
    assert len(problems) == 1
    assert os.listdir(tmp_path / "d") == ["f"]
    assert (tmp_path / "d" / "f").read_text() == "old"


def test_it_is_interrupted_while_it_starts(tmp_path: Path) -> None:
    code = """
        import builtins, sys
        from chuk_fsspec.cli.starting import start
        found = builtins.__import__
        def interrupted(name, *rest):
            if name.startswith("fsspec"):
                raise KeyboardInterrupt
            return found(name, *rest)
        builtins.__import__ = interrupted
        sys.exit(start())
        """
    done = subprocess.run(python(code), cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
