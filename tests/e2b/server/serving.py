"""The service as a whole, on a free port of this machine, which the unmodified SDK speaks to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import uvicorn
from e2b.envd.filesystem.filesystem_connect import FilesystemASGIApplication
from e2b.envd.process.process_connect import ProcessASGIApplication
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send

from tests.e2b.server import content, control, processes
from tests.e2b.server.cloud import Cloud, NotFoundHereError
from tests.e2b.server.files import Files
from tests.e2b.server.processes import Processes


class Door:
    """Stands before everything, as E2B's proxy does: counts, and lets nobody in to a sandbox that does not run."""

    def __init__(self, cloud: Cloud, inside: Any) -> None:
        self._cloud, self._inside = cloud, inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self._cloud.requests[f"{request.method} {request.url.path}"] += 1
        answer = None if "sandboxes" in request.url.path else self._refusal(request)

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(time.time() + self._cloud.ahead, usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        await (answer or self._inside)(scope, receive, send_dated)

    def _refusal(self, request: Request) -> Response | None:
        refusal = self._cloud.refusal_of(request.url.path)
        if refusal is not None:
            return control.refusal(refusal.status, refusal.message)
        if content.is_signed(self._cloud, request):
            return None
        try:
            self._cloud.running(request.headers.get("e2b-sandbox-id", ""), request.headers.get("x-access-token", ""))
        except NotFoundHereError:
            return control.refusal(502, "The sandbox was not found")
        except PermissionError as error:
            return control.refusal(401, str(error))
        return None


def application(cloud: Cloud) -> Door:
    """What answers."""

    async def health(request: Request) -> Response:
        return Response(status_code=204)

    files, commands = FilesystemASGIApplication(Files(cloud)), ProcessASGIApplication(Processes())
    inside = Starlette(
        routes=[
            *control.routes(cloud),
            *content.routes(cloud),
            *processes.routes(),
            Route("/health", health),
            Mount(files.path, Prefixed(files)),
            Mount(commands.path, Prefixed(commands)),
        ]
    )
    return Door(cloud, inside)


class Prefixed:
    """An application that knows its own full paths, below a mount that would take their beginning away."""

    def __init__(self, inside: Any) -> None:
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._inside({**scope, "root_path": ""}, receive, send)


@contextmanager
def serving(root: Path) -> Iterator[tuple[Cloud, str]]:
    """Serve until the block ends; gives what the service knows, and its URL."""
    cloud = Cloud(root)
    # With its protocol said, asyncio sends answers at once, and not when the client has acknowledged their heads.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    # As long as clients keep theirs: a connection that is closed when a request comes over it loses that.
    config = uvicorn.Config(
        application(cloud), log_level="warning", lifespan="off", date_header=False, timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: server.run([listening]), name="e2b service")
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield cloud, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join()
        listening.close()
