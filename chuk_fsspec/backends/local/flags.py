"""Flags of open(2), those of other systems too: what one does not have is 0."""

from __future__ import annotations

import os

O_PATH = getattr(os, "O_PATH", 0)
O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
O_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
O_TMPFILE = getattr(os, "O_TMPFILE", 0)
O_NOATIME = getattr(os, "O_NOATIME", 0)
QUIETLY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
"""Open without waiting for anybody, without taking a terminal, and not for programs started from here."""
