"""Basic authentication (RFC 7617) against hashed passwords."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from chuk_adapters.webdav.http.methods import WRITING
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import USER
from chuk_adapters.webdav.users.users import User, Users

_CHALLENGE = ("WWW-Authenticate", 'Basic realm="files", charset="UTF-8"')


class Login:
    """Lets known users in, each with what it may do."""

    def __init__(self, users: Users) -> None:
        self._users = users

    def require(self, environ: dict[str, Any]) -> None:
        """Find out who asks, and leave the name in ``REMOTE_USER``.

        Raises:
            Refusal: 401 without valid credentials, 403 for a change by a user who may only read.
        """
        user = self._user_of(environ.get("HTTP_AUTHORIZATION", ""))
        if user is None:
            raise Refusal(401, "a user name and a password are needed", headers=[_CHALLENGE])
        if user.readonly and environ["REQUEST_METHOD"] in WRITING:
            raise Refusal(403, "this user may change nothing")
        environ[USER] = user.name

    def _user_of(self, header: str) -> User | None:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, separator, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        return self._users.authenticate(name, password) if separator else None
