"""The old versions of files, on ``fs.versions`` of filesystems whose service keeps them (capability ``versions``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class FileVersion:
    """A version of a file, or the removal of one.

    Attributes:
        version_id: the service's name for it.
        size: in bytes; 0 for a removal.
        mtime: when it came to be, seconds since the epoch; None if the service does not say.
        etag: as the filesystem shows it; empty for a removal.
        is_latest: whether it is what is there now.
        is_removal: whether the file was removed, which on S3 is a version too.
    """

    version_id: str
    size: int = 0
    mtime: float | None = None
    etag: str = ""
    is_latest: bool = False
    is_removal: bool = False


class Versions(Protocol):
    """Versions of files, each under its path.

    ``open``, ``cat_file``, ``get_file`` and ``info`` take the ``version_id`` of one.
    """

    def list(self, path: str) -> list[FileVersion]:
        """All versions of a file, the latest first; those of a file that was removed too.

        Args:
            path: absolute path or URL.

        Raises:
            OSError: ENOENT if there never was one, or nothing is kept of it.
        """

    def restore(self, path: str, version_id: str) -> str | None:
        """Make a version the latest one, by a copy inside the service, with what is kept besides the content.

        Returns:
            The etag of what is there now.

        Raises:
            OSError: ENOENT for no such version, or one that is a removal.
            ValueError: for an empty name.
        """

    def remove(self, path: str, version_id: str) -> None:
        """Remove one version for good; removing the removal of a file brings the file back.

        Raises:
            OSError: EINVAL for what the service takes for no name. A version that is gone already is fine.
            ValueError: for an empty one.
        """
