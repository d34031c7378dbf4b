"""``chukstage``: changes that are kept apart until they are committed."""

from chuk_fsspec.wrappers.staging.conflicts import StageConflict
from chuk_fsspec.wrappers.staging.filesystem import StageFileSystem, stage
from chuk_fsspec.wrappers.staging.undoing import CommitIncomplete

__all__ = ["CommitIncomplete", "StageConflict", "StageFileSystem", "stage"]
