"""Garbage collection closes forgotten files at any moment: also while a lock is held that closing them takes."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_lock_may_be_taken_twice_by_one_thread() -> None:
    sources = [*(ROOT / "chuk_fsspec").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]
    assert len(sources) > 100
    assert not [source for source in sources if "threading.Lock(" in source.read_text(encoding="utf-8")]
