"""A wrapper that lets everything pass: what the base itself adds and takes away."""

from __future__ import annotations

from chuk_fsspec.wrappers.base import WrapperFileSystem


class PassingFileSystem(WrapperFileSystem):
    """Nothing is refused, and doors and readers go straight through."""

    protocol = "chukpassing"
    passes_nodes = True
    passes_readers = True
