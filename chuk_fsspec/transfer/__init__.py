"""Whole trees between filesystems, and between ours and formats of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chuk_fsspec.contract.reports import LeftOut
    from chuk_fsspec.transfer.agentfs_export import ExportReport, export_agentfs
    from chuk_fsspec.transfer.agentfs_import import ImportReport, import_agentfs

_HOMES = {
    "ExportReport": "chuk_fsspec.transfer.agentfs_export",
    "ImportReport": "chuk_fsspec.transfer.agentfs_import",
    "LeftOut": "chuk_fsspec.contract.reports",
    "export_agentfs": "chuk_fsspec.transfer.agentfs_export",
    "import_agentfs": "chuk_fsspec.transfer.agentfs_import",
}

__all__ = ["ExportReport", "ImportReport", "LeftOut", "export_agentfs", "import_agentfs"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: who copies a file needs no database."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
