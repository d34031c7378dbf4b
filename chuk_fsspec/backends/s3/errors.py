"""What the errors of S3 mean (Amazon S3 API Reference, "Error responses")."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

import aiohttp
from botocore import exceptions
from botocore.parsers import ResponseParserError

from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.remote.calling import Verdict

CODES: Mapping[str, int] = {
    "301": errno.EIO,
    "400": errno.EINVAL,
    "403": errno.EACCES,
    "404": errno.ENOENT,
    "405": errno.ENOTSUP,
    "501": errno.ENOTSUP,
    "AccessDenied": errno.EACCES,
    "AccountProblem": errno.EACCES,
    "AllAccessDisabled": errno.EACCES,
    "AuthorizationHeaderMalformed": errno.EIO,
    "BucketAlreadyExists": errno.EEXIST,
    "BucketAlreadyOwnedByYou": errno.EEXIST,
    "BucketNotEmpty": errno.ENOTEMPTY,
    "EntityTooLarge": errno.EFBIG,
    "EntityTooSmall": errno.EINVAL,
    "ExpiredToken": errno.EACCES,
    "IllegalLocationConstraintException": errno.EINVAL,
    "InvalidAccessKeyId": errno.EACCES,
    "InvalidArgument": errno.EINVAL,
    "InvalidBucketName": errno.EINVAL,
    "InvalidLocationConstraint": errno.EINVAL,
    "InvalidObjectState": errno.EACCES,
    "InvalidRequest": errno.EINVAL,
    "InvalidToken": errno.EACCES,
    "KeyTooLongError": errno.ENAMETOOLONG,
    "MetadataTooLarge": errno.E2BIG,
    "MethodNotAllowed": errno.ENOTSUP,
    "NoSuchBucket": errno.ENOENT,
    "NoSuchKey": errno.ENOENT,
    "NoSuchUpload": errno.ENOENT,
    "NoSuchVersion": errno.ENOENT,
    "NotImplemented": errno.ENOTSUP,
    "PermanentRedirect": errno.EIO,
    "QuotaExceeded": errno.ENOSPC,
    "RequestTimeTooSkewed": errno.EACCES,
    "SignatureDoesNotMatch": errno.EACCES,
    "TokenRefreshRequired": errno.EACCES,
    "TooManyBuckets": errno.EDQUOT,
    "XMinioStorageFull": errno.ENOSPC,
}

_ELSEWHERE = "the bucket is in another region; name it with region="
_UNKNOWN = "the service has no such request; if it asks for a condition, say with conditions= what is checked there"

_HINTS: Mapping[str, str] = {
    "301": _ELSEWHERE,
    "501": _UNKNOWN,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "ExpiredToken": "the credentials have expired",
    "IllegalLocationConstraintException": "buckets are made in the region of the client; name it with region=",
    "InvalidAccessKeyId": "the service does not know this access key",
    "InvalidBucketName": "the service does not take this for the name of a bucket",
    "InvalidObjectState": "the object is archived; restore it first",
    "NoSuchBucket": "there is no such bucket",
    "NotImplemented": _UNKNOWN,
    "PermanentRedirect": _ELSEWHERE,
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "SignatureDoesNotMatch": "the secret does not belong to the access key",
    "TokenRefreshRequired": "the credentials have expired",
}

PASSING = frozenset(
    (
        "408",
        "429",
        "500",
        "502",
        "503",
        "504",
        "BadDigest",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "XAmzContentSHA256Mismatch",
    )
)
"""Codes of errors that may be gone the next time."""

_THROTTLING = frozenset(
    (
        "429",
        "503",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
    )
)
"""Those that go away when fewer requests are made."""

NO_CREDENTIALS = (
    "no credentials: give key= and secret=, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or pass anon=True"
)


_LOST_CREDENTIALS = (
    exceptions.CredentialRetrievalError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
"""What botocore raises for credentials that were there once: of a single sign-on that is over, above all."""

SIGN_IN = "the credentials are not to be had any more; sign in again, for example with `aws sso login`"


class BrokenReply(Exception):  # noqa: N818 - it is what came, and the error is for the judge
    """A reply that is not what was asked for."""


def judge(error: Exception, path: str) -> Verdict:
    """What an error means for a path, whoever of aiohttp, botocore and the service raised it."""
    if isinstance(error, exceptions.ClientError):
        return _judge_reply(error, path)
    if isinstance(error, (exceptions.NoCredentialsError, exceptions.PartialCredentialsError)):
        return Verdict(os_error(errno.EACCES, path, hint=NO_CREDENTIALS))
    if isinstance(error, _LOST_CREDENTIALS):
        return Verdict(os_error(errno.EACCES, path, hint=SIGN_IN))
    if isinstance(error, (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError, TimeoutError)):
        return Verdict(os_error(errno.ETIMEDOUT, path), is_passing=True)
    if isinstance(error, exceptions.EndpointConnectionError):
        return Verdict(os_error(errno.ECONNREFUSED, path, hint="the service cannot be reached"), is_passing=True)
    if isinstance(error, (exceptions.HTTPClientError, ResponseParserError, aiohttp.ClientError)):
        return _lost(path)
    if isinstance(error, (BrokenReply, ConnectionError, exceptions.FlexibleChecksumError)):
        return _lost(path)
    if isinstance(error, OSError):
        return Verdict(error)
    if isinstance(error, (exceptions.ParamValidationError, ValueError)):
        return Verdict(os_error(errno.EINVAL, path, hint=str(error)))
    if isinstance(error, exceptions.BotoCoreError):
        # No EINVAL, by which a path is known that nothing can be at.
        return Verdict(os_error(errno.EIO, path, hint=str(error)))
    return Verdict(os_error(errno.EIO, path, hint=type(error).__name__))


def code_of(error: exceptions.ClientError) -> str:
    """The code of an error that the service answered with."""
    return str(error.response.get("Error", {}).get("Code", ""))


def errno_of(code: str) -> int:
    """The errno of a code; EAGAIN for what may be gone the next time."""
    return errno.EAGAIN if code in PASSING else CODES.get(code, errno.EIO)


def _judge_reply(error: exceptions.ClientError, path: str) -> Verdict:
    code = code_of(error)
    told: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    status = told.get("HTTPStatusCode", 0)
    if code in ("PreconditionFailed", "412") or status == 412:
        return Verdict(PreconditionFailed(errno.ESTALE, "there is another version by now; read it again", path))
    if code in PASSING or status in (408, 429, 500, 502, 503, 504):
        asked = str(told.get("HTTPHeaders", {}).get("retry-after", ""))
        wait = float(asked) if asked.isdecimal() else 0.0
        busy = os_error(errno.EAGAIN if status in (429, 503) else errno.EIO, path, hint=f"the service answers {code}")
        is_throttled = status in (429, 503) or code in _THROTTLING
        return Verdict(busy, is_passing=True, is_throttled=is_throttled, wait=wait)
    return Verdict(refused(code or str(status), path))


def refused(code: str, path: str) -> OSError:
    """The error for a code that stays what it is."""
    hint = _HINTS.get(code, "" if code in CODES else f"the service answers {code}")
    return os_error(CODES.get(code, errno.EIO), path, hint=hint)


def _lost(path: str) -> Verdict:
    return Verdict(os_error(errno.ECONNRESET, path, hint="the connection to the service was lost"), is_passing=True)
