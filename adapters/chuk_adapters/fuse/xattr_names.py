"""Which extended attributes a mount lets through."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import os_error


def allowed(name: str) -> str:
    """The name, unless it is of ``system.``: access lists would be kept without being enforced. ENOTSUP."""
    if name.startswith("system."):
        raise os_error(errno.ENOTSUP, name)
    return name
