"""Values of a template, checked one by one. Messages name the entry, such as ``files[3].path``, not what it holds."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chuk_fsspec.contract.errors import os_error

_PERMISSIONS = 0o777


def refused(code: int, path: str, where: str, why: str) -> OSError:
    """The error for an entry that cannot be what it asks for.

    Args:
        code: an errno.
        path: the entry's path as the template has it.
        where: its place in the template.
        why: what is wrong, and what to do.
    """
    return os_error(code, path, hint=f"{where}: {why}")


def too_large(where: str, what: str, limit: int) -> OSError:
    """EFBIG for a template that asks for more than ``Limits`` allow."""
    return os_error(errno.EFBIG, hint=f"{where}: more than {limit} {what}; give higher limits if that is meant")


def mapping(value: Any, where: str) -> Mapping[Any, Any]:
    """A dict. ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: a dict is needed, not {_kind(value)}")
    return value


def sequence(value: Any, where: str) -> Sequence[Any]:
    """A list; nothing at all is an empty one. ValueError."""
    if value is None:
        return ()
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise ValueError(f"{where}: a list is needed, not {_kind(value)}")
    return list(value)


def text(value: Any, where: str) -> str:
    """Text. ValueError."""
    if isinstance(value, str):
        return value
    hint = "; write it in quotes" if isinstance(value, (bool, int, float)) or hasattr(value, "isoformat") else ""
    raise ValueError(f"{where}: text is needed, not {_kind(value)}{hint}")


def some_text(value: Any, where: str) -> str:
    """Text that is not empty. ValueError."""
    if not text(value, where):
        raise ValueError(f"{where}: must not be empty")
    return str(value)


def scalar(value: Any, where: str) -> str:
    """The text that stands for a variable's value: text or a number. ValueError."""
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ValueError(f"{where}: text or a number is needed, not {_kind(value)}")


def boolean(value: Any, where: str) -> bool:
    """True or false. ValueError."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{where}: true or false is needed, not {_kind(value)}")


def permissions(value: Any, where: str) -> int | None:
    """Permission bits: octal digits as text, or a number up to 0o777; None for None.

    A number above that is refused with the rest: whoever writes ``mode: 755`` means 0o755, and 755 is 0o1363.

    Raises:
        ValueError: for everything else, the bits that raise privileges included.
    """
    if value is None:
        return None
    mode = value
    if isinstance(value, str):
        digits = value.removeprefix("0o")
        mode = int(digits, 8) if digits and len(digits) <= 5 and set(digits) <= set("01234567") else -1
    if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= _PERMISSIONS:
        raise ValueError(f'{where}: permission bits are needed, as octal digits in quotes: "0644", at most "0777"')
    return mode


def choice(value: str, known: Sequence[str], where: str) -> None:
    """Refuse what is not one of a few words. ValueError."""
    if value not in known:
        raise ValueError(f"{where} must be one of {', '.join(map(repr, known))}, not {value!r}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
