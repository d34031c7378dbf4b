"""The fsspec surface of ``chukgcs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chuk_fsspec.backends.gcs.options import ServiceOptions, Use
from chuk_fsspec.backends.gcs.store import make_store
from chuk_fsspec.remote.keys import BucketTrees, KeyFileSystem, KeyTree


class GCSFileSystem(KeyFileSystem):
    """The objects of Google Cloud Storage as files: of one bucket, or of all, which are then the root's directories.

    ``chukgcs://bucket/a/b.txt`` is the object ``a/b.txt`` of a bucket. With ``bucket_name``, paths are inside of it.
    """

    protocol = "chukgcs"

    def __init__(
        self,
        bucket_name: str = "",
        prefix: str = "",
        project: str = "",
        *,
        token: Any = None,
        access: str = "full_control",
        endpoint_url: str = "",
        location: str = "",
        requester_pays: bool | str = False,
        posix: bool = False,
        part_size: int = 8 << 20,
        parallel: int = 32,
        timeout: float = 60.0,
        attempts: int = 5,
        session_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare; the first request is made when something is asked for.

        Args:
            bucket_name: the bucket that is the root; empty for all buckets.
            prefix: what all keys begin with, a directory of the bucket that is the root; needs ``bucket_name``.
            project: the Google Cloud project, which owns new buckets; empty for ``GOOGLE_CLOUD_PROJECT`` or that of the
                credentials.
            token: as gcsfs has it: a file of credentials, a dictionary, "anon", "google_default", "cloud"; None for
                the first that works. What is given here travels with a pickled filesystem; what is found does not.
            access: "read_only", "read_write" or "full_control".
            endpoint_url: another server than Google's; empty for ``STORAGE_EMULATOR_HOST`` or Google's.
            location: of new buckets, for example "EUROPE-WEST1"; empty for the service's own choice.
            requester_pays: pay for requests to buckets whose owner does not; a string names the project that pays.
            posix: keep modes, owners, times and symbolic links in the metadata of objects.
            part_size: bytes of one part of an upload, a multiple of 256 KiB.
            parallel: requests on their way at once.
            timeout: seconds for one attempt.
            attempts: for one request, the first included.
            session_kwargs: for ``aiohttp.ClientSession``, for example ``{"trust_env": True}``.
            kwargs: of every remote filesystem, and fsspec's own.

        Raises:
            ValueError: for options that cannot be.
        """
        self._service_options = ServiceOptions(
            project, token, access, endpoint_url, location, requester_pays, session_kwargs or {}
        )
        self._use = Use(posix, part_size, parallel, timeout, attempts)
        super().__init__(bucket_name=bucket_name, prefix=prefix, **kwargs)

    def _make_store(self) -> KeyTree | BucketTrees:
        return make_store(self._service_options, self._use, self.bucket_name, self.prefix)
