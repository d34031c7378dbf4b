"""Every code block of the documents runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas
import pytest

from chuk_fsspec.backends.memory import drop_store

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return [code for found, code in BLOCK.findall(page.read_text()) if found == language]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language)]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(autouse=True)
def fresh_stores() -> Iterator[None]:
    for name in ("default", "work"):
        drop_store(name)
    yield
    for name in ("default", "work"):
        drop_store(name)


def needs_mount(code: str) -> bool:
    return "mount" in code


def needs_pandas_3(code: str) -> bool:
    return "pd.read_csv" in code and "::" in code


def needs_zarr_3(code: str) -> bool:
    return "import zarr" in code


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")  # dask with pandas 3.1
@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_python_blocks(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of one page run in order, each with names of its own."""
    monkeypatch.chdir(tmp_path)
    for number, code in enumerate(blocks(page, "python"), 1):
        if needs_mount(code) and not os.access("/dev/fuse", os.R_OK | os.W_OK):
            continue
        if needs_pandas_3(code) and pandas.__version__ < "3":
            continue
        if needs_zarr_3(code) and find_spec("zarr") is None:  # it needs Python 3.11
            continue
        exec(compile(code, f"{page.name} block {number}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", pages_with("bash"), ids=name_of)
def test_bash_blocks(page: Path, tmp_path: Path) -> None:
    """The blocks of one page run in order in the root of the repository, as they stand."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    for code in blocks(page, "bash"):
        if needs_mount(code) and not os.access("/dev/fuse", os.R_OK | os.W_OK):
            continue
        if needs_pandas_3(code) and pandas.__version__ < "3":
            continue
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            [bash, "-euo", "pipefail", "-c", code],
            cwd=ROOT,
            env={**os.environ, "PATH": path, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


def test_every_block_says_what_it_is() -> None:
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text(), re.MULTILINE)[::2]
        assert all(language in ("python", "bash", "json", "text") for language in fences), page
        for block in re.findall(r"^```json\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            json.loads(block)


def test_the_picture_of_the_command_line_is_what_its_script_makes(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "record_terminal.py")
    subprocess.run([sys.executable, script, str(tmp_path / "cli.svg")], check=True)
    made = (tmp_path / "cli.svg").read_text()
    assert all(word in made for word in ("main.py", "did&#160;you&#160;mean"))
    assert {*re.findall(r"chuk-fsspec&#160;\w+", made)} == {
        *re.findall(r"chuk-fsspec&#160;\w+", (ROOT / "docs" / "cli.svg").read_text())
    }
