"""The fsspec surface of ``chuks3``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chuk_fsspec.backends.s3.options import Access, Use
from chuk_fsspec.backends.s3.probing import conditions_of
from chuk_fsspec.backends.s3.store import make_blocking_store, make_store, uses_obstore
from chuk_fsspec.remote.keys import BucketTrees, KeyFileSystem, KeyTree
from chuk_fsspec.remote.keys.elsewhere import Elsewhere
from chuk_fsspec.remote.waiting import waiting


class S3FileSystem(KeyFileSystem):
    """The objects of S3 as files: of one bucket, or of all, which are then the directories of the root.

    ``chuks3://bucket/a/b.txt`` is the object ``a/b.txt`` of a bucket. With ``bucket_name``, paths are inside of it.
    """

    protocol = "chuks3"

    def __init__(
        self,
        bucket_name: str = "",
        prefix: str = "",
        endpoint_url: str = "",
        region: str = "",
        *,
        key: str = "",
        secret: str = "",
        token: str = "",
        anon: bool = False,
        profile: str = "",
        engine: str = "s3fs",
        posix: bool = False,
        conditions: str = "all",
        part_size: int = 8 << 20,
        parallel: int = 32,
        timeout: float = 60.0,
        attempts: int = 5,
        client_kwargs: Mapping[str, Any] | None = None,
        config_kwargs: Mapping[str, Any] | None = None,
        request_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare; the first request is made when something is asked for.

        Args:
            bucket_name: the bucket that is the root; empty for all buckets.
            prefix: what all keys begin with, a directory of the bucket that is the root; needs ``bucket_name``.
            endpoint_url: of a service that is not Amazon's; empty for ``AWS_ENDPOINT_URL_S3`` or Amazon.
            region: empty for ``AWS_REGION``, ``AWS_DEFAULT_REGION`` or the profile's.
            key: access key; without it credentials are found as the AWS command line finds them. Keys that are given
                travel with a pickled filesystem; those that are found do not.
            secret: of the access key.
            token: of temporary credentials.
            anon: ask without credentials.
            profile: of the AWS configuration files.
            engine: "s3fs", or "obstore" for less work of the processor on small objects.
            posix: keep modes, owners, times and symbolic links in the metadata of objects; listings then ask for each.
            conditions: which conditions the service checks itself: "all", as Amazon does; only those of "writes";
                "none".
            part_size: bytes of one part of an upload, at least 5 MiB; a file has at most 10,000 parts.
            parallel: requests on their way at once.
            timeout: seconds for one attempt.
            attempts: for one request, the first included.
            client_kwargs: for botocore's ``create_client``.
            config_kwargs: for botocore's ``Config``.
            request_kwargs: for every request that knows them, for example ``{"ServerSideEncryption": "AES256"}``.
            kwargs: of every remote filesystem, and fsspec's own.

        Raises:
            ValueError: for options that cannot be.
        """
        if engine == "obstore" and (request_kwargs or config_kwargs):
            raise ValueError("engine='obstore' takes no request_kwargs and no config_kwargs; engine='s3fs' does")
        if engine == "obstore" and (bucket_name.startswith("arn:") or bucket_name.endswith("--x-s3")):
            raise ValueError("engine='obstore' takes no access points by ARN and no directory buckets; 's3fs' does")
        self._access = Access(
            endpoint_url,
            region,
            key,
            secret,
            token,
            anon,
            profile,
            client_kwargs or {},
            config_kwargs or {},
            request_kwargs or {},
        )
        self._use = Use(engine, posix, conditions, part_size, parallel, timeout, attempts)
        super().__init__(bucket_name=bucket_name, prefix=prefix, **kwargs)

    async def _find_conditions(self) -> str:
        """What ``conditions`` is to be for the service, which is not asked for it by itself.

        It writes two objects of new names, and removes them again; about fifteen small requests.

        Returns:
            "all", "writes" or "none".

        Raises:
            ValueError: without ``bucket_name``.
            OSError: nothing can be written into the bucket.
        """
        if not self.bucket_name:
            raise ValueError("conditions are tried in a bucket; name one with bucket_name=")
        return await conditions_of(self.reach().space_of("/"))

    find_conditions = waiting(_find_conditions)

    def _make_store(self) -> KeyTree | BucketTrees:
        return make_store(self._access, self._use, self.bucket_name, self.prefix)

    @property
    def _blocks(self) -> bool:
        return uses_obstore(self._use)

    def _make_blocking_store(self) -> KeyTree | BucketTrees:
        return make_blocking_store(
            Elsewhere(self._ask_service, self._use.timeout), self._use, self.bucket_name, self.prefix
        )
