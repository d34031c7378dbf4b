"""What is allowed, said in plain values: rules, limits, settings. Immutable, picklable, and checked when made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

from chuk_fsspec.contract.limits import Limits, require_number
from chuk_fsspec.contract.operations import Effect

EVERY_EFFECT = frozenset({Effect.LIST, Effect.READ, Effect.WRITE, Effect.DELETE, Effect.RENAME})


class Action(Enum):
    """What a rule does with the paths it is about."""

    ALLOW = "allow"
    DENY = "deny"
    """Refused with EACCES, and not shown in listings if ``list`` is denied."""
    HIDE = "hide"
    """The path does not exist: ENOENT, in no listing, in no sum."""


@dataclass(frozen=True)
class Rule:
    """One rule; of several that match, the first decides.

    Args:
        action: "allow", "deny" or "hide".
        paths: absolute paths, each with all that is below it.
        patterns: of names: regular expressions for ``re.search``, or globs after ``glob:``; of paths: globs with a
            slash, such as ``glob:/home/*/.ssh``. What matches is meant with all that is below it.
        effects: any of "list", "read", "write", "delete", "rename"; all of them if empty. ``hide`` is always about all.
        name: how violations name it; "rules[i]" if empty.

    Raises:
        ValueError: for an unknown action or effect, a rule without paths and patterns, or ``hide`` for some effects.
    """

    action: Action
    paths: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    effects: frozenset[Effect] = EVERY_EFFECT
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "action", Action(self.action))
        object.__setattr__(self, "paths", texts(self.paths, "a rule's paths"))
        object.__setattr__(self, "patterns", texts(self.patterns, "a rule's patterns"))
        object.__setattr__(self, "effects", frozenset(map(Effect, self.effects)) or EVERY_EFFECT)
        if not self.paths and not self.patterns:
            raise ValueError("a rule needs paths or patterns")
        if Effect.NONE in self.effects:
            raise ValueError("a rule is about list, read, write, delete and rename")
        if self.action is Action.HIDE and self.effects != EVERY_EFFECT:
            raise ValueError("what is hidden is hidden from everything: leave effects out of a rule that hides")


def rule_of(value: Rule | Mapping[str, Any], name: str) -> Rule:
    """A rule, from a ``Rule`` or from a dict of its arguments, as it stands in JSON or TOML.

    Args:
        value: the rule.
        name: what it is called if it has no name.

    Raises:
        ValueError: as ``Rule``; also for unknown keys.
    """
    arguments = {one.name: getattr(value, one.name) for one in fields(Rule)} if isinstance(value, Rule) else dict(value)
    unknown = arguments.keys() - {one.name for one in fields(Rule)}
    if unknown or "action" not in arguments:
        raise ValueError(f"{name} has action, paths, patterns, effects and name, not {sorted(unknown)}")
    try:
        return Rule(**{**arguments, "name": arguments.get("name") or name})
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


@dataclass(frozen=True)
class Settings(Limits):
    """All that a profile says, beside how much may be stored.

    Args:
        read_only: refuse every change, with EROFS.
        allowed_paths: all else is denied; the way to them is shown.
        denied_paths: denied, with what is below.
        denied_patterns: of names or paths, as in ``Rule``.
        hidden_paths: these do not exist.
        hidden_patterns: of names or paths, as in ``Rule``.
        rules: looked at before the lists above.
        case_fold: compare names in any case.

    Raises:
        ValueError: for a value of the wrong kind, naming it.
    """

    read_only: bool = False
    allowed_paths: tuple[str, ...] = ("/",)
    denied_paths: tuple[str, ...] = ()
    denied_patterns: tuple[str, ...] = ()
    hidden_paths: tuple[str, ...] = ()
    hidden_patterns: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    case_fold: bool = False

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "rules":
                value = tuple([rule_of(rule, f"rules[{number}]") for number, rule in enumerate(value)])
            elif one.type == "int":
                require_number(value, one.name)
            elif one.type == "bool":
                _require_bool(value, one.name)
            else:
                value = texts(value, one.name)
            object.__setattr__(self, one.name, value)


def texts(value: Any, name: str) -> tuple[str, ...]:
    """A list of strings as a tuple. ValueError for a single string, which would be taken letter by letter."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"{name} is a list of strings, not {value!r}")
    found = tuple(value)
    if not all(isinstance(one, str) for one in found):
        raise ValueError(f"{name} is a list of strings, not {value!r}")
    return found


def _require_bool(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false, not {value!r}")
