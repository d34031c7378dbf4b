"""OAuth 2.0 for programs on a desktop: a page of consent that always agrees, and tokens (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from tests.gdrive.server.api import Reply, Request

CLIENT_ID, CLIENT_SECRET = "desktop.apps.example", "known-to-the-client"


@dataclass(frozen=True)
class _Asked:
    """What the page of consent was asked for."""

    redirect_uri: str
    challenge: str
    scope: str


class Accounts:
    """Who may do what, and until when."""

    def __init__(self, lifetime: float = 3600.0) -> None:
        self.lifetime = lifetime
        self.refusing = False
        self.refresh_tokens: set[str] = set()
        self._codes: dict[str, _Asked] = {}
        self._tokens: dict[str, float] = {}

    def new_refresh_token(self) -> str:
        made = f"1//{uuid.uuid4().hex}"
        self.refresh_tokens.add(made)
        return made

    def new_token(self) -> str:
        made = f"ya29.{uuid.uuid4().hex}"
        self._tokens[made] = time.time() + self.lifetime
        return made

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def allows(self, authorization: str) -> bool:
        return self._tokens.get(authorization.removeprefix("Bearer "), 0.0) > time.time()

    def consent(self, query: dict[str, str]) -> Reply:
        """What the browser gets after the user has agreed: a way back with a code."""
        back = {"state": query["state"]}
        if self.refusing:
            back["error"] = "access_denied"
        else:
            assert query["response_type"] == "code"
            assert query["client_id"] == CLIENT_ID
            assert query["code_challenge_method"] == "S256"
            back["code"] = uuid.uuid4().hex
            self._codes[back["code"]] = _Asked(query["redirect_uri"], query["code_challenge"], query["scope"])
        return Reply(302, content=b"", headers={"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def token(self, request: Request) -> Reply:
        """Tokens for a code or for a refresh token."""
        told = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if (told.get("client_id"), told.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(401, {"error": "invalid_client"})
        granted = {"access_token": "", "expires_in": int(self.lifetime), "token_type": "Bearer"}
        if told.get("grant_type") == "refresh_token":
            if told.get("refresh_token") not in self.refresh_tokens:
                return Reply(400, {"error": "invalid_grant", "error_description": "Token has been revoked."})
        else:
            asked = self._codes.pop(told.get("code", ""), None)
            if asked is None or not _proves(asked, told):
                return Reply(400, {"error": "invalid_grant", "error_description": "Malformed auth code."})
            granted |= {"refresh_token": self.new_refresh_token(), "scope": asked.scope}
        return Reply(value=granted | {"access_token": self.new_token()})


def _proves(asked: _Asked, told: dict[str, str]) -> bool:
    digest = hashlib.sha256(told.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (asked.challenge, asked.redirect_uri) == (challenge, told.get("redirect_uri"))
