"""Who may change what: one thread at a time, for all paths together or for each path.

While a thread has its turn, what it changes may be announced to a mount, and a mount that is told waits for its kernel,
which may be waiting for somebody who waits for a turn. So announcements to those who take turns are kept back until the
turn is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

_STRIPES = 64


class Turn:
    """A lock that its owner may take again, with announcements kept back."""

    __slots__ = ("_depth", "_kept_back", "_lock", "_owner")

    def __init__(self) -> None:
        self._kept_back: list[Callable[[], None]] = []
        self.renew()

    def renew(self) -> None:
        """Forget who has it: after a fork, that may be a thread that the child does not have."""
        self._lock = threading.RLock()
        self._depth = 0
        self._owner = 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        self._owner = threading.get_ident()

    def __exit__(self, *exc_info: object) -> None:
        self._depth -= 1
        if self._depth:
            self._lock.release()
            return
        self._owner = 0
        kept_back, self._kept_back = self._kept_back, []
        self._lock.release()
        for tell in kept_back:
            tell()

    def keeps_back(self, tell: Callable[[], None]) -> bool:
        """Whether this thread has its turn; then ``tell`` is called when it ends."""
        if self._owner != threading.get_ident():
            return False
        self._kept_back.append(tell)
        return True


class Turns:
    """One turn for everything, or one for each path.

    Args:
        by_path: whether changes of different paths do not concern each other.
    """

    def __init__(self, by_path: bool) -> None:
        self._turns = [Turn() for _ in range(_STRIPES if by_path else 1)]
        self.whole = self._turns[0]
        """The turn that everybody takes where there is only one."""

    def taken(self, paths: Iterable[str]) -> AbstractContextManager[None]:
        """A block in which nobody else has a turn for these paths; for any, if none is given."""
        if len(self._turns) == 1:
            return self.whole
        numbers = sorted({hash(path) % _STRIPES for path in paths})
        return _together([self._turns[number] for number in numbers] or self._turns)

    def renew(self) -> None:
        """Forget who had a turn."""
        for turn in self._turns:
            turn.renew()


@contextmanager
def _together(turns: list[Turn]) -> Iterator[None]:
    """Several turns, always taken in the same order."""
    with ExitStack() as stack:
        for turn in turns:
            stack.enter_context(turn)
        yield
