"""Values that a configuration only refers to, and those that it must not show.

``"${env:NAME}"`` inside a text, or ``{"env": "NAME"}`` in place of a value, stands for an environment variable. It is
looked up when the filesystem is opened; what is stored, pickled and shown is the reference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"\$\{env:([^}]*)\}")
_SECRET = re.compile(
    r"secret|passw|passphrase|token|credential|private|authori|cookie|connection_string|sas$|_key$|apikey|accesskey|accountkey|^key$|^auth$",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/?#@]+@")


def resolved(value: Any, where: str) -> Any:
    """A value with each reference replaced by what it refers to.

    Args:
        value: a plain value: text, number, list or dict.
        where: its place in the configuration, for the message.

    Raises:
        ValueError: for an environment variable that is not set.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _variable(match[1], where), value)
    if isinstance(value, Mapping):
        if value.keys() == {"env"} and isinstance(value["env"], str):
            return _variable(value["env"], where)
        return {key: resolved(one, f"{where}.{key}") for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(one, f"{where}[{number}]") for number, one in enumerate(value)]
    return value


def without_secrets(value: Any) -> Any:
    """A value fit to be shown: entries of dicts that hold secrets are left out, unless they only refer to them.

    A secret is told by the name of its option. User names and passwords in URLs are cut out of any text.
    """
    if isinstance(value, str):
        return _USERINFO.sub("", value)
    if isinstance(value, Mapping):
        return {
            key: without_secrets(one)
            for key, one in value.items()
            if not _SECRET.search(str(key)) or _is_reference(one)
        }
    if isinstance(value, (list, tuple)):
        return [without_secrets(one) for one in value]
    return value if isinstance(value, (int, float, bool)) or value is None else type(value).__name__


def _variable(name: str, where: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise ValueError(f"{where}: the environment variable {name} is not set") from None


def _is_reference(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.keys() == {"env"}
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None
