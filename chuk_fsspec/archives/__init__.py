"""Any filesystem as an archive, and archives of strangers into any filesystem."""

from chuk_fsspec.archives.exporting import ExportReport, export_archive
from chuk_fsspec.archives.importing import ImportReport, import_archive
from chuk_fsspec.archives.limits import ArchiveLimits
from chuk_fsspec.archives.members import Kind, Member
from chuk_fsspec.archives.refusal import ArchiveRefused

__all__ = [
    "ArchiveLimits",
    "ArchiveRefused",
    "ExportReport",
    "ImportReport",
    "Kind",
    "Member",
    "export_archive",
    "import_archive",
]
