"""Questions to the person at the terminal."""

from __future__ import annotations

import sys


def ask(question: str) -> bool:
    """Ask for yes or no on standard error; anything but y or yes, the end of the input included, is no.

    Args:
        question: without a question mark.
    """
    sys.stderr.write(f"{question}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
