"""Any filesystem as an archive, and archives of strangers into any filesystem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chuk_fsspec.archives.exporting import ExportReport, export_archive
    from chuk_fsspec.archives.importing import ImportReport, import_archive
    from chuk_fsspec.archives.limits import ArchiveLimits
    from chuk_fsspec.archives.members import Kind, Member
    from chuk_fsspec.archives.refusal import ArchiveRefused

_HOMES = {
    "ArchiveLimits": "limits",
    "ArchiveRefused": "refusal",
    "ExportReport": "exporting",
    "ImportReport": "importing",
    "Kind": "members",
    "Member": "members",
    "export_archive": "exporting",
    "import_archive": "importing",
}

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


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: who reads a tar needs no zip."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
