"""Hashes of passwords: scrypt (RFC 7914), written with its parameters."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass

LONGEST = 1024
"""Bytes of a password that is looked at."""

_SCHEME = "scrypt"
_LOG2_N, _R, _P = 15, 8, 1  # 32 MiB and about 0.1 s: what OWASP asks for is 2**17, but several may log in at once
_MOST_MEMORY = 256 * 1024 * 1024


@dataclass(frozen=True)
class _Hash:
    log2_n: int
    r: int
    p: int
    salt: bytes
    key: bytes


def hash_password(password: str) -> str:
    """The hash of a password, with a salt of its own: ``scrypt$15$8$1$salt$key`` in base64.

    Raises:
        ValueError: it is empty or longer than 1,024 bytes.
    """
    data = password.encode()
    if not 0 < len(data) <= LONGEST:
        raise ValueError(f"a password has 1 to {LONGEST} bytes")
    salt = os.urandom(16)
    key = _derive(data, _LOG2_N, _R, _P, salt)
    return "$".join((_SCHEME, str(_LOG2_N), str(_R), str(_P), _text(salt), _text(key)))


def is_password(password: str, hashed: str) -> bool:
    """Whether it is the password of a hash. It takes as long if it is not."""
    known = _parse(hashed)
    data = password.encode()[: LONGEST + 1]
    return hmac.compare_digest(_derive(data, known.log2_n, known.r, known.p, known.salt), known.key)


def check_hash(hashed: str) -> None:
    """ValueError for what ``hash_password`` did not make, or that costs more than a server should pay."""
    _parse(hashed)


def _parse(hashed: str) -> _Hash:
    parts = hashed.split("$")
    if len(parts) != 6 or parts[0] != _SCHEME:
        raise ValueError("a password hash looks like scrypt$15$8$1$...; `chuk-fsspec serve passwd` makes them")
    try:
        log2_n, r, p = (int(part) for part in parts[1:4])
        salt, key = (base64.b64decode(part, validate=True) for part in parts[4:])
    except ValueError:
        raise ValueError("a password hash is damaged; `chuk-fsspec serve passwd` makes it anew") from None
    if not (10 <= log2_n <= 20 and 1 <= r <= 32 and 1 <= p <= 16 and 128 * r << log2_n <= _MOST_MEMORY):
        raise ValueError("a password hash has parameters that are too weak or too costly")
    return _Hash(log2_n, r, p, salt, key)


def _derive(password: bytes, log2_n: int, r: int, p: int, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=1 << log2_n, r=r, p=p, maxmem=2 * _MOST_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
