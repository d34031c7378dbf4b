"""Several filesystems as one tree."""

from chuk_fsspec.mounted.filesystem import MountedFileSystem
from chuk_fsspec.mounted.workspace import open_workspace

__all__ = ["MountedFileSystem", "open_workspace"]
