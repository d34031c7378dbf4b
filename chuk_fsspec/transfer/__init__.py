"""Whole trees between our filesystems and formats of other programs."""

from chuk_fsspec.contract.reports import LeftOut
from chuk_fsspec.transfer.agentfs_export import ExportReport, export_agentfs
from chuk_fsspec.transfer.agentfs_import import ImportReport, import_agentfs

__all__ = ["ExportReport", "ImportReport", "LeftOut", "export_agentfs", "import_agentfs"]
