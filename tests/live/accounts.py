"""Accounts at the services themselves, named by environment variables, and an empty place in each for one run."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Account:
    """An account at a service.

    Attributes:
        needed: the variables without which nothing is asked of the service.
        besides: what else it looks at, for the message.
        open: opens the filesystem at a directory of the account; with "", at what holds them all. Further arguments are
            options of the filesystem.
    """

    needed: tuple[str, ...]
    besides: str
    open: Callable[..., Any]

    def reason(self, environment: Mapping[str, str]) -> str:
        """Why nothing can be tested; empty if it can."""
        missing = [name for name in self.needed if not environment.get(name)]
        return f"set {' and '.join(missing)}{self.besides}" if missing else ""

    @contextmanager
    def place(self, **options: Any) -> Iterator[Any]:
        """A filesystem that is empty, and gone after the block with all that is in it."""
        reason = self.reason(os.environ)
        if reason:
            pytest.skip(reason)
        name = f"chuk-live-{uuid.uuid4().hex[:12]}"
        whole, fs = self.open("", **options), self.open(name, **options)
        try:
            yield fs
        finally:
            if whole.exists(f"/{name}"):
                whole.rm(f"/{name}", recursive=True)
            fs.close()
            whole.close()


def open_s3(directory: str, **options: Any) -> Any:
    """A directory of the bucket."""
    from chuk_fsspec.backends.s3 import S3FileSystem

    return S3FileSystem(bucket_name=os.environ["CHUK_LIVE_S3_BUCKET"], prefix=directory, **options)


def open_gcs(directory: str, **options: Any) -> Any:
    """A directory of the bucket."""
    from chuk_fsspec.backends.gcs import GCSFileSystem

    return GCSFileSystem(bucket_name=os.environ["CHUK_LIVE_GCS_BUCKET"], prefix=directory, **options)


def open_gdrive(directory: str, **options: Any) -> Any:
    """A folder in the folder of My Drive that holds these tests; what is removed is not kept in the trash."""
    from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem

    folder = os.environ.get("CHUK_LIVE_GDRIVE_FOLDER", "CHUK live tests")
    return GoogleDriveFileSystem(root_folder=f"{folder}/{directory}".rstrip("/"), use_trash=False, **options)


S3 = Account(
    ("CHUK_LIVE_S3_BUCKET",),
    ", and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or what else the AWS command line finds",
    open_s3,
)
GCS = Account(
    ("CHUK_LIVE_GCS_BUCKET",),
    ", and GOOGLE_APPLICATION_CREDENTIALS or what else gcloud has left on the machine",
    open_gcs,
)
GDRIVE = Account(("GOOGLE_DRIVE_CREDENTIALS",), ", as chuk-fsspec gdrive login has it", open_gdrive)
E2B_NEEDED = "E2B_API_KEY"


@contextmanager
def e2b_place() -> Iterator[Any]:
    """The files of a new sandbox, which is ended after the block, and an hour later should nobody be left to end it."""
    if not os.environ.get(E2B_NEEDED):
        pytest.skip(f"set {E2B_NEEDED}")
    from chuk_fsspec.backends.e2b import E2BFileSystem
    from chuk_fsspec.backends.e2b.filesystem import HOME

    root = os.environ.get("CHUK_LIVE_E2B_DIRECTORY", HOME)
    made = E2BFileSystem(root_dir=root, timeout=3600, skip_instance_cache=True)
    try:
        # Attached to it, so that the arguments say which sandbox it is: pickles and URLs then lead to the same.
        fs = E2BFileSystem(root_dir=root, sandbox_id=made.sandbox_id)
        try:
            yield fs
        finally:
            fs.close()
    finally:
        made.close()
