"""Pickles of open files: one that is read is opened again, one that is written stays where it is."""

from __future__ import annotations

import errno
from typing import Any, NoReturn

from chuk_fsspec.contract.errors import os_error


def reduced(file: Any, fs: Any, options: dict[str, Any], position: int) -> tuple[Any, ...]:
    """What pickles of a file that is open for reading hold (``object.__reduce__``).

    Args:
        file: the file, which has a ``path``, a ``size`` and, where it is known, an ``etag``.
        fs: the filesystem that opens it again.
        options: of ``open``, besides the mode.
        position: in bytes, where it goes on.
    """
    return reopened, (fs, file.path, options, file.etag, file.size, position)


def reopened(fs: Any, path: str, options: dict[str, Any], etag: str | None, size: int | None, position: int) -> Any:
    """Open a file that was pickled, if it still is the same one.

    Args:
        fs: where it is.
        path: absolute and normal.
        options: of ``open``, besides the mode.
        etag: that of the content; None where it was not known.
        size: bytes that it had; None where that was not known.
        position: in bytes.

    Returns:
        The file, open for reading.

    Raises:
        OSError: ESTALE if it was replaced, and those of ``open``.
    """
    file = fs.open(path, "rb", **options)
    if _differ(etag, file.etag) or _differ(size, file.size):
        file.close()
        raise os_error(errno.ESTALE, path, hint="it was replaced after the open file was pickled")
    file.seek(position)
    return file


def refuse_pickling(path: str) -> NoReturn:
    """TypeError: what is written is published once, by the file that was opened."""
    raise TypeError(
        f"{path!r} is open for writing, and such files cannot be pickled or copied: open it where it is used"
    )


def _differ(one: Any, other: Any) -> bool:
    return one is not None and other is not None and one != other
