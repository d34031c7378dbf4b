"""One directory made like another, by copying only what differs."""

from chuk_fsspec.transfer.sync.options import SyncOptions
from chuk_fsspec.transfer.sync.report import SyncReport
from chuk_fsspec.transfer.sync.steps import Act, Step
from chuk_fsspec.transfer.sync.syncing import sync

__all__ = ["Act", "Step", "SyncOptions", "SyncReport", "sync"]
