"""What `make demo` runs: it does its work, says what it leaves out, and leaves nothing mounted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "scripts/demo.py"
WITH_NPM = os.environ.get("CHUK_TEST_NPM") == "1"
PATIENCE = 280

WITHOUT_FUSE = f"""
import runpy
import chuk_adapters.fuse.kernel.device as device
device.DEVICE = "/nowhere/fuse"
runpy.run_path({str(DEMO)!r}, run_name="__main__")
"""


def start(*arguments: str | Path, scratch: Path, path: str | None = None) -> subprocess.Popen[str]:
    """Start Python; its mount points are made in ``scratch``."""
    environment = {**os.environ, "TMPDIR": str(scratch), "PATH": os.environ["PATH"] if path is None else path}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(demo: subprocess.Popen[str], scratch: Path, code: int = 0) -> str:
    """All that it says; it must end with this exit code and leave neither a mount nor its mount point."""
    with demo:
        output, _ = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == code, output
    assert list(scratch.glob("chuk-demo-*")) == []
    return output


def skip_without_mount(output: str) -> None:
    """Nothing can be tested where nothing can be mounted; the demonstration says why."""
    reasons = [line.strip() for line in output.splitlines() if "skipped every tool on a mount" in line]
    if reasons:
        pytest.skip(reasons[0])


@pytest.mark.mount
@pytest.mark.timeout(300)
def test_it_shows_real_tools_on_a_mount(tmp_path: Path) -> None:
    options = [] if WITH_NPM else ["--no-npm"]
    output = finish(start(DEMO, *options, scratch=tmp_path), tmp_path)
    skip_without_mount(output)
    expected = ["3 passed", "Oslo     7", "chukmem on /", "% /", "unmount", "demo: all steps did what they should"]
    expected += ["WebDAV", "commit_stage", "table.csv  17"]
    if "skipped git" not in output:
        expected.append("Two small projects")
    if WITH_NPM:
        expected += ["error TS2322", "prefer-const", "nothing to say any more", "22.30 EUR"]
    else:
        expected.append("skipped tsc and eslint: --no-npm was given")
    assert [line for line in expected if line not in output] == [], output


@pytest.mark.mount
def test_it_says_which_tools_are_missing_and_does_the_rest(tmp_path: Path) -> None:
    df = shutil.which("df")
    assert df is not None
    (tmp_path / "df").symlink_to(df)
    output = finish(start(DEMO, scratch=tmp_path, path=str(tmp_path)), tmp_path)
    skip_without_mount(output)
    for line in ("skipped git: it is not installed", "skipped tsc and eslint: node is not installed", "3 passed"):
        assert line in output


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/fuse")
def test_without_fuse_it_says_so_and_shows_what_is_possible(tmp_path: Path) -> None:
    output = finish(start("-c", WITHOUT_FUSE, scratch=tmp_path), tmp_path)
    assert "skipped every tool on a mount: No such device: this machine has no FUSE" in output
    assert "report.ts" in output
    assert "demo: all steps did what they should" in output


@pytest.mark.mount
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_cleans_up_when_it_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    with start(DEMO, "--no-npm", scratch=tmp_path) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            skip_without_mount(line)
            if "$ python" in line:
                demo.send_signal(number)
                break
        assert "demo: interrupted; nothing is left mounted" in finish(demo, tmp_path, code=130)
