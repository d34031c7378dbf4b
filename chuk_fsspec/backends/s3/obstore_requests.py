"""What requests by obstore ask for, and what its replies and errors mean."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Any

from obstore import exceptions

from chuk_fsspec.backends.s3 import errors
from chuk_fsspec.backends.s3.errors import BrokenReply
from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.contract.paths import SPECIAL_NAMES
from chuk_fsspec.remote.calling import Verdict
from chuk_fsspec.remote.keys import Guard, Key, Labels, Piece

_HEADERS = {
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLanguage": "Content-Language",
    "StorageClass": "Storage-Class",  # which its replies leave out
}
_NOT_METADATA = frozenset((*_HEADERS.values(), "Content-Type"))

HEAD: Any = {"head": True}
"""Options of a request for an object without its content."""

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_BARE_REDIRECT = "redirect without LOCATION"
"""How obstore says that a bucket is in another region."""


def judge(error: Exception, path: str) -> Verdict:
    """What an error means for a path, whoever raised it; obstore's say by their text what the service answered."""
    if isinstance(error, (exceptions.AlreadyExistsError, exceptions.PreconditionError)):
        return Verdict(PreconditionFailed(errno.ESTALE, "there is another version by now; read it again", path))
    if isinstance(error, FileNotFoundError) and error.errno is None:
        return Verdict(os_error(errno.ENOENT, path))
    if isinstance(error, (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)):
        return Verdict(errors.refused(_code_of(error) or "AccessDenied", path))
    if isinstance(error, exceptions.BaseError):
        status, code = _status_of(error), _code_of(error)
        if not status and _BARE_REDIRECT in str(error):
            return Verdict(errors.refused("PermanentRedirect", path))
        if not status and "TimedOut" in str(error):
            return Verdict(os_error(errno.ETIMEDOUT, path), is_passing=True)
        if status in (0, 408, 429) or status >= 500 or code in errors.PASSING:
            hint = f"the service answers {code or status}" if status else "the connection to the service was lost"
            failed = os_error(errno.EIO if status else errno.ECONNRESET, path, hint=hint)
            return Verdict(failed, is_passing=True, is_throttled=status in (429, 503))
        return Verdict(errors.refused(code or str(status), path))
    return errors.judge(error, path)


def _code_of(error: Exception) -> str:
    """The word of the service for what went wrong; empty if it has said none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _status_of(error: Exception) -> int:
    """The status that the service answered with; 0 if it did not answer."""
    found = _STATUS.search(str(error))
    return int(found[1]) if found else 0


def options_of(start: int, stop: int | None, etag: str) -> Any:
    """What a request for bytes asks for."""
    options: dict[str, Any] = {"if_match": f'"{etag}"'} if etag else {}
    if start or stop is not None:
        options["range"] = {"offset": start} if stop is None else (start, stop)
    return options


def arguments_of(labels: Labels, guard: Guard | None) -> Any:
    """What a request that makes an object says besides its content."""
    attributes = {_HEADERS[name]: value for name, value in labels.headers.items()} | dict(labels.metadata)
    if labels.content_type:
        attributes["Content-Type"] = labels.content_type
    mode = "overwrite" if guard is None else {"e_tag": f'"{guard.etag}"'} if guard.etag else "create"
    return {"attributes": attributes, "mode": mode, "use_multipart": False}


def key_of(key: str, found: Any) -> Key:
    """An object, from the reply to a request for it."""
    meta = found.meta
    modified = float(int(meta["last_modified"].timestamp()))
    details = {"version_id": meta["version"]} if meta["version"] else {}
    return Key(key, meta["size"], modified, etag_of(meta), _labels_of(found.attributes), details)


def piece_of(found: Any, data: bytes) -> Piece:
    """Bytes of an object, from the reply and what it has brought."""
    first, last = found.range
    if len(data) != last - first:
        raise BrokenReply(f"{len(data)} bytes of {last - first}")
    meta, metadata = found.meta, _labels_of(found.attributes).metadata
    return Piece(data, etag_of(meta), meta["size"], metadata)


def is_past_the_end(error: Exception) -> bool:
    """Whether a range was refused because the object has no bytes there."""
    return _status_of(error) == 416


def is_without_words(error: Exception) -> bool:
    """Whether the service has refused a request for an object without its content, and could not say why."""
    return _status_of(error) == 400


def is_empty(error: Exception) -> bool:
    """Whether it was refused because the object has no bytes at all."""
    return "<ActualObjectSize>0<" in str(error)


def _labels_of(attributes: Mapping[str, str]) -> Labels:
    return Labels(
        attributes.get("Content-Type", ""),
        {name: value for name, value in attributes.items() if name not in _NOT_METADATA},
        {ours: attributes[theirs] for ours, theirs in _HEADERS.items() if theirs in attributes},
    )


def etag_of(found: Any) -> str:
    """The etag, without its quotes."""
    return str(found["e_tag"] or "").strip('"')


def is_plain(key: str) -> bool:
    """Whether a key is one that obstore leaves as it is."""
    return key.isprintable() and SPECIAL_NAMES.isdisjoint(key.split("/"))
