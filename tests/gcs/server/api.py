"""The JSON API of Google Cloud Storage (cloud.google.com/storage/docs/json_api), as far as files need it.

Downloads are those of the XML API, and there are batches. Preconditions are checked in the step that makes a change.
"""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import web

from tests.gcs.server.objects import Cloud, RefusedError, Stored, selected
from tests.gcs.server.uploads import Uploads

_OBJECT = "/storage/v1/b/{bucket}/o/{name}"


def application(cloud: Cloud, uploads: Uploads) -> web.Application:
    """The server's application."""
    api = _Api(cloud)
    app = web.Application(middlewares=[_refusals], client_max_size=1 << 30)
    app.router.add_get("/storage/v1/b", api.list_buckets)
    app.router.add_post("/storage/v1/b", api.make_bucket)
    app.router.add_get("/storage/v1/b/{bucket}", api.get_bucket)
    app.router.add_delete("/storage/v1/b/{bucket}", api.remove_bucket)
    app.router.add_patch("/storage/v1/b/{bucket}", api.patch_bucket)
    app.router.add_get("/storage/v1/b/{bucket}/o", api.list_objects)
    app.router.add_post(f"{_OBJECT}/rewriteTo/b/{{bucket2}}/o/{{name2}}", api.rewrite)
    app.router.add_post(f"{_OBJECT}/moveTo/o/{{name2}}", api.move)
    app.router.add_get(_OBJECT, api.get_object)
    app.router.add_patch(_OBJECT, api.patch_object)
    app.router.add_delete(_OBJECT, api.remove_object)
    app.router.add_get("/download" + _OBJECT, api.get_object)
    app.router.add_post("/upload/storage/v1/b/{bucket}/o", uploads.begin)
    app.router.add_put("/upload/storage/v1/b/{bucket}/o", uploads.send)
    app.router.add_delete("/upload/storage/v1/b/{bucket}/o", uploads.cancel)
    app.router.add_post("/batch/storage/v1", api.batch)
    app.router.add_get("/{bucket}/{name:.+}", api.download)
    app.router.add_put("/{bucket}/{name:.+}", api.put_signed)
    return app


@web.middleware
async def _refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if "X-Goog-Signature" not in request.query and request.headers.get("Authorization", "Bearer ") == "Bearer wrong":
        return _refusal(RefusedError(401, "authError", "Invalid Credentials"))
    try:
        return await handler(request)
    except RefusedError as error:
        return _refusal(error)


def _refusal(error: RefusedError) -> web.Response:
    return web.json_response(_error_body(error), status=error.status)


def _error_body(error: RefusedError) -> dict[str, Any]:
    errors = [{"domain": "global", "reason": error.reason, "message": str(error)}]
    return {"error": {"code": error.status, "message": str(error), "errors": errors}}


class _Api:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._rewrites: dict[tuple[str | None, str, bytes], int] = {}

    async def list_buckets(self, request: web.Request) -> web.Response:
        if not request.query.get("project"):
            raise RefusedError(400, "required", "Required parameter: project")
        return web.json_response({"items": [bucket.resource() for bucket in self._cloud.buckets()]})

    async def make_bucket(self, request: web.Request) -> web.Response:
        if not request.query.get("project"):
            raise RefusedError(400, "required", "Required parameter: project")
        asked = await request.json()
        return web.json_response(self._cloud.make_bucket(asked["name"], asked.get("location", "")).resource())

    async def get_bucket(self, request: web.Request) -> web.Response:
        return web.json_response(self._cloud.bucket(request.match_info["bucket"]).resource())

    async def remove_bucket(self, request: web.Request) -> web.Response:
        self._cloud.remove_bucket(request.match_info["bucket"])
        return web.Response(status=204)

    async def patch_bucket(self, request: web.Request) -> web.Response:
        bucket = self._cloud.bucket(request.match_info["bucket"])
        bucket.versioned = (await request.json())["versioning"]["enabled"]
        return web.json_response(bucket.resource())

    async def list_objects(self, request: web.Request) -> web.Response:
        found = _listing(self._cloud, request.match_info["bucket"], request.query)
        return web.json_response(selected(found, request.query.get("fields", "")))

    async def get_object(self, request: web.Request) -> web.Response:
        found = self._cloud.get(*_names(request), request.query)
        return _media(request, found) if request.query.get("alt") == "media" else web.json_response(found.resource())

    async def download(self, request: web.Request) -> web.Response:
        bucket, name = _names(request)
        asked = request.headers.get("x-goog-if-generation-match")
        query = {**request.query, **({"ifGenerationMatch": asked} if asked else {})}
        return _media(request, self._cloud.get(bucket, name, query))

    async def put_signed(self, request: web.Request) -> web.Response:
        if "X-Goog-Signature" not in request.query:
            raise RefusedError(403, "forbidden", "anonymous")
        self._cloud.put(*_names(request), await request.read(), {}, {})
        return web.Response()

    async def patch_object(self, request: web.Request) -> web.Response:
        changes = await request.json()
        return web.json_response(self._cloud.patch(*_names(request), changes, request.query).resource())

    async def remove_object(self, request: web.Request) -> web.Response:
        self._cloud.remove(*_names(request), request.query)
        return web.Response(status=204)

    async def rewrite(self, request: web.Request) -> web.Response:
        names = request.match_info
        body = await request.read()
        target = (names["bucket2"], names["name2"])
        calls = self._rewrites.pop((request.query.get("rewriteToken"), request.path, body), 0) + 1
        if calls < self._cloud.rewrite_calls:
            token = secrets.token_hex(8)
            self._rewrites[token, request.path, body] = calls
            return web.json_response({"kind": "storage#rewriteResponse", "done": False, "rewriteToken": token})
        copied = self._cloud.copy(_names(request), target, json.loads(body) if body else None, request.query)
        return web.json_response({"kind": "storage#rewriteResponse", "done": True, "resource": copied.resource()})

    async def move(self, request: web.Request) -> web.Response:
        """Give an object another name in the same bucket."""
        bucket, name = _names(request)
        moved = self._cloud.copy((bucket, name), (bucket, request.match_info["name2"]), None, request.query)
        self._cloud.remove(bucket, name, {})
        return web.json_response(moved.resource())

    async def batch(self, request: web.Request) -> web.Response:
        """Removals, each as an HTTP message in a part of its own."""
        boundary = request.headers["Content-Type"].partition("boundary=")[2].strip('"')
        parts = (await request.read()).split(f"--{boundary}".encode())[1:-1]
        if len(parts) > 100:
            raise RefusedError(400, "invalid", "The batch request has more than 100 calls.")
        answers = [_answer(part, self._remove_from_batch(part)) for part in parts]
        body = b"".join(b"--answer\r\n" + answer for answer in answers) + b"--answer--\r\n"
        return web.Response(body=body, headers={"Content-Type": "multipart/mixed; boundary=answer"})

    def _remove_from_batch(self, part: bytes) -> RefusedError | None:
        line = next(line for line in part.decode().splitlines() if line.startswith("DELETE "))
        target = urlsplit(line.split(" ")[1])
        *_, bucket, _, name = target.path.split("/")
        try:
            self._cloud.remove(unquote(bucket), unquote(name), dict(parse_qsl(target.query)))
        except RefusedError as error:
            return error
        return None


