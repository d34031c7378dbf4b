"""Reading a file of a sandbox: as a stream, whole or from one byte to another (RFC 9110, 14.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

import httpx
from e2b.api.client_async import get_envd_api
from e2b.envd.api import ENVD_API_FILE_DOWNLOAD_HTTP_VERSION, ENVD_API_FILES_ROUTE, ahandle_envd_api_exception
from e2b.exceptions import FileNotFoundException

_ERRORS: dict[int, Callable[[str], Exception]] = {int(HTTPStatus.NOT_FOUND): FileNotFoundException}


def client_of(sandbox: Any) -> httpx.AsyncClient:
    """A client for the files of an ``AsyncSandbox``, on the connections that the SDK itself uses for downloads."""
    return get_envd_api(
        sandbox.connection_config, sandbox.envd_api_url, http_version=ENVD_API_FILE_DOWNLOAD_HTTP_VERSION
    )


async def opened(client: httpx.AsyncClient, real: str, user: str, span: str = "") -> httpx.Response:
    """Begin a download; whoever gets the response closes it.

    Args:
        client: of ``client_of``.
        real: a path of the sandbox.
        user: of the sandbox; empty for the one that it has by itself.
        span: which bytes, as HTTP has them; empty for all.

    Raises:
        Exception: of E2B.
    """
    params = {"path": real, "username": user} if user else {"path": real}
    headers = {"Range": f"bytes={span}"} if span else {}
    request = client.build_request("GET", ENVD_API_FILES_ROUTE, params=params, headers=headers, timeout=None)
    response = await client.send(request, stream=True)
    if response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        try:
            await refused(response)
        except BaseException:
            await response.aclose()
            raise
    return response


async def refused(response: httpx.Response) -> None:
    """Raise the error of E2B that a response is, if it is one."""
    error = await ahandle_envd_api_exception(response, _ERRORS)
    if error:
        raise error


async def read_span(
    client: httpx.AsyncClient, real: str, user: str, start: int, stop: int | None, patience: float
) -> bytes:
    """Bytes from ``start`` to before ``stop``; fewer where the file ends. Without ranges, the rest is cut.

    However many there are, the first and each further piece of them comes within ``patience`` seconds.
    """
    span = f"{start}-" if stop is None else f"{start}-{stop - 1}"
    asking = opened(client, real, user, "" if start == 0 and stop is None else span)
    response = await asyncio.wait_for(asking, patience)
    try:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""
        first = start if response.status_code == HTTPStatus.PARTIAL_CONTENT else 0
        data = bytearray()
        async for piece in pieces_of(response, patience):
            data += piece
            if stop is not None and first + len(data) >= stop:
                break
        return bytes(data[start - first : None if stop is None else stop - first])
    finally:
        await response.aclose()


async def pieces_of(response: httpx.Response, patience: float) -> AsyncIterator[bytes]:
    """The rest of a download; each piece comes within ``patience`` seconds."""
    pieces = response.aiter_bytes()
    try:
        while piece := await asyncio.wait_for(anext(pieces, b""), patience):
            yield piece
    finally:
        await response.aclose()
