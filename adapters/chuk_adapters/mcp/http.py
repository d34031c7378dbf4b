"""Serving over streamable HTTP."""

from __future__ import annotations

import hmac
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any

from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chuk_adapters.hosts import is_loopback

log = logging.getLogger("chuk_adapters.mcp")

PATH = "/mcp"
"""Where the server is, below its host."""

SESSION_SECONDS = 1800.0
MAX_SESSIONS = 256

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_LARGEST_REQUEST = 32 * 1024 * 1024
_SECONDS_TO_END = 5


def run_http(
    server: Server[Any],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str = "",
    allowed_hosts: Sequence[str] = (),
    session_seconds: float = SESSION_SECONDS,
    max_sessions: int = MAX_SESSIONS,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve over streamable HTTP until a signal ends it.

    Only requests are answered whose Host names this server, and whose Origin, if there is one, is a page of it: a page
    of somebody else in the browser of the user cannot use the server (DNS rebinding).

    Args:
        server: from ``mcp_server``.
        host: the address to listen at.
        port: 0 for a free one.
        token: that clients have to send as ``Authorization: Bearer``; "" for none, at a loopback address.
        allowed_hosts: more names by which clients may call this server.
        session_seconds: for which a client may have no request on its way, and no stream open, until its session ends,
            and with it the stage and the mount that it has begun.
        max_sessions: how many there may be at once; whoever wants to begin another one is refused (503).
        ready: is told the URL when clients may come.

    Raises:
        ValueError: for an address that others reach, without a token; for numbers that are not above 0.
        OSError: of the address.
    """
    if not token and not is_loopback(host):
        raise ValueError(f"{host} can be reached from outside, so a token is needed; or listen at 127.0.0.1")
    import uvicorn  # which a server on standard input and output need not wait for

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=128) as listening:
        name = f"[{host}]" if ":" in host else host
        app: ASGIApp = server.streamable_http_app(
            streamable_http_path=PATH,
            transport_security=_security((*_LOOPBACK, name, *_own_names(host), *allowed_hosts)),
            max_request_body_size=_LARGEST_REQUEST,
            session_idle_timeout=session_seconds,
            max_sessions=max_sessions,
        )
        config = uvicorn.Config(
            _WithToken(app, token) if token else app,
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        if ready is not None:
            ready(f"http://{name}:{listening.getsockname()[1]}{PATH}")
        uvicorn.Server(config).run(sockets=[listening])


def _own_names(host: str) -> tuple[str, ...]:
    """The names of this machine, where it listens at all of its addresses."""
    return (socket.gethostname(), socket.getfqdn()) if host in ("0.0.0.0", "::") else ()  # noqa: S104 - a comparison


def _security(names: Sequence[str]) -> TransportSecuritySettings:
    hosts = [one for name in dict.fromkeys(names) for one in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    return TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins)


class _WithToken:
    """Answers nobody who does not know the token (RFC 6750)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not hmac.compare_digest(given, self._expected):
                refusal = PlainTextResponse("a token is needed", 401, {"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
