"""Garbage collection closes forgotten files at any moment: also while a lock is held that closing them takes."""

from __future__ import annotations

from pathlib import Path

import chuk_adapters
import chuk_fsspec

PACKAGES = [Path(directory) for package in (chuk_fsspec, chuk_adapters) for directory in package.__path__]


def test_every_lock_may_be_taken_twice_by_one_thread() -> None:
    sources = [source for package in PACKAGES for source in package.rglob("*.py")]
    assert len(sources) > 100
    assert not [source for source in sources if "threading.Lock(" in source.read_text(encoding="utf-8")]
