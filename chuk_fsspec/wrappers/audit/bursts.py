"""Reads and writes that come without an open file, as a kernel sends them: many for one file, and no word of the end.

The first one is recorded at once; what follows within a while is summed up in one more record. So a killed process has
left a trace of every file that it touched, and a large file costs few more records than a small one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.wrappers.audit.failure import messages
from chuk_fsspec.wrappers.audit.moment import now
from chuk_fsspec.wrappers.audit.recorder import CHANGES, Call, Recorder, State, Target

INTERVAL = 10.0
"""Seconds after which what was summed up is recorded."""

_NAMES = {Effect.READ: "node.read", Effect.WRITE: "node.write"}


class Burst:
    """What is read from one node, or written to it, during one interval.

    Args:
        effect: READ or WRITE.
        ino: the node.
        path: where it was when the burst began.
        state: of its content at the last record, or before the first.
    """

    __slots__ = ("began", "clock", "effect", "ino", "is_recorded", "number", "path", "state")

    def __init__(self, effect: Effect, ino: int, path: str | None, state: State) -> None:
        self.effect = effect
        self.ino = ino
        self.path = path
        self.state = state
        self.number = 0
        self.is_recorded = False
        self.began = now()
        self.clock = time.monotonic()


class Bursts:
    """The bursts that are under way, the oldest first.

    Args:
        recorder: where they are recorded.
        path_of: the path of a node; None if it has none.
        interval: seconds that a burst lasts.
    """

    def __init__(self, recorder: Recorder, path_of: Callable[[Node], str | None], interval: float = INTERVAL) -> None:
        self._recorder = recorder
        self._path_of = path_of
        self._interval = interval
        # Reentrant: see the log's.
        self._lock = threading.RLock()
        self._bursts: dict[tuple[Effect, int], Burst] = {}

    def begin(self, effect: Effect, node: Node) -> Burst:
        """Before something is read or written: the burst that it belongs to. OSError if it could not be recorded."""
        self._end_old()
        if effect in CHANGES:
            self._recorder.log.check_ready()
        burst = self._bursts.get((effect, node.ino))
        if burst is None:
            path = self._path_of(node)
            burst = Burst(effect, node.ino, path, self._recorder.state_of_node(path, node.ino))
            with self._lock:
                burst = self._bursts.setdefault((effect, node.ino), burst)
        return burst

    def add(self, burst: Burst, number: int) -> None:
        """After it: so many bytes. OSError if it could not be recorded."""
        with self._lock:
            is_first, burst.is_recorded = not burst.is_recorded, True
            if not is_first:
                burst.number += number
        if is_first:
            self._record(burst, number)

    def failed(self, burst: Burst, error: BaseException) -> None:
        """After it: it did not go well."""
        self._recorder.end(Call(_NAMES[burst.effect], burst.effect, [Target(burst.path, before=burst.state)]), error)

    def end(self, node: Node) -> None:
        """Nobody holds the node any more."""
        for effect in _NAMES:
            self._end(self._bursts.get((effect, node.ino)))

    def end_all(self) -> None:
        """The door is closed."""
        for burst in list(self._bursts.values()):
            self._end(burst)

    def _end_old(self) -> None:
        while self._bursts:
            burst = next(iter(self._bursts.values()), None)
            if burst is None or time.monotonic() - burst.clock < self._interval:
                return
            self._end(burst)

    def _end(self, burst: Burst | None) -> None:
        """Record what was summed up. Nobody takes an error here: the log counts it, and says it as soon as it can."""
        if burst is None:
            return
        with self._lock:
            if self._bursts.pop((burst.effect, burst.ino), None) is None or not burst.number:
                return
        try:
            self._record(burst, burst.number)
        except OSError as error:
            messages.error("what was done with a file went unrecorded: %s", error.strerror)

    def _record(self, burst: Burst, number: int) -> None:
        target = Target(burst.path, before=burst.state)
        if burst.effect in CHANGES:
            target.after = burst.state = self._recorder.state_of_node(burst.path, burst.ino)
            target.bytes_written = number
        else:
            target.bytes_read = number
        call = Call(_NAMES[burst.effect], burst.effect, [target], began=burst.began, clock=burst.clock)
        self._recorder.end(call)
