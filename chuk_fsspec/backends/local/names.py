"""Names of files that are being written, which nobody but this backend sees, and paths in errors."""

from __future__ import annotations

import errno
import re
import secrets

from chuk_fsspec.contract.errors import LinkInTheWay, PreconditionFailed, os_error

PREFIX = ".chuk-tmp-"

_RESERVED = re.compile(re.escape(PREFIX) + "[0-9a-f]{16}", re.ASCII)


def new_name() -> str:
    """A name for a temporary file."""
    return PREFIX + secrets.token_hex(8)


def is_reserved(name: str) -> bool:
    """Whether a name has exactly the form of a temporary file's."""
    return name.startswith(PREFIX) and _RESERVED.fullmatch(name) is not None


def refuse_reserved(path: str) -> None:
    """EINVAL for a path with a temporary file's name in it."""
    if PREFIX in path and any(is_reserved(name) for name in path.split("/")):
        raise os_error(errno.EINVAL, path, hint="names of this form are kept for temporary files")


class named:  # noqa: N801 - it is used as a statement
    """``with named(path):`` puts the paths that the user knows into errors, in place of what the system was asked."""

    __slots__ = ("path", "path2")

    def __init__(self, path: str | None, path2: str | None = None) -> None:
        self.path = path
        self.path2 = path2

    def __enter__(self) -> None: ...

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, (LinkInTheWay, PreconditionFailed)):
            error.filename = self.path
            if self.path2 is not None:
                error.filename2 = self.path2
            elif error.filename2 is not None:
                del error.filename2  # None would be shown as if it were a path
