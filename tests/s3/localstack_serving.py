"""An S3 server: the provider of LocalStack, without the other services and without what decides between them.

Run as a program, by an interpreter that has what is in localstack.txt, it prints its URL and serves until it is
terminated. One request at a time; what LocalStack does not do of S3, removals on condition, is added.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

HOME = tempfile.TemporaryDirectory(prefix="localstack-")
os.environ |= {"DISABLE_EVENTS": "1", "LOCALSTACK_VOLUME_DIR": HOME.name, "TMPDIR": HOME.name}

from localstack.aws import spec  # noqa: E402 - it reads the environment when it is imported

MODEL = spec.load_service("s3")


class OnlyS3:
    """A catalog that is made at once, where that of LocalStack reads the models of all services."""

    def get(self, name: str, protocol: str | None = None) -> Any:
        return MODEL


spec.get_service_catalog = OnlyS3

from localstack.aws import handlers  # noqa: E402 - they ask for the catalog when they are imported
from localstack.aws.api import ServiceException  # noqa: E402
from localstack.aws.api.s3 import NoSuchKey, PreconditionFailed  # noqa: E402
from localstack.aws.gateway import Gateway  # noqa: E402
from localstack.aws.handlers.service import ServiceRequestRouter  # noqa: E402
from localstack.aws.serving.werkzeug import CustomWSGIRequestHandler  # noqa: E402
from localstack.services.s3.provider import S3Provider  # noqa: E402
from localstack.services.s3.utils import s3_response_handler  # noqa: E402
from rolo.gateway.wsgi import WsgiGateway  # noqa: E402
from werkzeug.serving import ThreadedWSGIServer  # noqa: E402

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Any]


class Provider(S3Provider):
    """Looks at conditions of removals, and at those of copies before the content of the target is another one."""

    def copy_object(self, context: Any, request: Any) -> Any:
        require(self, context, request["Bucket"], request["Key"], request)
        return super().copy_object(context, request)

    def delete_object(self, context: Any, bucket: str, key: str, if_match: str = "", **parameters: Any) -> Any:
        require(self, context, bucket, key, {"IfMatch": if_match})
        return super().delete_object(context, bucket, key, **parameters)


def require(provider: S3Provider, context: Any, bucket: str, key: str, asked: Mapping[str, Any]) -> None:
    """PreconditionFailed, or NoSuchKey, unless what is asked for is there."""
    wanted = asked.get("IfMatch")
    if not wanted and not asked.get("IfNoneMatch"):
        return
    try:
        there = str(provider.head_object(context, {"Bucket": bucket, "Key": key})["ETag"]).strip('"')
    except ServiceException:
        if wanted:
            raise NoSuchKey("The specified key does not exist.", Key=key) from None
        return
    if not wanted or wanted.strip('"') != there:
        raise PreconditionFailed("as S3 has it", Condition="If-Match" if wanted else "If-None-Match")


class InTurn:
    """An application that gets one whole request at a time, and gives the whole reply."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        if len(body) < length:
            start_response("400 Bad Request", [("Content-Length", "0")])
            return []
        environ["wsgi.input"] = io.BytesIO(body)
        with self.lock:
            reply = self.application(environ, start_response)
            try:
                return [b"".join(reply)]
            finally:
                reply.close()  # which is when an object may be written again


class Handler(CustomWSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, *arguments: Any) -> None:
        """Say nothing."""


def ask_s3(chain: Any, context: Any, response: Any) -> None:
    context.service, context.protocol = MODEL, "rest-xml"


def application() -> Application:
    router = ServiceRequestRouter()
    router.add_provider(Provider(), MODEL)
    gateway: Application = WsgiGateway(
        Gateway(
            [
                ask_s3,
                handlers.content_decoder,
                handlers.parse_pre_signed_url_request,
                handlers.inject_auth_header_if_missing,
                handlers.add_region_from_header,
                handlers.add_account_id,
                handlers.parse_service_request,
                router,
            ],
            [s3_response_handler],
            [],
            [handlers.handle_service_exception, handlers.handle_internal_failure],
        )
    )
    return gateway


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that nothing is left in HOME
    server = ThreadedWSGIServer("127.0.0.1", 0, InTurn(application()), handler=Handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
