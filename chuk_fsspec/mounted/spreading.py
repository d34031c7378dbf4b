"""What a door asks of a tree, asked of every mount in it, with the numbers and nodes of that mount."""

from __future__ import annotations

from collections.abc import Callable, Container

from chuk_fsspec.contract.nodes import Change, Node
from chuk_fsspec.mounted.node import Place

Ending = Callable[[], None]


class Spread:
    """Something that is asked of every mount, also of those that come later.

    Args:
        start: asks a mount for it; returns what ends it.
    """

    def __init__(self, start: Callable[[Place], Ending]) -> None:
        self._start = start
        self._endings: dict[int, Ending] = {}

    def reach(self, place: Place) -> None:
        """Ask one more mount."""
        self._endings[place.mount.number] = self._start(place)

    def leave(self, place: Place) -> None:
        """End it for one mount."""
        ending = self._endings.pop(place.mount.number, None)
        if ending is not None:
            ending()

    def end(self) -> None:
        """End it for all."""
        while self._endings:
            self._endings.popitem()[1]()


class Held:
    """The table of a door, asked by a mount with its own numbers."""

    def __init__(self, table: Container[int], place: Place) -> None:
        self._table = table
        self._number = place.number

    def __contains__(self, ino: object) -> bool:
        return isinstance(ino, int) and self._number(ino) in self._table


def translated(callback: Change, place: Place) -> Change:
    """A callback for changes in a mount, which hears of them as changes in the tree."""

    def changed(directory: Node | None, name: str, node: Node | None) -> None:
        callback(place.wrap(directory), name, place.wrap(node))

    return changed
