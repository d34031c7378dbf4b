"""An S3 server: moto, with the preconditions that S3 checks and moto does not, one request at a time.

Run as a program it prints its URL, and serves until it is terminated.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qs, unquote

from cheroot.wsgi import Server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends

ALWAYS = b"2010-11-10T20:48:33.000Z"
"""When every upload was begun, if one asks moto; here it is now."""

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

REFUSAL = b"<?xml version='1.0'?><Error><Code>PreconditionFailed</Code><Message>as S3 has it</Message></Error>"


class Strict:
    """An application that answers like S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html"""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        environ["RAW_URI"] = environ["REQUEST_URI"]
        with self.lock:
            if not holds(environ):
                headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(REFUSAL)))]
                start_response("412 Precondition Failed", headers)
                return [REFUSAL]
            reply = b"".join(self.application(environ, start_response))
        return [reply.replace(ALWAYS, datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z").encode())]


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
    server = Server(("127.0.0.1", 0), Strict(DomainDispatcherApplication(create_backend_app)), numthreads=32)
    server.prepare()
    sys.stdout.write(f"http://127.0.0.1:{server.bind_addr[1]}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
