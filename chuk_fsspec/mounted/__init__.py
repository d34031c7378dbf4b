"""Several filesystems as one tree."""

from chuk_fsspec.mounted.filesystem import MountedFileSystem

__all__ = ["MountedFileSystem"]
