"""``chuk-fsspec sync`` as a user has it: what it prints, and what a kill in the middle leaves."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fsspec.core import url_to_fs

from chuk_fsspec.cli.files.sync_cmd import EXAMPLE
from chuk_fsspec.cli.main import main

SYNC = [sys.executable, "-m", "chuk_fsspec", "sync"]
KILLS = 4


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory ``project`` in the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("README.md", "src/app.py", "src/app.pyc", "docs/a/b.md"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "project"


def test_the_example_of_its_help(project: Path) -> None:
    shutil.copytree(project, "copy")
    Path("copy/src/app.py").write_text("longer than it was")
    script = EXAMPLE.replace("chuk-fsspec", f"{sys.executable} -m chuk_fsspec")
    done = subprocess.run(["bash", "-ec", script], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "copied 4 files" in done.stdout
    assert "would copy nothing" in done.stdout
    assert Path("copy/src/app.py").read_text() == "src/app.py"


def test_what_it_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "project", "copy", "-v"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "A src/app.py" in lines
    assert lines[-1] == "copied 4 files, 4 directories; 52 bytes".replace("52", str(_bytes(project)))
    (project / "README.md").unlink()
    (project / "src/app.py").write_text("new")
    assert main(["sync", "project", "copy", "--delete", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"M src/app.py", "D README.md"} <= set(lines)
    assert "note: 1 removed, 2 the same" in lines
    assert lines[-1] == "would copy 1 files; 3 bytes"
    assert Path("copy/README.md").exists()


def test_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "--json", "-v", "project", "copy"]) == 0
    *steps, report = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert {"act": "make", "path": "src/app.py", "size": 10} in steps
    assert (report["files"], report["unchanged"], report["removed"]) == (4, 0, 0)


def test_what_cannot_be_copied_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("copy/README.md").mkdir(parents=True)
    assert main(["sync", "project", "copy"]) == 1
    assert "README.md: left out: something of another kind" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["missing", "copy"], "No such file or directory"),
        (["project", "project/src"], "lie in one another"),
        (["project", "chukmem://copy"], "would end with this command"),
    ],
)
def test_bad_requests_change_nothing(
    arguments: list[str], problem: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync", *arguments]) == 1
    assert problem in capsys.readouterr().err
    assert not Path("copy").exists()


@pytest.mark.parametrize("target", ["copy", "chuksqlite:///copy::file://{}/w.db"])
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_what_was_interrupted_is_gone_on_with(target: str, ending: signal.Signals, project: Path) -> None:
    choose = random.Random(ending)
    contents = {f"f{number}": choose.randbytes(choose.choice([10, 5_000, 900_000])) for number in range(120)}
    for name, content in contents.items():
        (project / name).write_bytes(content)
    url = target.format(project.parent)
    for _ in range(KILLS):
        process = subprocess.Popen([*SYNC, "project", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(choose.uniform(0.2, 0.7))
        process.send_signal(ending)
        code = process.wait()
        assert code in ({0, -ending} if ending is signal.SIGKILL else {0, 130, -ending})
        for name, content in _found(url).items():
            assert contents.get(name, content) == content, f"{name} is torn"
    assert subprocess.run([*SYNC, "project", url], stdout=subprocess.DEVNULL, check=False).returncode == 0
    found = _found(url)
    assert {name: found[name] for name in contents} == contents


def _found(url: str) -> dict[str, bytes]:
    """The files at the top of a target, which nobody else has open."""
    fs, path = url_to_fs(url if "://" in url else f"file://{os.path.abspath(url)}", skip_instance_cache=True)
    if not fs.isdir(path):
        return {}
    files = [info["name"] for info in fs.ls(path, detail=True) if info["type"] == "file"]
    return {name.rpartition("/")[2]: fs.cat_file(name) for name in files if "/.chuk-" not in name}


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
