"""``chukstage``: changes that are kept apart until they are committed."""

from chuk_fsspec.wrappers.staging.filesystem import StageFileSystem

__all__ = ["StageFileSystem"]
