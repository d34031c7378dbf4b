"""An S3 server: moto, with what S3 checks and moto does not: preconditions, and that all of a body has come.

It works at one request at a time.

Run as a program it prints its URL, and serves until it is terminated.
"""

from __future__ import annotations

import io
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs, unquote

from cheroot.wsgi import Server
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import s3_backends

ALWAYS = b"2010-11-10T20:48:33.000Z"
"""When every upload was begun, if one asks moto; here it is now."""

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

INCOMPLETE = ("400 Bad Request", "IncompleteBody")
REFUSED = ("412 Precondition Failed", "PreconditionFailed")


class Strict:
    """An application that answers like S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html"""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        numbered = with_number(start_response)
        if len(body) < length:
            return refuse(numbered, *INCOMPLETE)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["RAW_URI"] = environ["REQUEST_URI"]
        with self.lock:
            if not holds(environ):
                return refuse(numbered, *REFUSED)
            reply = b"".join(self.application(environ, numbered))
        return [reply.replace(ALWAYS, datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z").encode())]


def with_number(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """What begins a reply, with the number of the request by the name that S3 has for it."""

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("x-amz-request-id", uuid.uuid4().hex)], *rest)

    return start


def refuse(start_response: Callable[..., Any], status: str, code: str) -> list[bytes]:
    """The reply that is an error."""
    reply = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as S3 has it</Message></Error>".encode()
    start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(reply)))])
    return [reply]


def holds(environ: Environ) -> bool:
    """Whether the preconditions that moto does not look at are met: those of copies, and If-Match of uploads."""
    copied_from = unquote(environ.get("HTTP_X_AMZ_COPY_SOURCE", "")).lstrip("/")
    is_finish = environ["REQUEST_METHOD"] == "POST" and "uploadId" in parse_qs(environ.get("QUERY_STRING", ""))
    if not copied_from and not is_finish:
        return True
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE_IF_MATCH")
    if source and etag_of(copied_from) not in (None, source.strip('"')):
        return False
    wanted, unwanted = environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")
    there = etag_of(unquote(environ["PATH_INFO"]).lstrip("/")) if wanted or unwanted else None
    return not (wanted and there != wanted.strip('"')) and not (unwanted == "*" and there is not None)


def etag_of(path: str) -> str | None:
    bucket, _, key = path.partition("/")
    backend = s3_backends["123456789012"]["aws"]
    found = backend.get_object(bucket, key) if bucket in backend.buckets else None
    return None if found is None else str(found.etag).strip('"')


def main() -> None:
    server = Server(("127.0.0.1", 0), Strict(create_backend_app("s3")), numthreads=32, timeout=600)
    server.prepare()
    sys.stdout.write(f"http://127.0.0.1:{server.bind_addr[1]}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
