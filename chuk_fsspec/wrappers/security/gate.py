"""Where every path is checked, and every refusal is noted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.wrappers.security.policy import NOT_ALLOWED, Decision, Policy, Scope
from chuk_fsspec.wrappers.security.rules import Action
from chuk_fsspec.wrappers.security.violations import SecurityViolation, ViolationLog, over_quota, violation

WHAT_IT_HOLDS, WHERE_IT_GOES = "what it holds", "where it goes"
"""The rules that are named where a directory is refused for what is in it, and a move for its target."""


class Decides(Protocol):
    """What the rules say of something."""

    def decide(self, effect: Effect) -> Decision:
        """What is decided about an effect on it."""


class Gate:
    """A policy with its log.

    Args:
        policy: what is allowed.
        log: where refusals are noted.
    """

    def __init__(self, policy: Policy, log: ViolationLog) -> None:
        self.policy = policy
        self.log = log
        self._scope = policy.scope

    def require(self, operation: str, path: str, effect: Effect, *, creates: bool = False) -> Scope:
        """Check one effect on one path.

        Args:
            operation: the name of the operation, for the log.
            path: a normal path.
            effect: what happens to it.
            creates: whether the operation makes what is not there. A hidden path is not there; still it cannot be made,
                and the answer is the same whether there is something or not.

        Returns:
            What else is said of the path.

        Raises:
            SecurityViolation: EACCES or EROFS.
            FileNotFoundError: for a hidden path.
        """
        scope = self._scope(path)
        if effect not in scope.allows:
            raise self.refusal(operation, path, effect, scope, creates=creates)
        return scope

    def refusal(self, operation: str, path: str, effect: Effect, scope: Decides, *, creates: bool = False) -> OSError:
        """The error for what a scope does not allow; noted, unless the path is not there."""
        decision = scope.decide(effect)
        if decision.action is Action.HIDE and not creates:
            return not_found(path)
        return self.refused(operation, path, effect, decision.rule)

    def refused(
        self, operation: str, path: str, effect: Effect, rule: str, path2: str | None = None
    ) -> SecurityViolation:
        """The error for a refusal by a rule, noted."""
        self.log.add(operation, path, rule, effect.value)
        return violation(path, rule, path2)

    def over_quota(self, code: int, operation: str, path: str, rule: str) -> OSError:
        """The error for a quota, noted."""
        self.log.add(operation, path, rule, Effect.WRITE.value)
        return over_quota(code, path, rule)

    def require_any(self, operation: str, effect: Effect) -> None:
        """Check an operation on the filesystem as a whole: there has to be something that may be shown."""
        if not self.policy.root.may_list:
            raise self.refused(operation, "/", effect, NOT_ALLOWED)

    # ---- what a directory takes with it

    def require_removable(self, operation: str, path: str, below: Iterable[str]) -> None:
        """Check that all that lies below a directory may be removed with it. SecurityViolation."""
        if not self._scope(path).is_uniform:
            for one in below:
                if not self._scope(one).may_delete:
                    raise self.refused(operation, path, Effect.DELETE, WHAT_IT_HOLDS)

    def require_movable(self, operation: str, source: str, target: str, below: Iterable[str]) -> None:
        """Check that what is moved gains nothing by it, and may stay what it is.

        Args:
            operation: the name of the operation, for the log.
            source: where it is.
            target: where it goes.
            below: all that it holds, as paths below ``source``; only looked at where the rules differ.

        Raises:
            SecurityViolation: if it, or something that it holds, could then be used in more ways, or not be put there.
        """
        here, there = self._scope(source), self._scope(target)
        pairs = [(here, there)]
        if not here.rules_alike(there):
            pairs += [(self._scope(one), self._scope(target + one[len(source) :])) for one in below]
        for before, after in pairs:
            kept = not before.may_list or (before.may_rename and after.may_rename)
            if not (after.allows <= before.allows and kept):
                raise self.refused(operation, source, Effect.RENAME, WHERE_IT_GOES, target)

    def require_linkable(self, operation: str, source: str, target: str) -> None:
        """Check that a second name gives no more than the first. SecurityViolation."""
        gained = self._scope(target).allows - self._scope(source).allows - {Effect.DELETE, Effect.RENAME}
        if gained:
            raise self.refused(operation, source, Effect.WRITE, WHERE_IT_GOES, target)
