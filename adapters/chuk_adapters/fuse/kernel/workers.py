"""Threads that serve one mount: one more whenever all are busy, so that no request waits for one that is stalled."""

from __future__ import annotations

import threading
from collections.abc import Callable

_LISTENING = 4
"""Threads that stay to wait for requests once they have nothing else to do."""


class Workers:
    """Threads that each take requests and answer them, one at a time."""

    def __init__(self, loop: Callable[[], bool], most: int) -> None:
        """None yet.

        Args:
            loop: takes requests, and says ``begins`` and ``ends`` for each; returns True when there are no more, or
                False when ``ends`` says so.
            most: threads there may be; further requests wait.
        """
        self._loop = loop
        self._most = most
        self._alive = 0
        self._listening = 0
        self._is_over = False
        self._at_the_end: Callable[[], None] | None = None
        self._changed = threading.Condition(threading.RLock())

    def run(self, spare: Callable[[], int]) -> None:
        """Work until there are no more requests: in this thread alone, or in as many others as it takes.

        Args:
            spare: how many requests are under way whose answers nobody needs then; they are not waited for.
        """
        with self._changed:
            self._alive += 1
            self._listening += 1
        if self._most == 1:
            self._work()
            return
        self._start()
        with self._changed:
            self._changed.wait_for(lambda: self._is_over and self._alive <= spare())

    def at_the_end(self, act: Callable[[], None]) -> None:
        """Have something done when the last thread has ended."""
        with self._changed:
            if self._alive:
                self._at_the_end = act
                return
        act()

    def begins(self) -> None:
        """This thread has taken a request; somebody else listens from now on."""
        with self._changed:
            self._listening -= 1
            if self._listening or self._alive == self._most:
                return
            self._alive += 1
            self._listening += 1
        self._start()

    def ends(self) -> bool:
        """This thread is done with it; whether it should take another one, or enough others listen."""
        with self._changed:
            if self._listening >= _LISTENING:
                return False
            self._listening += 1
            return True

    def _start(self) -> None:
        threading.Thread(target=self._work, name="fuse-worker", daemon=True).start()

    def _work(self) -> None:
        is_over = True
        try:
            is_over = self._loop()
        finally:
            with self._changed:
                self._is_over |= is_over
                self._alive -= 1
                self._changed.notify_all()
                last_act = None if self._alive else self._at_the_end
            if last_act is not None:
                last_act()
