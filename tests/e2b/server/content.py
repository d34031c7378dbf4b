"""The content of files: ``/files`` of a sandbox."""

from __future__ import annotations

import os
import time

from e2b.sandbox.signature import get_signature
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.e2b.server.cloud import Cloud
from tests.e2b.server.control import refusal


class Opened(FileResponse):
    """A file, whatever happens to its name meanwhile: E2B too opens it before it answers."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(f"/dev/fd/{descriptor}", media_type="application/octet-stream")
        self._descriptor = descriptor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._descriptor)


def routes(cloud: Cloud) -> list[Route]:
    """What it answers."""

    async def download(request: Request) -> Response:
        try:
            path = cloud.real(request.query_params["path"])
            if os.path.isdir(path):
                return refusal(400, f"path '{path}' is a directory")
            return Opened(os.open(path, os.O_RDONLY))
        except FileNotFoundError:
            return refusal(404, f"path '{request.query_params['path']}' does not exist")
        except OSError as error:
            return refusal(500, f"error checking if path exists: {error.strerror or error}".lower())

    async def upload(request: Request) -> Response:
        if request.headers.get("content-type") != "application/octet-stream":
            return refusal(400, "unsupported content type")
        try:
            path = cloud.real(request.query_params["path"])
            if os.path.isdir(path):
                return refusal(400, f"path is a directory: {path}")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb", buffering=0) as file:
                os.chown(path, os.getuid(), os.getgid())
                async for piece in request.stream():
                    file.write(piece)
            metadata = metadata_of(request)
            for name, value in metadata.items():
                os.setxattr(path, f"user.e2b.{name}", value.encode())
        except OSError as error:
            return refusal(500, f"error opening file: {error.strerror or error}".lower())
        except ClientDisconnect:
            return refusal(500, "error writing file: unexpected eof")  # what came so far stays, as on E2B
        return JSONResponse([{"path": path, "name": os.path.basename(path), "type": "file", "metadata": metadata}])

    return [Route("/files", download, methods=["GET"]), Route("/files", upload, methods=["POST"])]


def metadata_of(request: Request) -> dict[str, str]:
    """What is to be kept besides the content."""
    prefix = "x-metadata-"
    return {name.removeprefix(prefix): value for name, value in request.headers.items() if name.startswith(prefix)}


def is_signed(cloud: Cloud, request: Request) -> bool:
    """Whether the URL itself says that some sandbox allows it, and for how long."""
    given, until = request.query_params.get("signature"), request.query_params.get("signature_expiration")
    if given is None or request.method != "GET":
        return False
    if until is not None and int(until) < time.time():
        return False
    seconds = None if until is None else int(until) - int(time.time())
    path = request.query_params["path"]
    allowed = [get_signature(path, "read", None, one.token, seconds) for one in cloud.machines.values()]
    return any(one["signature"] == given for one in allowed)
