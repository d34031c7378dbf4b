"""Requests to S3, by the client that s3fs makes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import s3fs
from botocore.exceptions import ClientError

from chuk_fsspec.backends.s3.errors import BrokenReply, code_of
from chuk_fsspec.backends.s3.options import Access
from chuk_fsspec.backends.s3.session import new_session

Reply = dict[str, Any]

_REMEMBERED = 4096
"""Replies whose numbers are remembered."""


class Client:
    """The connections of one event loop, made when they are first needed. Each request is made once."""

    def __init__(self, access: Access, parallel: int, timeout: float) -> None:
        """A client.

        Args:
            access: who asks, and where.
            parallel: connections at most.
            timeout: seconds to wait for a reply to begin.
        """
        self._access = access
        self._parallel = parallel
        self._timeout = timeout
        self._fs: Any = None
        self._client: Any = None
        self._connecting: asyncio.Lock | None = None
        self._added: dict[str, Reply] = {}
        self._running: Counter[Any] = Counter()
        self._seen: dict[str, bool] = {}

    async def __call__(self, operation: str, **parameters: Any) -> Reply:
        """Make a request.

        Args:
            operation: of botocore's client, for example ``put_object``.
            parameters: of the operation.

        Returns:
            The reply as botocore has it.

        Raises:
            Exception: of botocore or aiohttp.
        """
        client = self._client or await self.connect()
        added = self._added.get(operation)
        if added is None:
            added = self._added[operation] = self._known_to(client, operation)
        self._running[client] += 1
        try:
            reply: Reply = await getattr(client, operation)(**{**added, **parameters})
            self._require_new(client, reply)
            return reply
        except ClientError as error:
            self._require_new(client, error.response)
            raise
        finally:
            self._running[client] -= 1
            if client is not self._client and not self._running[client]:
                await client.close()

    def _require_new(self, client: Any, reply: Mapping[str, Any]) -> None:
        """A reply that came before is none to this request: from here on its connection answers the wrong questions.

        Which connection that is nobody tells, so all requests that follow are made over new ones. One that comes over
        those too is told again by a cache on the way, with the number that it had at first.
        """
        number = reply.get("ResponseMetadata", {}).get("RequestId")
        if not number:
            return
        came_again = self._seen.get(number)
        if came_again:
            return
        self._seen[number] = came_again is not None
        if came_again is not None:
            if self._client is client:
                self._client = None
            if "Body" in reply:
                reply["Body"].close()
            raise BrokenReply("the reply to another request")
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]

    async def connect(self) -> Any:
        """Botocore's client."""
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            if self._client is None:
                self._fs = self._filesystem()
                self._client = await self._fs.set_session()
                self._client.meta.events.register_first("choose-signer.s3", _signed_as_requests_are)
            return self._client

    async def explained(self, error: ClientError, bucket: str) -> ClientError:
        """What a refusal means: that of a HEAD request has no words, and 400 may be anything, an old token above all.

        Args:
            error: of a request about a bucket.
            bucket: its name.

        Returns:
            The error of a request that is refused with words; the same one if that is not refused.
        """
        if code_of(error) == "400":
            try:
                await self("list_objects_v2", Bucket=bucket, MaxKeys=1)
            except ClientError as told:
                return told
        return error

    async def credentials(self) -> tuple[str, str, str | None] | None:
        """Access key, secret and token: those that were given, or that botocore finds; None if there are none."""
        access = self._access
        if access.key:
            return access.key, access.secret, access.token or None
        await self.connect()
        found = await self._fs.session.get_credentials()
        if found is None:
            return None
        frozen = await found.get_frozen_credentials()
        return frozen.access_key, frozen.secret_key, frozen.token

    async def close(self) -> None:
        """Let go of connections. A second time it does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _filesystem(self) -> Any:
        access = self._access
        client_kwargs = dict(access.client_kwargs)
        if access.found_region:
            client_kwargs.setdefault("region_name", access.found_region)
        config = {
            "connect_timeout": self._timeout,
            "max_pool_connections": self._parallel,
            "read_timeout": self._timeout,
            **access.checksums,
            **access.config_kwargs,
            "retries": {"mode": "standard", "total_max_attempts": 1},
        }
        given = {
            "endpoint_url": access.endpoint_url,
            "key": access.key,
            "secret": access.secret,
            "token": access.token,
        }
        return s3fs.S3FileSystem(
            anon=access.anon,
            asynchronous=True,
            client_kwargs=client_kwargs,
            config_kwargs=config,
            session=new_session(access.profile),
            skip_instance_cache=True,
            **{name: value for name, value in given.items() if value},
        )

    def _known_to(self, client: Any, operation: str) -> Reply:
        """Those of the parameters for all requests that one of them knows."""
        name = client.meta.method_to_api_mapping[operation]
        known = client.meta.service_model.operation_model(name).input_shape.members
        return {key: value for key, value in self._access.request_kwargs.items() if key in known}


def _signed_as_requests_are(signature_version: Any, **_: Any) -> str | None:
    """How URLs are signed. Botocore has an older way for old regions, which keys of KMS and access points refuse."""
    is_url = isinstance(signature_version, str) and signature_version.endswith("-query")
    return signature_version if is_url else None
