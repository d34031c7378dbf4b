"""Waiting for what happens elsewhere, and says nothing when it does."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE = 0.02


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again; AssertionError if it does not happen in time.

    Args:
        condition: says whether it has happened.
        seconds: more than any busy machine needs, for a test that passes never takes as long.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(_PAUSE)
