"""What may be done with each node that a door knows, decided once and kept until it is found elsewhere."""

from __future__ import annotations

import errno
import stat
from collections.abc import Sequence
from typing import NoReturn

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.contract.paths import PATH_MAX
from chuk_fsspec.forwarding.node_paths import Known, NodePaths
from chuk_fsspec.wrappers.security.policy import Decision, Policy, Scope


class Strictest:
    """What may be done with a file that was reached by several names: what is allowed by all of them."""

    def __init__(self, scopes: Sequence[Scope]) -> None:
        self._scopes = scopes
        self.allows = frozenset[Effect].intersection(*[scope.allows for scope in scopes])
        self.is_uniform = True
        self.may_list = Effect.LIST in self.allows
        self.may_read = Effect.READ in self.allows
        self.may_write = Effect.WRITE in self.allows

    def below(self, name: str) -> NoReturn:
        """ENOTDIR: no directory has several names."""
        raise os_error(errno.ENOTDIR, name)

    def decide(self, effect: Effect) -> Decision:
        """What is decided by the name that allows least."""
        return next((scope for scope in self._scopes if effect not in scope.allows), self._scopes[0]).decide(effect)


Grant = Scope | Strictest
Found = Known[Grant]


class Grants:
    """The grants of one door's nodes.

    Args:
        policy: what is allowed.
        nodes: the inode operations below, to find nodes that were let go of.
    """

    def __init__(self, policy: Policy, nodes: NodeOperations) -> None:
        self._policy = policy
        self._nodes = nodes
        self.paths: NodePaths[Grant] = NodePaths(nodes.root)
        self.paths.root.note = policy.root

    def known(self, node: Node) -> Found:
        """What is known of a node. ESTALE for a file that nobody held and that was not looked up for long."""
        return self.paths.find(node) or self._search(node)

    def of(self, node: Node) -> Grant:
        """What may be done with a node."""
        known = self.known(node)
        return known.note or self._decide(known)

    def moved(self, directory: Node, name: str, node: Node) -> bool:
        """A node is under another entry now.

        Returns:
            Whether other things may be done with it, or below it, than before. Then all grants are decided anew.
        """
        known = self.paths.find(node)
        if known is None:
            return False
        before = known.note
        try:
            self.paths.moved(self.known(directory), name, node)
            if before is None or self.of(node) is before:
                return False
        except OSError:  # others moved what is above, too: it has to be looked up again from there
            self.paths.drop(known)
        self.forget_all()
        return True

    def forget_all(self) -> None:
        """Decide anew about every node."""
        self.paths.forget_notes()
        self.paths.root.note = self._policy.root

    def check_all(self) -> None:
        """Anything may have changed: what is not where it was found is found again, or forgotten."""
        for known in self.paths.all():
            if known.node.nlink and not self._is_there(known):
                self.paths.drop(known)
        self.forget_all()

    def _is_there(self, known: Found) -> bool:
        """Whether a node is where it was found."""
        assert known.parent is not None
        if not known.name:
            return False
        try:
            found = self._nodes.lookup(known.parent.node, known.name)
        except OSError:  # the directory is not where it was found
            return False
        return found is not None and found.ino == known.node.ino

    def _decide(self, known: Found) -> Grant:
        """Decide about a node from the directories that it was found in, and about those first."""
        pending = [known]
        while (above := pending[-1].parent) is not None and above.note is None:
            pending.append(above)
        for one in reversed(pending):
            one.note = self._granted(one)
        assert known.note is not None
        return known.note

    def _granted(self, known: Found) -> Grant:
        scopes: list[Scope] = []
        for parent, name in known.entries():
            above = parent.note or self._decide(parent)
            scopes.append(above.below(name))
        if not scopes:
            return self._policy.root
        return scopes[0] if len(set(scopes)) == 1 else Strictest(scopes)

    def _search(self, node: Node) -> Found:
        """Find a directory again from above."""
        unknown: list[Node] = []
        above = node
        while (known := self.paths.find(above)) is None:
            if not stat.S_ISDIR(above.mode) or len(unknown) > PATH_MAX:  # others moved directories into one another
                raise os_error(errno.ESTALE)
            unknown.append(above)
            above = self._nodes.parent(above)
        for one in reversed(unknown):
            known = self.paths.saw(known, self._name_in(known.node, one), one)
        return known

    def _name_in(self, directory: Node, node: Node) -> str:
        for name, child in self._nodes.entries(directory):
            if child.ino == node.ino:
                return name
        raise os_error(errno.ESTALE)
