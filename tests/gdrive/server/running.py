"""A Google Drive on 127.0.0.1: the API v2 and OAuth, for the unmodified client libraries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.gdrive.server.api import Api, Reply, Request
from tests.gdrive.server.files import Drive, Refusal
from tests.gdrive.server.oauth import CLIENT_ID, CLIENT_SECRET, Accounts


@dataclass(frozen=True)
class Asked:
    """A request that the server has seen."""

    method: str
    path: str
    query: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}" + (" media" if self.query.get("alt") == "media" else "")


class DriveServer:
    """A server that runs, and what is in it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.drive = Drive()
        self.accounts = Accounts()
        self.asked: list[Asked] = []
        self.refusals: list[Refusal] = []
        """Sent instead of replies, to the next requests for files."""
        self.lost_replies: list[bool] = []
        """Of the next requests, which are carried out and have their connection dropped instead of a reply."""
        self.lock = threading.Lock()
        self._api = Api(self.drive)

    @property
    def credentials(self) -> dict[str, Any]:
        """As ``chuk-fsspec gdrive login`` writes them."""
        return {
            "token": self.accounts.new_token(),
            "refresh_token": self.accounts.new_refresh_token(),
            "token_uri": f"{self.address}/token",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scopes": ["https://www.googleapis.com/auth/drive"],
        }

    @property
    def client_secrets(self) -> dict[str, Any]:
        """As Google's console gives them."""
        ends = {"auth_uri": f"{self.address}/auth", "token_uri": f"{self.address}/token"}
        return {"installed": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **ends}}

    @property
    def sessions(self) -> list[str]:
        """The uploads that have begun."""
        return list(self._api.sessions.open)

    @property
    def unfinished(self) -> list[str]:
        """Those of them that hold content, and are neither complete nor cancelled."""
        sessions = self._api.sessions.open
        return [name for name, session in sessions.items() if session.received and session.result is None]

    def lose_reply(self, number: int) -> None:
        """Have no reply to one of the next requests, counted from 1."""
        self.lost_replies[:] = [False] * (number - 1) + [True]

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The requests of a block, as ``GET /drive/v2/files/…``, with identifiers left out."""
        first = len(self.asked)
        told: list[str] = []
        yield told
        told += [_nameless(asked) for asked in self.asked[first:]]

    def answer(self, request: Request) -> Reply | None:
        """The reply to a request; None for a connection that breaks."""
        with self.lock:
            if request.path == "/auth":
                return self.accounts.consent(dict(request.query))
            if request.path == "/token":
                return self.accounts.token(request)
            self.asked.append(Asked(request.method, request.path, dict(request.query)))
            try:
                reply = self._answer(request)
            except Refusal as refusal:
                wait = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
                reply = Reply(refusal.status, refusal.body, headers=wait)
            return None if self.lost_replies and self.lost_replies.pop(0) else reply

    def _answer(self, request: Request) -> Reply:
        if not self.accounts.allows(request.headers.get("authorization", "")):
            raise Refusal(401, "authError", "Invalid Credentials")
        if self.refusals:
            raise self.refusals.pop(0)
        return self._api.answer(request)


def _nameless(asked: Asked) -> str:
    path = asked.path.removeprefix("/upload").removeprefix("/drive/v2/files").strip("/")
    act = path.rpartition("/")[2] if "/" in path or path == "generateIds" else ""
    kind = "upload" if asked.path.startswith("/upload") else "file" if path and not act else "files"
    words = [asked.method, act or ("media" if asked.query.get("alt") == "media" else kind)]
    return " ".join(words)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    state: DriveServer

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        reply = self.state.answer(request) if len(body) == length else None
        if reply is None:
            self.close_connection = True
            return
        content = reply.content if reply.content is not None else json.dumps(reply.value).encode()
        if reply.status == 204:
            content = b""
        self.send_response(reply.status)
        kind = "application/octet-stream" if reply.content is not None else "application/json; charset=UTF-8"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - the names are http.server's


@contextmanager
def drive_server() -> Iterator[DriveServer]:
    """Run a server until the block ends."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        handler.state = DriveServer(f"http://127.0.0.1:{http.server_port}")  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield handler.state  # type: ignore[attr-defined]
        finally:
            http.shutdown()
            thread.join()
