"""Who asks: credentials in the forms in which they are found, as PyDrive2 takes them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from oauth2client.client import OAuth2Credentials
from oauth2client.service_account import ServiceAccountCredentials
from pydrive2.auth import GoogleAuth

VARIABLE = "GOOGLE_DRIVE_CREDENTIALS"
SCOPE = "https://www.googleapis.com/auth/drive"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_LOGIN = "run: chuk-fsspec gdrive login --client-secrets FILE"
_AGENT = "chuk-fsspec"

Credentials = Mapping[str, Any] | str | os.PathLike[str] | None
"""What ``chuk-fsspec gdrive login`` writes: as a mapping, as its JSON, or as the file of this machine that has it."""


def authenticate(credentials: Credentials, timeout: float) -> GoogleAuth:
    """PyDrive2's authentication. No request is made.

    Args:
        credentials: those of a user or of a service account; None for those in GOOGLE_DRIVE_CREDENTIALS.
        timeout: seconds that one request may take.

    Raises:
        OSError: the file cannot be read.
        ValueError: what was found are no credentials; nothing of it is in the message.
    """
    told = _read(credentials)
    auth = GoogleAuth(settings_file=None, http_timeout=timeout)
    auth.credentials = _service_account(told) if told.get("type") == "service_account" else _user(told)
    return auth


def _read(credentials: Credentials) -> Mapping[str, Any]:
    if credentials is None:
        credentials = os.environ.get(VARIABLE)
        if not credentials:
            raise ValueError(f"no credentials: pass credentials=, or set {VARIABLE}; to get them, {_LOGIN}")
    if isinstance(credentials, Mapping):
        return credentials
    text = os.fspath(credentials)
    if not text.lstrip().startswith("{"):
        with open(text, encoding="utf-8") as file:
            text = file.read()
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError(f"the credentials are no JSON; to get them, {_LOGIN}") from None
    if not isinstance(found, Mapping):
        raise ValueError(f"the credentials are no JSON object; to get them, {_LOGIN}")
    return found


def _user(told: Mapping[str, Any]) -> OAuth2Credentials:
    """Of Google's own libraries (``token``), or as PyDrive2 saves them (``access_token``)."""
    token = told.get("token") or told.get("access_token")
    refresh = [told.get(name) for name in ("refresh_token", "client_id", "client_secret")]
    if not token and not all(refresh):
        raise ValueError(
            f"the credentials have no token, nor refresh_token, client_id and client_secret; to get them, {_LOGIN}"
        )
    return OAuth2Credentials(
        token,
        told.get("client_id"),
        told.get("client_secret"),
        told.get("refresh_token"),
        None,  # an old token is refused by the service, and renewed then
        told.get("token_uri") or TOKEN_URI,
        _AGENT,
    )


def _service_account(told: Mapping[str, Any]) -> ServiceAccountCredentials:
    try:
        return ServiceAccountCredentials.from_json_keyfile_dict(dict(told), scopes=[SCOPE])
    except (KeyError, ValueError):
        raise ValueError("the credentials of the service account are not complete; download its key again") from None
