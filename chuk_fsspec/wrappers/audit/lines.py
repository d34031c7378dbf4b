"""The line of a record, which both kinds of log hold: JSON in ASCII, sealed by a hash that stands last in it.

The hash is SHA-256 (HMAC-SHA-256 with a key) of the line as it was before ``,"hash":"…"`` was put into it, so it can be
checked with other tools. The line names the hash of the one before it: that makes them a chain.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import fields
from typing import Any

from chuk_fsspec.wrappers.audit.record import Entry, Head, Record

LINE_MAX = 128 * 1024
"""No line is longer, in bytes: two paths and a link target of 4096 bytes, each byte escaped, and the rest."""

BEGINNING = b'{"sequence":'
"""How every line begins."""

_MEMBER = b',"hash":"'
_END = b'"}\n'
_HASH_SIZE = 64
_TAIL = len(_MEMBER) + _HASH_SIZE + len(_END)

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_OF_ANNOTATION: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
    "Detail": (dict,),
    "Entry": (Entry,),
}
_TYPES = {owner: {field.name: _OF_ANNOTATION[str(field.type)] for field in fields(owner)} for owner in (Entry, Record)}


class Seal:
    """What makes the hashes.

    Args:
        key: whoever does not have it cannot make a hash that fits; None for hashes that everybody can make.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    @property
    def is_keyed(self) -> bool:
        """Whether it has a key."""
        return self._key is not None

    def of(self, body: bytes) -> str:
        """The hash of some bytes, in hexadecimal."""
        if self._key is None:
            return hashlib.sha256(body).hexdigest()
        return hmac.digest(self._key, body, "sha256").hex()


def seal_of(key_env: str) -> Seal:
    """A seal with the key that an environment variable holds; without a key for the empty name.

    Raises:
        ValueError: if there is no such variable, or it is empty.
    """
    if not key_env:
        return Seal()
    key = os.environ.get(key_env, "")
    if not key:
        raise ValueError(f"key_env: set the environment variable {key_env} to the key of the audit log")
    return Seal(os.fsencode(key))


def write_line(entry: Entry, after: Head, seal: Seal) -> tuple[bytes, Head]:
    """Put an entry into a log.

    Args:
        entry: what happened; fields that are None or empty are left out.
        after: the record before.
        seal: what makes the hash.

    Returns:
        The line, its newline included, and the head that it makes.
    """
    members: dict[str, Any] = {"sequence": after.sequence + 1}
    members |= {name: value for name, value in vars(entry).items() if value is not None and value != {}}
    members["previous"] = after.hash
    body = _encode(members).encode("ascii")
    digest = seal.of(body)
    return body[:-1] + _MEMBER + digest.encode("ascii") + _END, Head(after.sequence + 1, digest)


def read_line(line: bytes) -> Record:
    """Read a line back. Whether its hash is right, only ``is_genuine`` tells.

    Args:
        line: with its newline.

    Returns:
        The record.

    Raises:
        ValueError: if it is not a line of an audit log.
    """
    if not (line.endswith(_END) and line[-_TAIL:].startswith(_MEMBER)):
        raise ValueError("not a record")
    try:
        members = json.loads(line.decode("ascii"))
        chained = {name: members.pop(name) for name in ("sequence", "previous", "hash")}
        entry = Entry(**members)
        record = Record(entry=entry, **chained)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("not a record") from error
    if not (_is_typed(entry) and _is_typed(record)):
        raise ValueError("not a record")
    return record


def _is_typed(value: Entry | Record) -> bool:
    """Whether what came from JSON is what the fields are for; who forged a line may have put anything there."""
    return all(isinstance(getattr(value, name), types) for name, types in _TYPES[type(value)].items())


def is_genuine(line: bytes, seal: Seal) -> bool:
    """Whether the hash in a line is that of its content."""
    digest = line[-_TAIL + len(_MEMBER) : -len(_END)]
    return hmac.compare_digest(digest, seal.of(line[:-_TAIL] + b"}").encode("ascii"))
