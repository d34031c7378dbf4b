"""Whole trees between our filesystems and formats of other programs."""

from chuk_fsspec.transfer.agentfs_export import ExportReport, export_agentfs
from chuk_fsspec.transfer.agentfs_import import ImportReport, import_agentfs
from chuk_fsspec.transfer.report import LeftOut

__all__ = ["ExportReport", "ImportReport", "LeftOut", "export_agentfs", "import_agentfs"]
