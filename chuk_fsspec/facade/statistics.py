"""Figures of a whole filesystem."""

from __future__ import annotations

from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of, names

_MIB = 1024 * 1024


def storage_stats(fs: AbstractFileSystem) -> dict[str, Any]:
    """What is stored; every directory is listed for it.

    Returns:
        ``total_size_bytes``, ``total_size_mb`` (MiB), ``file_count``, ``directory_count`` (the root counts) and
        ``total_nodes``; ``free_bytes`` where the filesystem knows it.
    """
    infos = fs.find("/", withdirs=True, detail=True).values()
    directories = sum(info["type"] == "directory" for info in infos)
    size = sum(int(info["size"] or 0) for info in infos if info["type"] == "file" and not info.get("islink"))
    stats: dict[str, Any] = {
        "total_size_bytes": size,
        "total_size_mb": size / _MIB,
        "file_count": len(infos) - directories,
        "directory_count": directories,
        "total_nodes": len(infos),
    }
    if capabilities_of(fs).statvfs:
        free = fs.posix.statvfs()
        stats["free_bytes"] = free.blocks_free * free.block_size
    return stats


def declared(fs: AbstractFileSystem) -> list[str]:
    """The names of the capabilities that a filesystem declares."""
    can = capabilities_of(fs)
    return [name for name in names() if getattr(can, name)]
