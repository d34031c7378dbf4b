"""What the errors of Drive mean (Drive API: "Resolve errors")."""

from __future__ import annotations

import errno
import json
import socket
import ssl
from http.client import HTTPException
from typing import Any

import httplib2
from googleapiclient.errors import HttpError, UnknownApiNameOrVersion
from oauth2client.client import HttpAccessTokenRefreshError

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.calling import Verdict

_LIMITS = ("rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded", "backendError")
_FULL = (
    "teamDriveFileLimitExceeded",
    "numChildrenInNonRootLimitExceeded",
    "quotaExceeded",
    "activeItemCreationLimitExceeded",
    "customPropertyLimitExceeded",
)
_DEEP = ("myDriveHierarchyDepthLimitExceeded", "teamDriveHierarchyTooDeep")
_CODES = {
    400: errno.EINVAL,
    401: errno.EACCES,
    403: errno.EACCES,
    404: errno.ENOENT,
    409: errno.EEXIST,
    412: errno.ESTALE,
    429: errno.EBUSY,
}
_NO_ROOM = "service accounts have no room of their own, but in a shared drive, drive_id="
_LOGIN = "Google does not accept the credentials any more; run: chuk-fsspec gdrive login"


def judge(error: Exception, path: str) -> Verdict:
    """What an error of the client libraries means, for an absolute path."""
    if isinstance(error, HttpError):
        return _of_reply(error, path)
    if isinstance(error, HttpAccessTokenRefreshError):
        passing = (error.status or 0) >= 500 or error.status == 429
        return Verdict(os_error(errno.EACCES, path, hint=_LOGIN), is_passing=passing)
    if isinstance(error, socket.timeout):
        return Verdict(os_error(errno.ETIMEDOUT, path, hint="Google Drive did not reply"), is_passing=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Verdict(os_error(errno.EIO, path, hint="the certificate of Google Drive cannot be verified"))
    if isinstance(
        error, httplib2.error.HttpLib2Error | HTTPException | ConnectionError | ssl.SSLError | socket.gaierror
    ):
        return Verdict(os_error(errno.EIO, path, hint="no connection to Google Drive"), is_passing=True)
    if isinstance(error, OSError):
        return Verdict(error if error.filename else os_error(error.errno or errno.EIO, path))
    if isinstance(error, UnknownApiNameOrVersion):
        return Verdict(os_error(errno.EIO, path, hint="google-api-python-client does not know Drive v2; reinstall it"))
    raise error


def status_of(error: BaseException | None) -> int:
    """The status of the reply behind an error; 0 if there was none."""
    return int(error.resp.status) if isinstance(error, HttpError) else 0


def _of_reply(error: HttpError, path: str) -> Verdict:
    status, reason = int(error.resp.status), _reason_of(error)
    if status >= 500 or status == 429 or reason in _LIMITS:
        told = os_error(errno.EBUSY, path, hint="Google Drive is asked too often") if status < 500 else None
        failed = told or os_error(errno.EIO, path, hint=f"Google Drive failed with status {status}")
        return Verdict(failed, is_passing=True, is_throttled=told is not None or status == 503, wait=_wait_of(error))
    if status == 408:
        return Verdict(os_error(errno.ETIMEDOUT, path, hint="Google Drive did not get all of it"), is_passing=True)
    if reason == "storageQuotaExceeded":
        return Verdict(os_error(errno.ENOSPC, path, hint=f"Google Drive: {reason}; {_NO_ROOM}"))
    if reason in _FULL:
        return Verdict(os_error(errno.ENOSPC, path, hint=f"Google Drive: {reason}"))
    if reason in _DEEP:
        return Verdict(os_error(errno.ENAMETOOLONG, path, hint="Google Drive takes 100 levels of folders"))
    if reason == "fileNotDownloadable":
        hint = "a document of Google's has no bytes; export it in the browser"
        return Verdict(os_error(errno.EOPNOTSUPP, path, hint=hint))
    hint = _LOGIN if status == 401 else f"Google Drive: {reason}" if reason and status != 404 else ""
    return Verdict(os_error(_CODES.get(status, errno.EIO), path, hint=hint))


def _reason_of(error: HttpError) -> str:
    """The service's own word for an error (``error.errors[0].reason``)."""
    try:
        told: Any = json.loads(error.content)
        return str(told["error"]["errors"][0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _wait_of(error: HttpError) -> float:
    try:
        return float(error.resp.get("retry-after", 0))
    except ValueError:
        return 0.0
