"""Uploads: in one request with metadata, or resumable (cloud.google.com/storage/docs/performing-resumable-uploads)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from aiohttp import web

from tests.gcs.server.objects import Cloud, RefusedError, check, selected

UNIT = 256 << 10
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass
class Session:
    """A resumable upload. Nobody sees the object before it is complete."""

    bucket: str
    name: str
    properties: Mapping[str, Any]
    query: Mapping[str, str]
    data: bytearray
    done: dict[str, Any] | None = None


class Uploads:
    """The uploads of a server."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.sessions: dict[str, Session] = {}

    @property
    def unfinished(self) -> int:
        """How many sessions hold content, and are neither complete nor cancelled."""
        return sum(session.done is None and bool(session.data) for session in self.sessions.values())

    async def begin(self, request: web.Request) -> web.Response:
        """Begin an upload, or do it in one request. gcsfs sends parts with POST, too, which the service takes."""
        if "upload_id" in request.query:
            return await self.send(request)
        bucket, query, body = request.match_info["bucket"], dict(request.query), await request.read()
        kind = query.get("uploadType")
        if kind == "multipart":
            properties, data = _parts(request.headers["Content-Type"], body)
            name = properties.get("name") or query["name"]
            made = self._cloud.put(bucket, name, data, properties, query)
            return web.json_response(selected(made.resource(), query.get("fields", "")))
        if kind == "media":
            properties = {"contentType": request.headers["Content-Type"]}
            made = self._cloud.put(bucket, query["name"], body, properties, query)
            return web.json_response(selected(made.resource(), query.get("fields", "")))
        if kind != "resumable":
            raise RefusedError(400, "invalid", "no such uploadType")
        properties = json.loads(body or b"{}")
        properties.setdefault("contentType", request.headers.get("X-Upload-Content-Type", "application/octet-stream"))
        name = properties.get("name") or query["name"]
        check(self._cloud.bucket(bucket).objects.get(name), query)
        key = uuid.uuid4().hex
        self.sessions[key] = Session(bucket, name, properties, query, bytearray())
        location = f"http://{request.host}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={key}"
        return web.Response(headers={"Location": location})

    async def send(self, request: web.Request) -> web.Response:
        """A part, or the question how much has arrived."""
        session = self.sessions.get(request.query["upload_id"])
        if session is None:
            raise RefusedError(404, "notFound", "no such upload")
        if session.done is not None:
            return web.json_response(session.done)
        match = _RANGE.fullmatch(request.headers.get("Content-Range", ""))
        body = await request.read()
        if match is None:
            start, total = 0, len(body)
        else:
            start = int(match[1]) if match[1] else len(session.data)
            total = -1 if match[3] == "*" else int(match[3])
        if start > len(session.data):
            raise RefusedError(503, "backendError", "parts come in order")
        session.data[start : start + len(body)] = body
        if total == -1:
            if len(body) % UNIT:
                del session.data[len(session.data) // UNIT * UNIT :]
            return _so_far(session)
        if len(session.data) < total:
            return _so_far(session)
        stored = self._cloud.put(session.bucket, session.name, bytes(session.data), session.properties, session.query)
        session.done = stored.resource()
        session.data.clear()
        return web.json_response(session.done)

    async def cancel(self, request: web.Request) -> web.Response:
        """Give an upload up: 499, as the service has it."""
        session = self.sessions.get(request.query["upload_id"])
        if session is None:
            raise RefusedError(404, "notFound", "no such upload")
        if session.done is None:
            del self.sessions[request.query["upload_id"]]
        return web.Response(status=499)


def _so_far(session: Session) -> web.Response:
    headers = {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
    return web.Response(status=308, headers=headers)


def _parts(content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """Metadata and content of ``multipart/related``."""
    boundary = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode()).get_boundary()
    assert boundary is not None
    _, first, rest = body.split(f"--{boundary}".encode(), 2)
    second, _, _ = rest.rpartition(f"--{boundary}--".encode())
    (_, metadata), (head, data) = _split(first), _split(second)
    properties = json.loads(metadata)
    found = re.search(rb"(?i)content-type:\s*(\S+)", head)
    properties.setdefault("contentType", found[1].decode() if found else "application/octet-stream")
    return properties, re.sub(rb"\r?\n\Z", b"", data, count=1)


def _split(part: bytes) -> tuple[bytes, bytes]:
    """Head and content of a part: whichever line ends it has."""
    match = re.search(rb"\r?\n\r?\n", part)
    assert match is not None
    return part[: match.start()], part[match.end() :]
