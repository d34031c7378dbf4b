"""``${name}`` in contents, paths and link targets; ``$$`` is a dollar. What a value holds is not looked at again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.parsing import check_name, is_name, nearest
from chuk_fsspec.templates.template import Limits, Variable

_REFERENCE = re.compile(r"\$(?:\$|\{([^}\n]*)(\}?))")
_SHOWN = 10


def values_of(declared: tuple[Variable, ...], given: Mapping[str, Any] | None) -> dict[str, str]:
    """The value of each variable that has one: given, or by default.

    Args:
        declared: the variables that the template declares.
        given: from name to text or a number.

    Raises:
        ValueError: for a value of another kind, and for a name that is none.
    """
    values = {variable.name: variable.default for variable in declared if variable.default is not None}
    for name, value in checks.mapping({} if given is None else given, "variables").items():
        check_name(name, "variables")
        values[name] = checks.scalar(value, f"variables.{name}")
    return values


class Substitution:
    """Puts values into texts, and remembers which were not defined and where."""

    def __init__(self, values: Mapping[str, str], limits: Limits) -> None:
        """Begin.

        Args:
            values: from name to text.
            limits: how long one text may become, and how many references there may be.
        """
        self._values = values
        self._limits = limits
        self._references = 0
        self.used: set[str] = set()
        self.undefined: dict[str, str] = {}
        self.malformed: dict[str, str] = {}

    def into(self, text: str, where: str) -> str:
        """A text with its variables substituted; what is not defined stays as it is.

        Args:
            text: with ``${name}`` and ``$$``.
            where: its place in the template, to be remembered with what is undefined.

        Raises:
            OSError: EFBIG if it becomes too long.
        """
        if "$" not in text:
            return text
        pieces: list[str] = []
        size = end = 0
        for match in _REFERENCE.finditer(text):
            piece = self._value(match, where)
            pieces += (text[end : match.start()], piece)
            size += match.start() - end + len(piece)
            self._references += 1
            if size > self._limits.total_bytes:
                raise checks.too_large(where, "characters", self._limits.total_bytes)
            if self._references > self._limits.references:
                raise checks.too_large(where, "variables in texts", self._limits.references)
            end = match.end()
        pieces.append(text[end:])
        return "".join(pieces)

    def require_known(self, declared: tuple[Variable, ...]) -> None:
        """Where variables are declared, refuse one that is neither declared nor used. ValueError, with the nearest."""
        known = {variable.name: None for variable in declared}
        for name in self._values if known else ():
            if name not in known and name not in self.used:
                hint = nearest(name, list(known)) or f"; it has {', '.join(known)}"
                raise ValueError(f"variables: the template has no {name}{hint}")

    @property
    def has_failed(self) -> bool:
        """Whether something could not be substituted."""
        return bool(self.undefined or self.malformed)

    def missing(self, declared: tuple[Variable, ...]) -> dict[str, str]:
        """From each variable without a value, declared ones first, to its description or the place of its first use."""
        listed = {one.name: one.description for one in declared if one.name not in self._values}
        return {**listed, **{name: where for name, where in self.undefined.items() if not listed.get(name)}}

    def require_values(self, declared: tuple[Variable, ...]) -> None:
        """Refuse variables without a value, and what cannot be a variable. ValueError, naming each."""
        if self.malformed:
            shown = _shown(self.malformed)
            raise ValueError(f"not a variable: {shown}; write $${{ for a literal ${{, or set verbatim for the file")
        missing = self.missing(declared)
        if missing:
            hint = "give them values, or write $${name} for the literal text"
            raise ValueError(f"variables without a value: {_shown(missing)}; {hint}")

    def _value(self, match: re.Match[str], where: str) -> str:
        name = match[1]
        if name is None:
            return "$"
        if match[2] and name in self._values:
            self.used.add(name)
            return self._values[name]
        if match[2] and is_name(name):
            self.undefined.setdefault(name, where)
        else:
            self.malformed.setdefault(match[0][:40], where)
        return match[0]


def _shown(found: Mapping[str, str]) -> str:
    shown = [f"{what} ({why})" if why else what for what, why in list(found.items())[:_SHOWN]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
