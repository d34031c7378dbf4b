"""What the errors of E2B mean: one table for its own classes, one for the words of the sandbox's system."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import e2b
import httpx
from e2b.exceptions import SandboxNotRunningException, SandboxUnreachableException, ServiceBusyException

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.calling import Verdict


@dataclass(frozen=True)
class Meaning:
    """An errno, what to do about it, whether the same request may succeed later, and whether that is after fewer."""

    code: int
    hint: str = ""
    is_passing: bool = False
    is_throttled: bool = False


_GONE = Meaning(
    errno.ENOTCONN,
    "the sandbox does not run: it was killed or paused, or its time is over. Attach to a paused one with sandbox_id=…; "
    "give one that is to live longer a timeout=… in seconds",
)

_LATE = Meaning(errno.ETIMEDOUT, "the sandbox takes too long", is_passing=True)

_CLASSES: tuple[tuple[type[Exception], Meaning], ...] = (
    (asyncio.TimeoutError, _LATE),
    (SandboxNotRunningException, _GONE),
    (SandboxUnreachableException, Meaning(errno.EHOSTUNREACH, "the sandbox does not answer", is_passing=True)),
    (e2b.TimeoutException, _LATE),
    (e2b.FileNotFoundException, Meaning(errno.ENOENT)),
    (e2b.NotFoundException, _GONE),
    (e2b.AuthenticationException, Meaning(errno.EACCES, "E2B refuses the key: check api_key=… or E2B_API_KEY")),
    (e2b.NotEnoughSpaceException, Meaning(errno.ENOSPC)),
    (e2b.RateLimitException, Meaning(errno.EAGAIN, "E2B takes no more requests for now", True, is_throttled=True)),
    (ServiceBusyException, Meaning(errno.EAGAIN, "E2B is busy", True, is_throttled=True)),
    (e2b.TemplateException, Meaning(errno.ENOTSUP, "the template of the sandbox is too old: build it again")),
    (httpx.TimeoutException, _LATE),
    (httpx.TransportError, Meaning(errno.ECONNRESET, "the connection to the sandbox broke off", is_passing=True)),
)
"""The first that fits counts."""

_LONGEST = 300
"""Characters of a message of E2B's that are told."""

_ENDINGS = {
    "no such file or directory": errno.ENOENT,
    "not a directory": errno.ENOTDIR,
    "is a directory": errno.EISDIR,
    "file exists": errno.EEXIST,
    "directory not empty": errno.ENOTEMPTY,
    "permission denied": errno.EACCES,
    "operation not permitted": errno.EPERM,
    "no space left on device": errno.ENOSPC,
    "disk quota exceeded": errno.EDQUOT,
    "file name too long": errno.ENAMETOOLONG,
    "too many levels of symbolic links": errno.ELOOP,
    "read-only file system": errno.EROFS,
    "cross-device link": errno.EXDEV,
    "device or resource busy": errno.EBUSY,
    "too many links": errno.EMLINK,
    "file too large": errno.EFBIG,
    "invalid argument": errno.EINVAL,
}
"""How Linux words its errors, in lower case; the programs of a sandbox put it at the end of what they say."""

_PHRASES = {
    "path is a directory:": errno.EISDIR,
    "path is not a directory:": errno.ENOTDIR,
    "path is a file:": errno.ENOTDIR,
    "-r not specified; omitting directory": errno.EISDIR,
    "cannot overwrite directory": errno.EISDIR,
    "cannot overwrite non-directory": errno.ENOTDIR,
    "to a subdirectory of itself": errno.EINVAL,
}
"""What the sandbox's own server, ``cp`` and ``mv`` say around a path."""


def judge(error: Exception, path: str) -> Verdict:
    """What an error means for the path that the request is about."""
    if isinstance(error, OSError) and error.errno is not None:
        return Verdict(error)
    for kind, meaning in _CLASSES:
        if isinstance(error, kind):
            told = os_error(meaning.code, path, hint=meaning.hint)
            return Verdict(told, meaning.is_passing, is_throttled=meaning.is_throttled)
    code = _worded(error.stderr if isinstance(error, e2b.CommandExitException) else str(error))
    if code is not None:
        return Verdict(os_error(code, path))
    if isinstance(error, e2b.SandboxException) and 400 <= (error.status_code or 0) < 500:
        hint = " ".join(str(error).split())[:_LONGEST]
        return Verdict(os_error(errno.EACCES if error.status_code == 403 else errno.EIO, path, hint=hint))
    if isinstance(error, e2b.InvalidArgumentException):
        return Verdict(os_error(errno.EINVAL, path, hint="the sandbox does not take this path"))
    return Verdict(os_error(errno.EIO, path, hint="the sandbox answers with an error of its own"), is_passing=True)


@contextmanager
def told(path: str) -> Iterator[None]:
    """``with told(path):`` raises what E2B's errors mean, for a request that is made once."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the SDK's have no common base, and the judge knows them
        meant = judge(error, path).error
        raise meant from (None if meant is error else error)


def _worded(said: str) -> int | None:
    """The errno that a message is about; None for one that says nothing known."""
    lines = said.strip().splitlines()
    last = lines[-1] if lines else ""
    endings = (code for ending, code in _ENDINGS.items() if last.lower().endswith(ending))
    phrases = (code for phrase, code in _PHRASES.items() if phrase in last)
    return next(endings, None) or next(phrases, None)
