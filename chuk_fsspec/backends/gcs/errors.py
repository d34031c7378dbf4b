"""What the errors of Google Cloud Storage mean, and those of the way to it."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping

from chuk_fsspec.contract.errors import os_error, precondition_failed
from chuk_fsspec.remote.calling import Verdict

_LONGEST = 300
"""Characters of a message of the service that are told."""
_PASSING = frozenset((408, 429, 500, 502, 503, 504))
_LIMITS = frozenset(("rateLimitExceeded", "userRateLimitExceeded"))
_ERRNO = {
    400: errno.EINVAL,
    401: errno.EACCES,
    403: errno.EACCES,
    404: errno.ENOENT,
    409: errno.EEXIST,
    413: errno.EFBIG,
    501: errno.ENOTSUP,
}
_SIGN_IN = "sign in with `gcloud auth application-default login`, or give token="
PRECONDITION = 412


class ServiceError(Exception):
    """A reply that is an error (cloud.google.com/storage/docs/json_api/v1/status-codes).

    Attributes:
        status: of HTTP.
        reason: in a word, as the service has it; empty if it has none.
        wait: seconds that the service asks for; 0 if it does not say.
    """

    def __init__(self, status: int, reason: str = "", message: str = "", wait: float = 0.0) -> None:
        super().__init__(message or reason or f"HTTP status {status}")
        self.status = status
        self.reason = reason
        self.wait = wait

    @classmethod
    def of_reply(cls, status: int, headers: Mapping[str, str], body: bytes) -> ServiceError:
        """The error that a reply tells of."""
        asked = headers.get("Retry-After", "")
        wait = float(asked) if asked.isdigit() else 0.0
        try:
            told = json.loads(body)["error"]
            reason = next((str(one.get("reason", "")) for one in told.get("errors", ())), "")
            return cls(status, reason, str(told.get("message", "")), wait)
        except (AttributeError, KeyError, TypeError, ValueError):  # XML, or words of a machine on the way
            return cls(status, wait=wait)


def judge(error: Exception, path: str) -> Verdict:
    """What an error means for the request about a path (``remote.calling.Judge``)."""
    if isinstance(error, ServiceError):
        return _of_service(error, path)
    if isinstance(error, OSError) and error.errno and error.filename:
        return Verdict(error)
    return _of_the_way(error, path)


def errno_of(status: int) -> int:
    """The errno of an HTTP status; EAGAIN where the same may succeed later."""
    return errno.EAGAIN if status in _PASSING else _ERRNO.get(status, errno.EIO)


def _of_service(error: ServiceError, path: str) -> Verdict:
    if error.status == PRECONDITION:
        return Verdict(precondition_failed(path, None, None, exists=False))
    message = " ".join(str(error).split())[:_LONGEST]
    if error.status in _PASSING or error.reason in _LIMITS:
        is_throttled = error.status in (429, 503) or error.reason in _LIMITS
        busy = os_error(errno.EAGAIN, path, hint=message)
        return Verdict(busy, is_passing=True, is_throttled=is_throttled, wait=error.wait)
    code = errno_of(error.status)
    if code == errno.ENOENT:
        return Verdict(os_error(code, path))
    hint = f"{message}; {_SIGN_IN}" if error.status == 401 else message
    return Verdict(os_error(code, path, hint=hint))


def _of_the_way(error: Exception, path: str) -> Verdict:
    import aiohttp
    from google.auth import exceptions

    kind = type(error).__name__
    if isinstance(error, (aiohttp.ClientError, ConnectionError, exceptions.TransportError)):
        return Verdict(os_error(errno.ECONNRESET, path, hint=f"the connection failed ({kind})"), is_passing=True)
    if isinstance(error, exceptions.GoogleAuthError) or kind in ("HttpError", "NonRetryableError"):
        refused = os_error(errno.EACCES, path, hint=f"Google does not take the credentials ({kind}); {_SIGN_IN}")
        return Verdict(refused, is_passing=bool(getattr(error, "retryable", False)))
    return Verdict(os_error(errno.EIO, path, hint=f"{kind} in the client"))
