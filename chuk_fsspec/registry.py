"""Our fsspec protocols: what each is, and where its class is. Reading this table imports none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Protocol:
    """One fsspec protocol of this family.

    Attributes:
        name: what stands before ``://``.
        home: the class, as ``module:name``.
        summary: one line for people.
        volatile: its files end with the process that holds them.
    """

    name: str
    home: str
    summary: str
    volatile: bool = False

    @property
    def wraps(self) -> bool:
        """Whether it is made of other filesystems."""
        return self.home.startswith(("chuk_fsspec.wrappers.", "chuk_fsspec.mounted"))

    def load(self) -> type:
        """Import the class. ImportError, with what to install, where a package is missing."""
        module, _, name = self.home.partition(":")
        found: type = getattr(import_module(module), name)
        return found


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="chukmem",
            home="chuk_fsspec.backends.memory:MemoryFileSystem",
            summary="a whole POSIX filesystem in the memory of one process",
            volatile=True,
        ),
        Protocol(
            name="chuksqlite",
            home="chuk_fsspec.backends.sqlite:SqliteFileSystem",
            summary="a whole POSIX filesystem in one SQLite file, for several processes",
        ),
        Protocol(
            name="chukagentfs",
            home="chuk_fsspec.backends.agentfs:AgentFileSystem",
            summary="the files of an AgentFS database, only read",
        ),
        Protocol(
            name="chukgdrive",
            home="chuk_fsspec.backends.gdrive:GoogleDriveFileSystem",
            summary="a folder of a user's Google Drive",
        ),
        Protocol(
            name="chuklocal",
            home="chuk_fsspec.backends.local:LocalFileSystem",
            summary="a directory of this machine, which nothing leads out of",
        ),
        Protocol(
            name="chuks3",
            home="chuk_fsspec.backends.s3:S3FileSystem",
            summary="the objects of S3, or of whatever speaks its protocol",
        ),
        Protocol(
            name="chukgcs",
            home="chuk_fsspec.backends.gcs:GCSFileSystem",
            summary="the objects of Google Cloud Storage",
        ),
        Protocol(
            name="chuke2b",
            home="chuk_fsspec.backends.e2b:E2BFileSystem",
            summary="the files of an E2B sandbox",
        ),
        Protocol(
            name="chukmount",
            home="chuk_fsspec.mounted:MountedFileSystem",
            summary="several filesystems as one tree",
        ),
        Protocol(
            name="chuksecure",
            home="chuk_fsspec.wrappers.security:SecureFileSystem",
            summary="rules, quotas and hidden paths over any filesystem",
        ),
        Protocol(
            name="chukaudit",
            home="chuk_fsspec.wrappers.audit:AuditFileSystem",
            summary="a record of every operation that shows when somebody changed it",
        ),
        Protocol(
            name="chuksnap",
            home="chuk_fsspec.wrappers.snapshots:SnapshotFileSystem",
            summary="points in time of any filesystem, to look at and to go back to",
        ),
        Protocol(
            name="chukstream",
            home="chuk_fsspec.wrappers.streaming:StreamFileSystem",
            summary="atomic streams of any size",
        ),
        Protocol(
            name="chukstage",
            home="chuk_fsspec.wrappers.staging:StageFileSystem",
            summary="changes that are kept apart until they are committed",
            volatile=True,
        ),
        Protocol(
            name="chukreadonly",
            home="chuk_fsspec.wrappers.readonly:ReadOnlyFileSystem",
            summary="a filesystem that takes no changes",
        ),
    )
}
