"""The store of ``chuks3``: its parts, put together."""

from __future__ import annotations

import os
from types import ModuleType

from chuk_fsspec.backends.s3.client import Client
from chuk_fsspec.backends.s3.errors import judge
from chuk_fsspec.backends.s3.keys import S3Keys
from chuk_fsspec.backends.s3.options import Access, Use
from chuk_fsspec.backends.s3.service import S3Service
from chuk_fsspec.remote.calling import BlockingCalls, Calls, Patience
from chuk_fsspec.remote.keys import BucketTrees, KeyService, KeyStore, KeyTraits, KeyTree, Names, Space, traits_of
from chuk_fsspec.remote.keys.elsewhere import Elsewhere, ServiceElsewhere

_PID = os.getpid()

_LARGEST_COPY = 1 << 30
"""Bytes that are copied in one request, within its time; S3 itself takes five times as many."""


def make_store(access: Access, use: Use, bucket: str, prefix: str) -> KeyTree | BucketTrees:
    """The objects of a bucket, or all buckets.

    Args:
        access: who asks, and where.
        use: how the service is used.
        bucket: its name; empty for all.
        prefix: of the keys, as ``prefix_of`` has it.

    Returns:
        A store that has made no request.
    """
    service, calls = make_service(access, use)
    return _over(service, calls, use, bucket, prefix)


def make_blocking_store(elsewhere: Elsewhere, use: Use, bucket: str, prefix: str) -> KeyTree | BucketTrees:
    """The same for threads without an event loop, for the engine that has requests which block.

    Args:
        elsewhere: the way to the store of the filesystem's loop.
        use: as for ``make_store``; so are all that follow.
        bucket: its name.
        prefix: of the keys.
    """
    from chuk_fsspec.backends.s3.keys_blocking import BlockingKeys
    from chuk_fsspec.backends.s3.obstore_requests import judge as judge_obstore

    traits = key_traits(use)

    def keys(name: str) -> KeyStore:
        return BlockingKeys(elsewhere, name, traits)

    calls = BlockingCalls(judge_obstore, _patience(use), use.parallel)
    return _over(ServiceElsewhere(elsewhere, keys), calls, use, bucket, prefix)


def _over(service: KeyService, calls: Calls, use: Use, bucket: str, prefix: str) -> KeyTree | BucketTrees:
    traits = traits_of(key_traits(use), keeps_posix=use.posix, parallel_requests=use.parallel)
    if not bucket:
        return BucketTrees(service, calls, traits, keeps_posix=use.posix)
    return KeyTree(Space(service.keys(bucket), calls, Names(prefix=prefix), use.posix), traits, service)


def _patience(use: Use) -> Patience:
    return Patience(timeout=use.timeout, attempts=use.attempts)


def make_service(access: Access, use: Use) -> tuple[S3Service, Calls]:
    """The buckets that are reached, and what makes the requests for them."""
    client = Client(access, use.parallel, use.timeout)
    traits = key_traits(use)
    if uses_obstore(use):
        obstore_keys, obstore_requests = _obstore()

        def keys_by_obstore(bucket: str) -> KeyStore:
            keys: KeyStore = obstore_keys.ObstoreKeys(client, bucket, traits, anon=access.anon, seconds=use.timeout)
            return keys

        return S3Service(client, keys_by_obstore), Calls(obstore_requests.judge, _patience(use), use.parallel)

    def keys(bucket: str) -> KeyStore:
        return S3Keys(client, bucket, traits)

    return S3Service(client, keys), Calls(judge, _patience(use), use.parallel)


def uses_obstore(use: Use) -> bool:
    """Whether requests are made by obstore. After a fork they are not: its threads are the parent's."""
    return use.engine == "obstore" and os.getpid() == _PID


def _obstore() -> tuple[ModuleType, ModuleType]:
    try:
        from chuk_fsspec.backends.s3 import keys_obstore, obstore_requests
    except ImportError as error:
        raise ImportError("engine='obstore' needs obstore: pip install 'chuk-fsspec[s3,obstore]'") from error
    return keys_obstore, obstore_requests


def key_traits(use: Use) -> KeyTraits:
    """What S3 can do, as far as the service that is used does it."""
    return KeyTraits(
        part_size=use.part_size,
        largest_put=use.part_size,
        largest_copy=_LARGEST_COPY,
        lists_labels=False,
        heads_whole=use.engine != "obstore",
        guards_writes=use.conditions != "none",
        guards_all=use.conditions == "all",
    )
