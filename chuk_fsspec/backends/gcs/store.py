"""The store of ``chukgcs``: its parts, put together."""

from __future__ import annotations

from chuk_fsspec.backends.gcs.connection import Connection
from chuk_fsspec.backends.gcs.errors import judge
from chuk_fsspec.backends.gcs.options import ServiceOptions, Use
from chuk_fsspec.backends.gcs.service import GcsService
from chuk_fsspec.remote.calling import Calls, Patience
from chuk_fsspec.remote.keys import BucketTrees, KeyTree, Names, Space, traits_of


def make_store(options: ServiceOptions, use: Use, bucket: str, prefix: str) -> KeyTree | BucketTrees:
    """The objects of a bucket, or all buckets.

    Args:
        options: where the service is, and who asks.
        use: how it is used.
        bucket: its name; empty for all.
        prefix: of the keys, as ``prefix_of`` has it.

    Returns:
        A store that has made no request.
    """
    service, calls = make_service(options, use)
    keys = service.keys(bucket)
    traits = traits_of(keys.traits, keeps_posix=use.posix, parallel_requests=use.parallel)
    if not bucket:
        return BucketTrees(service, calls, traits, keeps_posix=use.posix)
    return KeyTree(Space(keys, calls, Names(prefix=prefix), use.posix), traits, service)


def make_service(options: ServiceOptions, use: Use) -> tuple[GcsService, Calls]:
    """The buckets that are reached, and what makes the requests for them."""
    calls = Calls(judge, Patience(timeout=use.timeout, attempts=use.attempts), use.parallel)
    return GcsService(Connection(options, use.timeout), use.part_size), calls
