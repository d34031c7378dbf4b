"""Paths of the filesystem and paths of the sandbox, and the names of files that are being written."""

from __future__ import annotations

import errno
import re
import secrets
from dataclasses import dataclass

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split

PREFIX = ".chuk-tmp-"
_RESERVED = re.compile(re.escape(PREFIX) + "[0-9a-f]{16}", re.ASCII)


def is_reserved(path: str) -> bool:
    """Whether the last name of a path has exactly the form of a temporary file's."""
    return _RESERVED.fullmatch(path.rpartition("/")[2]) is not None


def require_unicode(text: str, path: str) -> None:
    """EILSEQ for what is no Unicode, in a request about a path."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise os_error(errno.EILSEQ, path, hint="E2B takes names in Unicode only") from None


@dataclass(frozen=True)
class Place:
    """The part of a sandbox that the filesystem shows.

    Attributes:
        root: its directory, absolute and normal; ``/`` for all of the sandbox.
    """

    root: str

    def real(self, path: str) -> str:
        """A path of the filesystem as the sandbox has it. EINVAL for reserved names, EILSEQ for what is no Unicode."""
        if PREFIX in path and any(is_reserved(name) for name in path.split("/")):
            raise os_error(errno.EINVAL, path, hint="names of this form are kept for temporary files")
        require_unicode(path, path)
        return self.joined(path)

    def temporary(self, path: str) -> str:
        """A new name beside a path, as the sandbox has it."""
        return f"{self.real(split(path)[0]).rstrip('/')}/{PREFIX}{secrets.token_hex(8)}"

    def shown(self, real: str) -> str | None:
        """A path of the sandbox as the filesystem has it; None for what lies outside."""
        if self.root == "/":
            return real
        if real == self.root:
            return "/"
        return real[len(self.root) :] if real.startswith(f"{self.root}/") else None

    def joined(self, path: str) -> str:
        """A path of the filesystem as the sandbox has it, whatever it is."""
        if self.root == "/":
            return path
        return self.root if path == "/" else self.root + path
