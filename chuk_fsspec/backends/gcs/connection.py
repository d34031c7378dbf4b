"""Requests to Google Cloud Storage, in the session and with the credentials of gcsfs.

gcsfs signs in, renews what expires, and knows certificates and proxies. The requests are made here, because its own
repeat themselves for minutes and forget the status of what failed.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from chuk_fsspec.backends.gcs.errors import ServiceError
from chuk_fsspec.backends.gcs.options import ServiceOptions

API = "/storage/v1/b"
UPLOADS = "/upload/storage/v1/b"
_NO_PROJECT = "buckets belong to a project; give project=, or set GOOGLE_CLOUD_PROJECT"
_METHODS = ("anon", "browser", "cache", "cloud", "google_default")
"""Ways to sign in that gcsfs knows by name."""
_CONNECTING = 30.0
"""Seconds for a new connection. The time of a whole request is measured by ``Calls`` alone."""
_LARGE = 1 << 20
"""Bytes that aiohttp takes at once; of more it warns, and wants them as a file."""

_sessions: weakref.WeakSet[Any] = weakref.WeakSet()
_of_the_parent: list[object] = []
"""After a fork, connections that are kept open here because they are not ours to close."""


def _leave_to_the_parent() -> None:
    """After a fork: gcsfs would close in this process, when it ends, what the parent goes on using."""
    for session in list(_sessions):
        _of_the_parent.append(session.connector)
        session.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


@dataclass(frozen=True)
class Reply:
    """A reply that is no error.

    Attributes:
        status: of HTTP.
        headers: by names in any case.
        body: the content, as it was sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The content as an object."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def quoted(name: str) -> str:
    """The name of a bucket or an object as one part of a path."""
    return quote(name, safe="")


class Connection:
    """The way to the service, for one event loop."""

    def __init__(self, options: ServiceOptions, timeout: float) -> None:
        """Nothing is opened before the first request.

        Args:
            options: where the service is, and who asks.
            timeout: seconds to wait for a reply, or for more of it.
        """
        self.options = options
        self._timeout = timeout
        self._opening: asyncio.Task[Any] | None = None

    async def signed_in(self) -> Any:
        """The gcsfs filesystem whose session and credentials are used. It has opened its session."""
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.ensure_future(_open(self.options, self._timeout))
        return await asyncio.shield(self._opening)

    async def project(self) -> str:
        """The project that owns buckets. ServiceError without one."""
        found = self.options.found_project or (await self.signed_in()).project
        if not found:
            raise ServiceError(400, "required", _NO_PROJECT)
        return str(found)

    async def payer(self) -> dict[str, str]:
        """The query that says who pays, where that is not the owner of the bucket."""
        pays = self.options.requester_pays
        return {"userProject": pays if isinstance(pays, str) else await self.project()} if pays else {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Mapping[str, Any] | bytes | None = None,
        taken: tuple[int, ...] = (),
        stored: bool = False,
    ) -> Reply:
        """Make one request, once.

        Args:
            method: of HTTP.
            url: a path of the service, quoted; or a whole URL that it gave.
            query: names and values, not quoted.
            headers: besides those that say who asks.
            content: bytes, or what is sent as JSON.
            taken: statuses from 300 on that are no error here.
            stored: the content of the reply is wanted as it is stored, be it compressed.

        Raises:
            ServiceError: for a reply that is an error.
            Exception: of aiohttp and google-auth, for no reply.
        """
        import yarl

        fs = await self.signed_in()
        whole = url if url.startswith("http") else f"{fs._location}{url}"  # noqa: SLF001 - its own subclasses do it so
        asked = {**(query or {}), **await self.payer()}
        if asked:
            whole += ("&" if "?" in whole else "?") + urlencode(asked, quote_via=quote)
        sent = dict(headers or {})
        if stored:
            sent["Accept-Encoding"] = "gzip"  # the one way to have compressed objects as they are, in ranges too
        if content is not None and not isinstance(content, bytes):
            sent["Content-Type"] = "application/json; charset=UTF-8"
            content = json.dumps(content).encode()
        body = io.BytesIO(content) if content is not None and len(content) > _LARGE else content
        async with fs.session.request(
            method,
            yarl.URL(whole, encoded=True),
            headers={**await _credentials(fs), **sent},  # in no variable: some tools show those of a traceback
            data=body,
            allow_redirects=False,
            auto_decompress=not stored,
        ) as reply:
            found = await reply.read()
            if reply.status >= 300 and reply.status not in taken:
                raise ServiceError.of_reply(reply.status, reply.headers, found)
            return Reply(reply.status, reply.headers, found)

    async def close(self) -> None:
        """Let go of connections. A second time it does nothing."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        await (await opening).session.close()


async def _credentials(fs: Any) -> dict[str, str]:
    """Headers that say who asks. Renewing credentials waits for Google, in another thread."""
    headers: dict[str, str] = {}
    held = fs.credentials.credentials
    if held is None:
        return headers
    if not held.valid:
        await asyncio.to_thread(fs.credentials.maybe_refresh)
    held.apply(headers)
    return headers


async def _open(options: ServiceOptions, timeout: float) -> Any:
    """A gcsfs filesystem of its own, for this loop, with its session."""
    fs = await asyncio.to_thread(_sign_in, options, timeout)
    _sessions.add(await fs._set_session())  # noqa: SLF001 - as above
    return fs


def _sign_in(options: ServiceOptions, timeout: float) -> Any:
    """A gcsfs filesystem. It may ask Google who we are, and importing it takes its time."""
    from aiohttp import ClientTimeout
    from gcsfs.core import GCSFileSystem

    waits = ClientTimeout(sock_connect=_CONNECTING, sock_read=timeout)
    return GCSFileSystem(
        project="",  # with another one than that of the credentials, it would go on without any
        access=options.access,
        token=_signed_by(options.sign_in),
        endpoint_url=options.endpoint_url or None,
        session_kwargs={"timeout": waits, **options.session_kwargs},
        asynchronous=True,
        skip_instance_cache=True,
    )


def _signed_by(token: Any) -> Any:
    """A token as gcsfs takes it. One that is no file and no method it would show to Google, in the URL of a request."""
    if not isinstance(token, str) or token in _METHODS or os.path.exists(token):
        return token
    from google.oauth2 import credentials

    made: Any = credentials.Credentials
    return made(token)
