"""Names that AgentFS stores and no POSIX system can have, under names that it can.

AgentFS takes ``..``, ``a/b``, a NUL or 5,000 characters for the name of an entry. Such an entry is shown under a name
in which ``%`` and two digits stand for what cannot be said, and which is cut, with a digest at its end, where it is too
long. The shown name says which entry is meant; what it spells is never looked at, so that it leads nowhere else.
"""

from __future__ import annotations

import hashlib

from chuk_fsspec.contract.paths import NAME_MAX, SPECIAL_NAMES, encoded_length

MARK = "%"
"""Every shown name that is not the stored one has this in it."""

_KEPT_BYTES = 200
_DIGEST_DIGITS = 16
_UNSAYABLE = str.maketrans({"/": "%2F", "\0": "%00", MARK: "%25"})
_WHOLE = {"": "%", ".": "%2E", "..": "%2E%2E"}


def is_sayable(name: str) -> bool:
    """Whether a name can be that of a POSIX directory entry."""
    return name not in SPECIAL_NAMES and "/" not in name and "\0" not in name and encoded_length(name) <= NAME_MAX


def shown(name: str) -> str:
    """The name under which an entry is shown: its own, or a stand-in of at most 255 bytes.

    Args:
        name: as it is stored; bytes that are not UTF-8 as surrogate escapes (PEP 383).
    """
    if is_sayable(name):
        return name
    spelled = _WHOLE.get(name) or name.translate(_UNSAYABLE)
    if encoded_length(spelled) <= NAME_MAX:
        return spelled
    stored = name.encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(stored).hexdigest()[:_DIGEST_DIGITS]
    head = spelled.encode("utf-8", "surrogateescape")[:_KEPT_BYTES].decode("utf-8", "ignore")
    return f"{head}{MARK}{digest}"
