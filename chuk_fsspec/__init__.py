"""chuk-fsspec: filesystems for agents, notebooks and pipelines, as fsspec protocols and as real mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chuk_fsspec.backends.local import LocalFileSystem
    from chuk_fsspec.backends.memory import MemoryFileSystem
    from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
    from chuk_fsspec.contract.errors import PreconditionFailed
    from chuk_fsspec.facade.aio import AsyncVirtualFileSystem
    from chuk_fsspec.facade.shell import SyncVirtualFileSystem, VirtualFileSystem
    from chuk_fsspec.facade.snapshots import AsyncSnapshotManager, SnapshotManager
    from chuk_fsspec.facade.templates import AsyncTemplateLoader
    from chuk_fsspec.mounted import MountedFileSystem
    from chuk_fsspec.templates import TemplateLoader
    from chuk_fsspec.wrappers.audit import AuditFileSystem
    from chuk_fsspec.wrappers.base import WrapperFileSystem
    from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
    from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation
    from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem
    from chuk_fsspec.wrappers.staging import StageConflict, StageFileSystem, stage
    from chuk_fsspec.wrappers.streaming import StreamFileSystem

__version__ = "0.1.0"

_HOMES = {
    "AsyncSnapshotManager": "chuk_fsspec.facade.snapshots",
    "AsyncTemplateLoader": "chuk_fsspec.facade.templates",
    "AsyncVirtualFileSystem": "chuk_fsspec.facade.aio",
    "AuditFileSystem": "chuk_fsspec.wrappers.audit",
    "Capabilities": "chuk_fsspec.contract.capabilities",
    "LocalFileSystem": "chuk_fsspec.backends.local",
    "MemoryFileSystem": "chuk_fsspec.backends.memory",
    "MountedFileSystem": "chuk_fsspec.mounted",
    "PreconditionFailed": "chuk_fsspec.contract.errors",
    "ReadOnlyFileSystem": "chuk_fsspec.wrappers.readonly",
    "SecureFileSystem": "chuk_fsspec.wrappers.security",
    "SecurityViolation": "chuk_fsspec.wrappers.security",
    "SnapshotFileSystem": "chuk_fsspec.wrappers.snapshots",
    "StageConflict": "chuk_fsspec.wrappers.staging",
    "StageFileSystem": "chuk_fsspec.wrappers.staging",
    "SnapshotManager": "chuk_fsspec.facade.snapshots",
    "StreamFileSystem": "chuk_fsspec.wrappers.streaming",
    "SyncVirtualFileSystem": "chuk_fsspec.facade.shell",
    "TemplateLoader": "chuk_fsspec.templates",
    "VirtualFileSystem": "chuk_fsspec.facade.shell",
    "WrapperFileSystem": "chuk_fsspec.wrappers.base",
    "capabilities_of": "chuk_fsspec.contract.capabilities",
    "stage": "chuk_fsspec.wrappers.staging",
}

__all__ = [
    "AsyncSnapshotManager",
    "AsyncTemplateLoader",
    "AsyncVirtualFileSystem",
    "AuditFileSystem",
    "Capabilities",
    "LocalFileSystem",
    "MemoryFileSystem",
    "MountedFileSystem",
    "PreconditionFailed",
    "ReadOnlyFileSystem",
    "SecureFileSystem",
    "SecurityViolation",
    "SnapshotFileSystem",
    "SnapshotManager",
    "StageConflict",
    "StageFileSystem",
    "StreamFileSystem",
    "SyncVirtualFileSystem",
    "TemplateLoader",
    "VirtualFileSystem",
    "WrapperFileSystem",
    "__version__",
    "capabilities_of",
    "stage",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
