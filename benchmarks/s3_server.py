"""moto's S3 for benchmarks of ranges: it takes a range out of an object without reading all of it first.

Prints its URL and serves until it is terminated.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from cheroot.wsgi import Server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Ranges:
    """An application that serves plain ranges by itself, and leaves the rest to moto, one at a time."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = _RANGE.fullmatch(environ.get("HTTP_RANGE", ""))
        environ["RAW_URI"] = environ["REQUEST_URI"]
        with self._lock:
            found = _object(environ) if asked and environ["REQUEST_METHOD"] == "GET" else None
            if found is None or asked is None:
                return [b"".join(self._application(environ, start_response))]
            if environ.get("HTTP_IF_MATCH", "").strip('"') not in ("", str(found.etag).strip('"')):
                start_response("412 Precondition Failed", [("Content-Length", "0")])
                return [b""]
            first = int(asked[1])
            stop = min(int(asked[2]) + 1 if asked[2] else found.size, found.size)
            content = found._value_buffer  # noqa: SLF001 - what moto has to show for it reads all
            content.seek(first)
            data: bytes = content.read(stop - first)
        headers = {
            "Content-Length": str(len(data)),
            "Content-Range": f"bytes {first}-{stop - 1}/{found.size}",
            "Content-Type": "binary/octet-stream",
            "ETag": str(found.etag),
            "Last-Modified": found.last_modified_RFC1123,
        }
        start_response("206 Partial Content", list(headers.items()))
        return [data]


def _object(environ: dict[str, Any]) -> Any:
    bucket, _, key = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
    backend = s3_backends["123456789012"]["aws"]
    return backend.get_object(bucket, key) if bucket in backend.buckets else None


def main() -> None:
    """Serve."""
    server = Server(("127.0.0.1", 0), Ranges(DomainDispatcherApplication(create_backend_app)), numthreads=64)
    server.prepare()
    sys.stdout.write(f"http://127.0.0.1:{server.bind_addr[1]}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
