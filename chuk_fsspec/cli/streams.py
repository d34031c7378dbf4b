"""The standard streams, which whoever started this program may have closed, or sent where nothing can be written."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any

from chuk_fsspec.cli.output import OutputError
from chuk_fsspec.contract.errors import os_error

_CLOSED = (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)
"""How the null device takes the places of closed streams: of the first two, every use is EBADF."""


def open_streams() -> None:
    """Have three streams that are open, so that no file of ours takes the number of one, and name a failing output."""
    for number, flags in enumerate(_CLOSED):
        if not _is_open(number):
            os.open(os.devnull, flags)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(_Closed(0, closefd=False)))
    sys.stderr = sys.stderr or io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)))
    if sys.platform != "win32":
        sys.stdout = _named_output()


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _named_output() -> io.TextIOWrapper:
    encoding = getattr(sys.stdout, "encoding", "utf-8")
    return io.TextIOWrapper(io.BufferedWriter(_Output(1, "w", closefd=False)), encoding, line_buffering=os.isatty(1))


class _Closed(io.FileIO):
    """Standard input where there is none."""

    def readinto(self, buffer: Any) -> int:
        """Fail. EBADF."""
        raise os_error(errno.EBADF, "standard input")


class _Output(io.FileIO):
    """Standard output, with errors that say so."""

    def write(self, data: Any) -> int:
        """Write bytes. OutputError; BrokenPipeError where the reader has seen enough."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(error.errno, error.strerror, "standard output") from error
