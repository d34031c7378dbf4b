"""The application behind its guards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chuk_adapters.webdav.guards.hosts import Hosts
from chuk_adapters.webdav.guards.login import Login
from chuk_adapters.webdav.guards.origins import Origins
from chuk_adapters.webdav.http.answer import Answer, refused
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.statuses import status_line

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Guarded:
    """A WSGI application that only those reach who may.

    Args:
        application: what is guarded. It finds the user in ``REMOTE_USER``, which is missing where there are no users.
        hosts: names that requests may be sent to.
        origins: sites whose pages may send requests.
        login: who may come in; None for anybody.
    """

    def __init__(self, application: Application, hosts: Hosts, origins: Origins, login: Login | None) -> None:
        self._application = application
        self._hosts = hosts
        self._origins = origins
        self._login = login

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        cors = self._origins.headers(environ)
        answer = self._refusal_or_preflight(environ)
        if answer is not None:
            start_response(status_line(answer.status), [*answer.headers, *cors])
            return () if environ["REQUEST_METHOD"] == "HEAD" else answer.body
        if not cors:
            return self._application(environ, start_response)

        def start_with_cors(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, *cors], *rest)

        return self._application(environ, start_with_cors)

    def _refusal_or_preflight(self, environ: dict[str, Any]) -> Answer | None:
        try:
            self._hosts.require(environ)
            self._origins.require(environ)
            preflight = self._origins.preflight(environ)
            if preflight is None and self._login is not None:
                self._login.require(environ)
        except Refusal as refusal:
            return refused(refusal)
        return preflight
