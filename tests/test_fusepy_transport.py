"""A chukmem mounted through libfuse behaves as one mounted through the kernel's own protocol does."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import Mount, MountOptions, mount
from chuk_adapters.fuse.fusepy.transport import NAMES_TIMEOUT, load_library
from chuk_fsspec import MemoryFileSystem

pytest.importorskip("mfusepy", reason="mfusepy or libfuse is not installed", exc_type=(ImportError, OSError))  # type: ignore[arg-type]
