"""The notebooks are valid, hold no results of somebody's machine, and run from top to bottom."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.memory import drop_store

FOLDER = Path(__file__).parents[2] / "notebooks"
QUICKSTART = FOLDER / "quickstart.ipynb"

each_notebook = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def fresh_store() -> Iterator[None]:
    drop_store("quickstart")
    yield
    drop_store("quickstart")


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def execute(path: Path) -> dict[str, Any]:
    """Run all cells in one namespace, as a kernel does, and return that."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in code_cells(path):
        exec(compile("".join(cell["source"]), f"{path.name} {cell['id']}", "exec"), names)
    return names


@each_notebook
def test_it_is_a_notebook_without_results(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(names) == len(set(names))
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/fuse")
def test_the_quickstart_runs_without_a_mount(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("chuk_adapters.fuse.kernel.device.DEVICE", "/nowhere/fuse")
    names = execute(QUICKSTART)
    assert names["fs"].cat_file("/notes/today.md") == b"# Today\n"
    assert "this machine does not mount: No such device" in capsys.readouterr().out


@pytest.mark.mount
def test_the_quickstart_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = execute(QUICKSTART)
    if "this machine does not mount" in (output := capsys.readouterr().out):
        pytest.skip(output.strip())
    assert names["fs"].cat_file("/oslo.csv") == b"Oslo,3\nOslo,4\n"
    assert "data" in names["listing"]
    assert os.listdir(tmp_path) == []
