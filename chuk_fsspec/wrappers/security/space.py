"""What ``statvfs`` tells under a quota."""

from __future__ import annotations

import dataclasses

from chuk_fsspec.contract.limits import Limits
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import StatVfs
from chuk_fsspec.wrappers.security.ledger import Usage

_UNKNOWN = StatVfs(4096, 2**63 // 4096 - 1, 2**63 // 4096 - 1, 2**63 - 1, 2**63 - 1, NAME_MAX)


def within(limits: Limits, used: Usage, figures: StatVfs = _UNKNOWN) -> StatVfs:
    """Figures of a filesystem, cut to what a quota leaves.

    Args:
        limits: the quota.
        used: what is on the books.
        figures: what the filesystem says; by default, one without end.
    """
    size = figures.block_size
    if limits.max_total_size:
        left = max(limits.max_total_size - used.size, 0) // size
        total = -(-limits.max_total_size // size)
        figures = dataclasses.replace(
            figures, blocks=min(figures.blocks, total), blocks_free=min(figures.blocks_free, left)
        )
    if limits.max_files:
        left = max(limits.max_files - used.files, 0)
        figures = dataclasses.replace(
            figures, files=min(figures.files, limits.max_files), files_free=min(figures.files_free, left)
        )
    return figures
