"""Python's garbage collector in commands that hold many small objects."""

from __future__ import annotations

import gc


def calm_collector() -> None:
    """Look for cyclic garbage rarely: files make none, and there may be millions of them to look through."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
