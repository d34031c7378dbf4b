"""Files of this machine that hold secrets."""

from __future__ import annotations

import os


def write_private(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file, all or nothing; only its owner may read it.

    Args:
        path: of this machine, absolute or from the working directory.
        text: written as UTF-8.

    Raises:
        OSError: what was there stays, and nothing else is left behind.
    """
    temporary = f"{os.fspath(path)}.{os.urandom(6).hex()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        error.filename = os.fspath(path)
        raise
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
