"""Rules compiled to a state machine over the names of a path: what may be done at each place.

A ``Scope`` is what the rules say of one place; the scope of an entry follows from that of its directory and its name.
There are few different scopes however many files there are, so a door can keep one for each file it knows, and
compare two places by identity.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.wrappers.security.patterns import PathSet, PathState, caseless, exact
from chuk_fsspec.wrappers.security.rules import EVERY_EFFECT, Action, Rule, Settings

READ_ONLY, TOO_DEEP, NOT_ALLOWED = "read_only", "max_path_depth", "allowed_paths"

_DIRECTORIES_KEPT = 8192
_NAMES_KEPT = 131_072
_SCOPES_KEPT = 4096


@dataclass(frozen=True)
class Decision:
    """What is decided about an effect on a path.

    Attributes:
        action: allow, deny or hide.
        rule: the name of the rule or limit that decided; empty if none had to.
    """

    action: Action
    rule: str = ""

    def for_what_is_shown(self) -> Decision:
        """The same about a path that is not hidden."""
        return Decision(Action.DENY, self.rule) if self.action is Action.HIDE else self


ALLOWED = Decision(Action.ALLOW)


class Policy:
    """The rules of some settings, ready to be asked. It depends on nothing but the path, and never changes.

    Raises:
        ValueError: for a bad path or pattern, naming it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.fold = caseless if settings.case_fold else exact
        self.rules = [rule for rule in _all_rules(settings) if rule.paths or rule.patterns]
        self._sets = [PathSet(rule.paths, rule.patterns, self.fold) for rule in self.rules]
        self._scopes: dict[tuple[object, ...], Scope] = {}
        self._names_kept = 0
        self.root = self._scope(tuple([paths.root for paths in self._sets]), 0)
        self._directories: dict[str, Scope] = {"": self.root}

    def scope(self, path: str) -> Scope:
        """What is said of a normal path."""
        parent, _, name = path.rpartition("/")
        directory = self._directories.get(parent)
        if directory is None:
            directory = self.root
            for component in parent[1:].split("/"):
                directory = directory.below(component)
            if len(self._directories) >= _DIRECTORIES_KEPT:
                self._directories = {"": self.root}
            self._directories[parent] = directory
        return directory.below(name) if name else directory

    def decide(self, effect: Effect, path: str) -> Decision:
        """What is decided about an effect on a normal path."""
        return self.scope(path).decide(effect)

    @property
    def is_free(self) -> bool:
        """Whether everything is allowed everywhere."""
        return self.root.is_uniform and self.root.allows == EVERY_EFFECT

    # ---- for scopes

    def below(self, scope: Scope, name: str) -> Scope:
        """The scope of an entry."""
        folded = self.fold(name)
        states = tuple([state.below(folded) for state in scope.states])
        return self._scope(states, scope.depth + 1)

    def ordinary(self, scope: Scope) -> Scope:
        """The scope of an entry whose name says nothing."""
        return self._scope(tuple([state.ordinary for state in scope.states]), scope.depth + 1)

    def remember(self, scope: Scope, name: str, below: Scope) -> None:
        """Keep what was found out about an entry, until there is too much of it."""
        self._names_kept += 1
        if self._names_kept > _NAMES_KEPT:
            self._names_kept = 0
            for one in list(self._scopes.values()):
                one.names.clear()
        scope.names[name] = below

    def _scope(self, states: tuple[PathState, ...], depth: int) -> Scope:
        depth = depth if self.settings.max_path_depth else 0
        key = (depth, *states)
        scope = self._scopes.get(key)
        if scope is None:
            if len(self._scopes) >= _SCOPES_KEPT:
                self._scopes = {}
            scope = self._scopes[key] = Scope(self, states, depth, self._decisions(states, depth))
        return scope

    def _decisions(self, states: tuple[PathState, ...], depth: int) -> dict[Effect, Decision]:
        most = self.settings.max_path_depth
        if most and depth > most:
            return dict.fromkeys(EVERY_EFFECT, Decision(Action.DENY, TOO_DEEP))
        decisions = {effect: self._first(effect, states) for effect in EVERY_EFFECT}
        shown = decisions[Effect.LIST]
        if shown.action is not Action.ALLOW:
            # What may not be seen to exist can neither be read nor changed.
            decisions = dict.fromkeys(EVERY_EFFECT, shown)
            if shown.action is Action.DENY and self._leads(states):
                decisions[Effect.LIST] = ALLOWED
        else:
            # What an earlier rule shows is there; a later one that would hide it refuses the rest.
            decisions = {effect: one.for_what_is_shown() for effect, one in decisions.items()}
        if shown.action is Action.ALLOW and self.settings.read_only:
            decisions |= dict.fromkeys((Effect.WRITE, Effect.DELETE, Effect.RENAME), Decision(Action.DENY, READ_ONLY))
        return decisions

    def _first(self, effect: Effect, states: tuple[PathState, ...]) -> Decision:
        """What the first rule says that matches."""
        for rule, state in zip(self.rules, states, strict=True):
            if state.matched and effect in rule.effects:
                return ALLOWED if rule.action is Action.ALLOW else Decision(rule.action, rule.name)
        return Decision(Action.DENY, NOT_ALLOWED)

    def _leads(self, states: tuple[PathState, ...]) -> bool:
        """Whether a rule that comes before the denying one allows something below, and says by which way."""
        for rule, state in zip(self.rules, states, strict=True):
            if Effect.LIST in rule.effects:
                if state.matched:
                    return False
                if state.leads and rule.action is Action.ALLOW:
                    return True
        return False


