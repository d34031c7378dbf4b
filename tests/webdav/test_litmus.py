"""The conformance suite of WebDAV servers, all of it, on every kind of stack."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.webdav.conftest import stack

SUITES = {"basic": 16, "copymove": 13, "props": 30, "locks": 41, "http": 4}


@pytest.mark.skipif(shutil.which("litmus") is None, reason="litmus is not installed")
@pytest.mark.parametrize(
    ("name", "place"),
    [("chukmem", ""), ("chuksqlite", ""), ("chuklocal", ""), ("mounted", ""), ("mounted", "other/"), ("secured", "")],
)
def test_all_of_litmus(chukmem: MemoryFileSystem, tmp_path: Path, name: str, place: str) -> None:
    with WebDAVAdapter(stack(name, chukmem, tmp_path), port=0) as server:
        run = subprocess.run(
            ["litmus", "-k", server.url + place], capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False
        )
    found = re.findall(r"summary for `(\w+)': of (\d+) tests run: (\d+) passed", run.stdout)
    assert {suite: (int(ran), int(passed)) for suite, ran, passed in found} == {
        suite: (count, count) for suite, count in SUITES.items()
    }, run.stdout
    assert "WARNING" not in run.stdout
