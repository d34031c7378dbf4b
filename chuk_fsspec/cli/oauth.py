"""Tokens for a program on a desktop: the user agrees in a browser, which comes back to this machine.

RFC 6749 (OAuth 2.0), 4.1; RFC 7636 (PKCE); RFC 8252 (native apps), 7.3.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen

from chuk_fsspec.cli.output import CommandError

_SECONDS = 30.0
_THANKS = "<!doctype html><title>chuk-fsspec</title><p>{}</p><p>This window may be closed.</p>"


@dataclass(frozen=True)
class Client:
    """This program, as the service knows it.

    Attributes:
        client_id: its name.
        client_secret: what goes with it, which is no secret in a program that anybody may have (RFC 8252, 8.5).
        auth_uri: where a user agrees.
        token_uri: where tokens come from.
    """

    client_id: str
    client_secret: str
    auth_uri: str
    token_uri: str


def read_client(file: str) -> Client:
    """The client of a file that Google's console gave.

    Raises:
        CommandError: the file is none of those.
        OSError: it cannot be read.
    """
    try:
        told = json.loads(Path(file).read_text(encoding="utf-8"))
        found = told.get("installed") or told["web"]
        return Client(*(str(found[name]) for name in ("client_id", "client_secret", "auth_uri", "token_uri")))
    except (ValueError, KeyError, AttributeError, TypeError):
        raise CommandError(
            f"{file} is no file of client secrets: download it from the Google Cloud console, Credentials, "
            "OAuth 2.0 client ID, application type Desktop app"
        ) from None


def authorize(client: Client, scope: str, show: Callable[[str], None], seconds: float) -> dict[str, Any]:
    """Have a user agree, and get the tokens.

    Args:
        client: who asks.
        scope: for what.
        show: is given the address that the user has to open.
        seconds: how long to wait for the user.

    Returns:
        Credentials as Google's libraries for Python keep them: ``token``, ``refresh_token``, ``client_id`` and others.

    Raises:
        CommandError: the user did not agree in time, or the service did not.
    """
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    with closing(_Callback(state)) as callback:
        asked = {
            "client_id": client.client_id,
            "redirect_uri": callback.address,
            "response_type": "code",
            "scope": scope,
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",
        }
        show(f"{client.auth_uri}?{urlencode(asked)}")
        code = callback.code(seconds)
        granted = _tokens(client, {"code": code, "code_verifier": verifier, "redirect_uri": callback.address})
    if "refresh_token" not in granted:
        raise CommandError(
            "the service gave no refresh token, so this login would end in an hour; run the command again"
        )
    expiry = datetime.now(timezone.utc) + timedelta(seconds=float(granted.get("expires_in", 0)))
    return {
        "token": granted["access_token"],
        "refresh_token": granted["refresh_token"],
        "token_uri": client.token_uri,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "scopes": str(granted.get("scope", scope)).split(),
        "expiry": expiry.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _tokens(client: Client, proof: Mapping[str, str]) -> dict[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        **proof,
    }
    request = Request(client.token_uri, urlencode(form).encode())  # noqa: S310 - the file of client secrets says where
    try:
        with urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310 - likewise
            granted: dict[str, Any] = json.load(reply)
    except HTTPError as error:
        with error:
            raise CommandError(
                f"the service refuses the login: {_reason(error.read())}; run the command again"
            ) from None
    except (URLError, TimeoutError) as error:
        raise CommandError(f"no connection to {urlsplit(client.token_uri).hostname}: {error}") from None
    return granted


def _reason(content: bytes) -> str:
    try:
        told = json.loads(content)
        return ": ".join(str(told[name]) for name in ("error", "error_description") if name in told)
    except ValueError:
        return "an unknown reason"


class _Callback:
    """Where the browser comes back to: an address of this machine that nobody else can guess the state of."""

    def __init__(self, state: str) -> None:
        self._found: dict[str, str] = {}
        found = self._found

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                """Keep the code out of the terminal."""

            def do_GET(self) -> None:
                told = dict(parse_qsl(urlsplit(self.path).query))
                is_ours = secrets.compare_digest(told.get("state", "").encode(), state.encode())
                if is_ours and ("code" in told or "error" in told):
                    found.update(told)
                    words = "You are logged in." if "code" in told else "The login was refused."
                else:
                    words = "This is not the page that you are looking for."
                content = _THANKS.format(words).encode()
                self.send_response(200 if is_ours else 400)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = HTTPServer(("127.0.0.1", 0), Handler)

    def close(self) -> None:
        """Listen no longer."""
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def code(self, seconds: float) -> str:
        """Wait for the browser. CommandError if it does not come, or the user has refused."""
        end = time.monotonic() + seconds
        while not self._found:
            self._server.timeout = end - time.monotonic()
            if self._server.timeout <= 0:
                raise CommandError(f"nobody has agreed within {seconds:g} seconds; run the command again")
            self._server.handle_request()
        if "error" in self._found:
            raise CommandError(f"the login was refused in the browser: {self._found['error']}")
        return self._found["code"]