class Scope:
    """What the rules say of a place.

    Attributes:
        may_list: whether its existence, names and attributes may be shown; so for the others.
        hidden: whether it does not exist.
        allows: all that is allowed.
        is_uniform: whether the same holds for everything below.
        names: what was found out about its entries, by name; only to be read.
    """

    __slots__ = (
        "_decisions",
        "_minding",
        "_ordinary",
        "_policy",
        "allows",
        "depth",
        "hidden",
        "is_uniform",
        "may_delete",
        "may_list",
        "may_read",
        "may_rename",
        "may_write",
        "names",
        "states",
    )

    def __init__(
        self, policy: Policy, states: tuple[PathState, ...], depth: int, decisions: dict[Effect, Decision]
    ) -> None:
        self._policy = policy
        self._decisions = decisions
        self.states = states
        self.depth = depth
        self.allows = frozenset([effect for effect, one in decisions.items() if one.action is Action.ALLOW])
        self.may_list = Effect.LIST in self.allows
        self.may_read = Effect.READ in self.allows
        self.may_write = Effect.WRITE in self.allows
        self.may_delete = Effect.DELETE in self.allows
        self.may_rename = Effect.RENAME in self.allows
        self.hidden = decisions[Effect.LIST].action is Action.HIDE
        self._minding = [state for state in states if not state.is_decided]
        no_deeper = not policy.settings.max_path_depth
        self.is_uniform = not self.may_list or (no_deeper and not self._minding)
        self._ordinary: Scope | None = None
        self.names: dict[str, Scope] = {}

    def decide(self, effect: Effect) -> Decision:
        """What is decided about an effect here."""
        return self._decisions[effect]

    def rules_alike(self, deeper: Scope) -> bool:
        """Whether the same holds below another place, which is not deeper than the depth limit minds."""
        if self is deeper:
            return True
        return deeper.depth <= self.depth and all(map(operator.is_, self.states, deeper.states))

    def below(self, name: str) -> Scope:
        """What the rules say of an entry."""
        found = self.names.get(name)
        if found is None:
            found = self._find_below(name)
        return found

    def _find_below(self, name: str) -> Scope:
        if not self.may_list:
            return self  # below what is not shown, nothing is
        ordinary = self._ordinary
        if ordinary is None:
            ordinary = self._ordinary = self._policy.ordinary(self)
        folded = self._policy.fold(name)
        found = ordinary
        for state in self._minding:
            if state.minds(folded):
                found = self._policy.below(self, name)
                break
        self._policy.remember(self, name, found)
        return found


def _all_rules(settings: Settings) -> list[Rule]:
    """The rules in the order in which they are asked; what none of them matches is denied."""
    return [
        *settings.rules,
        *_rule(Action.HIDE, "hidden_paths", settings.hidden_paths),
        *_rule(Action.HIDE, "hidden_patterns", patterns=settings.hidden_patterns),
        *_rule(Action.DENY, "denied_paths", settings.denied_paths),
        *_rule(Action.DENY, "denied_patterns", patterns=settings.denied_patterns),
        *_rule(Action.ALLOW, NOT_ALLOWED, settings.allowed_paths),
    ]


def _rule(action: Action, name: str, paths: tuple[str, ...] = (), patterns: tuple[str, ...] = ()) -> list[Rule]:
    return [Rule(action, paths=paths, patterns=patterns, name=name)] if paths or patterns else []
