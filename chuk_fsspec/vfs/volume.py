"""What the parts of the VFS work on together."""

from __future__ import annotations

from dataclasses import dataclass

from chuk_fsspec.vfs.backend import Backend
from chuk_fsspec.vfs.blocks import Blocks
from chuk_fsspec.vfs.spool import SpoolArea
from chuk_fsspec.vfs.table import NodeTable


@dataclass(frozen=True)
class Volume:
    """One filesystem as the VFS sees it.

    Attributes:
        backend: the filesystem itself.
        table: what is known of it.
        spools: where edited content waits.
        read_ahead: most bytes of one request ahead of a program that reads in order.
        blocks: content that was read.
    """

    backend: Backend
    table: NodeTable
    spools: SpoolArea
    read_ahead: int
    blocks: Blocks
