"""The tables of all backends are what the backends declare."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the E2B SDK needs Python 3.11")
def test_the_tables_are_what_is_declared() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "backends_tables.py")]
    tables = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    again = "run: python scripts/backends_tables.py docs/backends.md"
    assert tables in (ROOT / "docs" / "backends.md").read_text(), again
