"""What is at a path now that an object was made there."""

from __future__ import annotations

import time

from chuk_fsspec.remote.keys.keystore import Key
from chuk_fsspec.remote.keys.metadata import WRITE_TOKEN
from chuk_fsspec.remote.store import Entry


def written(path: str, key: Key, size: int) -> Entry:
    """What is at a path now; the time is that of this machine where the reply of the service has none."""
    return Entry(path, "file", size=size, mtime=time.time() if key.mtime is None else key.mtime, etag=key.etag)


def is_own(found: Key | None, token: str) -> bool:
    """Whether an object was made by the change that carried a token."""
    return found is not None and found.labels is not None and found.labels.metadata.get(WRITE_TOKEN) == token
