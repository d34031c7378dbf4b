"""From a path to what has to be taken over before the upper filesystem can answer for it."""

from __future__ import annotations

import errno
import stat

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.wrappers.staging.overlay import Overlay

LINKS_MAX = 40
_KNOWN_MAX = 4096

_NO_NAMES = ("", ".", "..")
"""With what the path of a link may end; no directory has an entry of that name."""
_LEADS_NOWHERE = frozenset((errno.ENOTDIR, errno.ENAMETOOLONG))


class Resolver:
    """Walks paths as the upper filesystem is going to, and has every directory on the way taken over."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._nodes = overlay.nodes
        self._known: dict[str, Node] = {}
        self._moves = overlay.moves

    def entry(self, path: str) -> Node | None:
        """The node at a normal path, a link not followed; None if there is none."""
        found = self._walk(path)
        return found[1] if found is not None else None

    def target(self, path: str) -> Node | None:
        """The node that a normal path leads to; None if it leads nowhere."""
        for _ in range(LINKS_MAX + 1):
            found = self._walk(path)
            if found is None:
                return None
            directory, node = found
            if node is None or not stat.S_ISLNK(node.mode):
                return node
            path = _onward(directory, self._nodes.readlink(node))
        return None

    def prepare_entries(self, path: str) -> Node | None:
        """Take over the entries of a directory, and where links in it lead; returns what the path leads to."""
        node = self.target(path)
        if node is not None and stat.S_ISDIR(node.mode):
            self._overlay.fill(self._nodes, node)
            for name, below in self._nodes.entries(node):
                if stat.S_ISLNK(below.mode):
                    self.target(join(path, name))
        return node

    def prepare_below(self, path: str, maxdepth: int | None = None) -> Node | None:
        """The same for all below a directory, so many levels down."""
        start = self.prepare_entries(path)
        level = [(path, start)] if start is not None and stat.S_ISDIR(start.mode) else []
        depth = 1
        while level and depth != maxdepth:
            deeper: list[tuple[str, Node]] = []
            for above, directory in level:
                for name, node in self._nodes.entries(directory):
                    if stat.S_ISDIR(node.mode):
                        self._overlay.fill(self._nodes, node)
                        deeper.append((join(above, name), node))
                    elif stat.S_ISLNK(node.mode):
                        self.target(join(above, name))
            level = deeper
            depth += 1
        return start

    def _walk(self, path: str) -> tuple[str, Node | None] | None:
        """The real path of the directory of an entry, and its node if there is one; None without the directory."""
        if path == "/":
            return "/", self._nodes.root
        above, name = split(path)
        if self._moves != self._overlay.moves:
            self._moves, self._known = self._overlay.moves, {}
        directory = self._known.get(above) if name not in _NO_NAMES else None
        if directory is not None:
            self._overlay.fill(self._nodes, directory)
            return above, self._look(directory, name)
        return self._from_root(path)

    def _from_root(self, path: str) -> tuple[str, Node | None] | None:
        pending = _components(path)
        here: list[tuple[str, Node]] = [("/", self._nodes.root)]
        links = LINKS_MAX
        while True:
            name = pending.pop() if pending else "."
            real, directory = here[-1]
            if name in (".", ".."):
                if name == ".." and len(here) > 1:
                    here.pop()
                if not pending:
                    return split(here[-1][0])[0], here[-1][1]
                continue
            if not stat.S_ISDIR(directory.mode):
                return None
            self._overlay.fill(self._nodes, directory)
            node = self._look(directory, name)
            if not pending:
                self._remember(real, directory)
                return real, node
            if node is None:
                return None
            if stat.S_ISLNK(node.mode):
                if not links:
                    return None
                links -= 1
                leads = self._nodes.readlink(node)
                if leads.startswith("/"):
                    here = here[:1]
                pending += _components(leads)
            else:
                here.append((join(real, name), node))

    def _look(self, directory: Node, name: str) -> Node | None:
        try:
            return self._nodes.lookup(directory, name)
        except OSError as error:
            if error.errno in _LEADS_NOWHERE:
                return None
            raise

    def _remember(self, path: str, directory: Node) -> None:
        if len(self._known) >= _KNOWN_MAX:
            self._known = {}
        self._known[path] = directory


def _components(path: str) -> list[str]:
    """The names of a path, last first."""
    components = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    if path.endswith(("/", "/.")) and components:
        components.insert(0, ".")
    return components


def _onward(directory: str, target: str) -> str:
    """The path, not necessarily normal, of what a link in a directory points to."""
    return target if target.startswith("/") else f"{directory.rstrip('/')}/{target}"