def _answer(part: bytes, refused: RefusedError | None) -> bytes:
    number = next(line for line in part.decode().splitlines() if line.lower().startswith("content-id")).partition(":")
    content = b"" if refused is None else json.dumps(_error_body(refused)).encode()
    head = (
        f"Content-Type: application/http\r\nContent-ID: <response-{number[2].strip().strip('<>')}>\r\n\r\n"
        f"HTTP/1.1 {'204 No Content' if refused is None else f'{refused.status} {refused.reason}'}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["bucket"], request.match_info["name"]


def _media(request: web.Request, found: Stored) -> web.Response:
    """The content, or a range of it (RFC 9110, 14). Pages are compressed on their way for whoever takes that."""
    encoding = found.properties.get("contentEncoding", "")
    headers = {
        "x-goog-stored-content-encoding": encoding or "identity",
        "x-goog-generation": str(found.generation),
        "x-goog-metageneration": str(found.metageneration),
        "x-goog-stored-content-length": str(len(found.data)),
        "Content-Type": found.properties.get("contentType", "application/octet-stream"),
        **{f"x-goog-meta-{name}": value for name, value in found.properties.get("metadata", {}).items()},
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    elif headers["Content-Type"] == "text/html" and "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=gzip.compress(found.data), headers={**headers, "Content-Encoding": "gzip"})
    try:
        asked = request.http_range
    except ValueError:
        raise RefusedError(416, "requestedRangeNotSatisfiable") from None
    if asked.start is None and asked.stop is None:
        return web.Response(body=found.data, headers=headers)
    size = len(found.data)
    start, stop, _ = asked.indices(size)
    if start >= size:
        raise RefusedError(416, "requestedRangeNotSatisfiable", f"bytes */{size}")
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return web.Response(status=206, body=found.data[start:stop], headers=headers)


def _listing(cloud: Cloud, bucket: str, query: Mapping[str, str]) -> dict[str, Any]:
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    most, after = min(int(query.get("maxResults", 1000)), 1000), query.get("pageToken", "")
    if query.get("versions") == "true":
        kept = cloud.bucket(bucket)
        every = [one for one in (*kept.objects.values(), *kept.old) if one.name.startswith(prefix)]
        return {"items": [one.resource() for one in sorted(every, key=lambda one: (one.name, one.generation))]}
    shown: dict[str, Stored | None] = {}
    for name, one in sorted(cloud.bucket(bucket).objects.items(), key=lambda item: item[0].encode()):
        if not name.startswith(prefix):
            continue
        below = name[len(prefix) :]
        cut = below.find(delimiter) if delimiter else -1
        common = prefix + below[: cut + len(delimiter)] if cut >= 0 else ""
        if (common or name).encode() > after.encode():
            shown.setdefault(common or name, None if common else one)
    chosen = list(shown.items())[:most]
    page: dict[str, Any] = {"kind": "storage#objects"}
    if items := [one.resource() for _, one in chosen if one is not None]:
        page["items"] = items
    if prefixes := [name for name, one in chosen if one is None]:
        page["prefixes"] = prefixes
    if len(shown) > most:
        page["nextPageToken"] = chosen[-1][0]
    return page
