"""A server for files too large to keep: what it is sent is counted, and what it sends is made as it is asked for.

Run as a program it prints its URL, and speaks as much of S3 and of Google Cloud Storage as it takes to send a file in
one request or in parts, and to read one. ``/bucket/pattern/<size>`` is a file of so many bytes, ``piece(start, stop)``
of them. ``/bucket/<key>`` that was sent has a size, and what is read of it is the same pattern.
"""

from __future__ import annotations

import asyncio
import re
import sys
from urllib.parse import parse_qs, unquote, urlsplit

from aiohttp import web

MODIFIED = "Mon, 23 Nov 2026 00:00:00 GMT"
ETAG = '"0123456789abcdef"'
OBJECT = {"name": "k", "bucket": "b", "generation": "1", "timeCreated": "2026-11-23T00:00:00Z"}
_LINE = b"".join(b"%07d\n" % number for number in range(1 << 17))
"""A MiB in which every eight bytes are different."""

_CREATED = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
_FINISHED = "<CompleteMultipartUploadResult><ETag>&quot;0123456789abcdef-9&quot;</ETag></CompleteMultipartUploadResult>"


def piece(start: int, stop: int) -> bytes:
    """Bytes of the pattern, which repeats itself with a MiB less one byte."""
    line = _LINE[:-1]
    place = start % len(line)
    count = (place + stop - start) // len(line) + 1
    return (line * count)[place : place + stop - start]


class Kept:
    """How many bytes were sent, by key."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Whatever is asked."""
        query = parse_qs(urlsplit(str(request.rel_url)).query, keep_blank_values=True)
        key = unquote(request.path.split("/", 2)[-1])
        size = 0
        async for data in request.content.iter_chunked(1 << 20):
            size += len(data)
        google = re.fullmatch(r"/(download/)?storage/v1/b/[^/]+/o/?(.*)", request.path)
        if google is not None and not google[1]:
            return self._described(google[2])
        if google is not None:
            return await self._read(request, google[2])
        if request.path.startswith("/upload/"):
            return self._google(request, query, size)
        if request.method == "PUT":
            self.sizes[key] = self.sizes.get(key, 0) + size if "partNumber" in query else size
            return web.Response(headers={"ETag": ETAG})
        if request.method == "POST":
            if "uploads" in query:
                self.sizes[key] = 0
            return web.Response(text=_CREATED if "uploads" in query else _FINISHED, content_type="application/xml")
        return await self._read(request, key)

    def _google(self, request: web.Request, query: dict[str, list[str]], size: int) -> web.Response:
        """Google's uploads; of those in one request only the size is kept, with what is around the content."""
        if request.method == "POST" and query["uploadType"] == ["resumable"]:
            self.sizes["resumable"] = 0
            return web.Response(headers={"Location": f"{request.scheme}://{request.host}/upload/going/on"})
        self.sizes["resumable"] = arrived = self.sizes.get("resumable", 0) + size
        total = request.headers.get("Content-Range", "").rpartition("/")[2]
        if total == "*":
            return web.Response(status=308, headers={"Range": f"bytes=0-{arrived - 1}"})
        return web.json_response({**OBJECT, "size": total or str(size)})

    def _described(self, key: str) -> web.Response:
        """An object, as Google's JSON API has it; only patterns are there, and lists are empty."""
        if not key:
            return web.json_response({})
        found = re.search(r"pattern/(\d+)$", key)
        if found is None:
            return web.json_response({"error": {"code": 404, "message": "not found"}}, status=404)
        return web.json_response({**OBJECT, "name": key, "size": found[1]})

    async def _read(self, request: web.Request, key: str) -> web.StreamResponse:
        found = re.search(r"pattern/(\d+)$", key)
        size = int(found[1]) if found else self.sizes.get(key, 0)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        stop = min(int(asked[2]) + 1, size) if asked and asked[2] else size
        headers = {"ETag": ETAG, "Last-Modified": MODIFIED, "x-goog-generation": "1"}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        reply = web.StreamResponse(status=206 if asked else 200, headers=headers)
        reply.content_length = stop - start
        await reply.prepare(request)
        for place in range(start, stop if request.method == "GET" else start, 1 << 20):
            await reply.write(piece(place, min(place + (1 << 20), stop)))
        await reply.write_eof()
        return reply


def main() -> None:
    app = web.Application(client_max_size=1 << 40)
    app.router.add_route("*", "/{path:.*}", Kept().answer)

    async def serve() -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
