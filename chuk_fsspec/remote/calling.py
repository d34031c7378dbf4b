"""One request to a service: within a time, not too many at once, and again where that can do no harm."""

from __future__ import annotations

import asyncio
import errno
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.blocking import pause

Result = TypeVar("Result")


_SLOWEST = 64 << 10
"""Bytes of one request that come through in a second at least."""


class UnfinishedError(Exception):
    """A request has done a part of its work, and goes on when it is made again, with all attempts before it."""


@dataclass(frozen=True)
class Patience:
    """How long a filesystem waits for a service. Times are in seconds.

    Attributes:
        timeout: for one attempt.
        attempts: for one request, the first included.
        first_wait: before the second attempt; it doubles for each further one, and a random part of it is left out.
        longest_wait: between two attempts, whatever the service asks for.
        throttled_wait: in place of ``first_wait`` where the service asks for fewer requests.
    """

    timeout: float = 60.0
    attempts: int = 5
    first_wait: float = 0.1
    longest_wait: float = 20.0
    throttled_wait: float = 1.0

    def __post_init__(self) -> None:
        """ValueError for times and numbers that mean nothing."""
        if self.timeout <= 0 or self.first_wait < 0 or self.longest_wait < 0:
            raise ValueError("timeout is more than 0 seconds, and waits are not negative")
        if self.attempts < 1:
            raise ValueError("attempts is at least 1")

    def wait(self, attempt: int, asked: float, *, is_throttled: bool = False) -> float:
        """Seconds to wait.

        Args:
            attempt: after which one, counted from 1.
            asked: seconds that the service asks for; 0 for none.
            is_throttled: it asks for fewer requests.
        """
        first = self.throttled_wait if is_throttled else self.first_wait
        most = min(self.longest_wait, first * 2 ** (attempt - 1))
        return max(min(asked, self.longest_wait), random.uniform(most / 2, most))  # noqa: S311 - no secret

    def time_for(self, size: int) -> float:
        """Seconds for one attempt at a request that carries so many bytes, over a line that others use too."""
        return self.timeout + size / _SLOWEST


@dataclass(frozen=True)
class Verdict:
    """What an error of a service means.

    Attributes:
        error: what the user is told.
        is_passing: the same request may succeed later.
        wait: seconds that the service asks for; 0 if it does not say.
        is_throttled: it may succeed if fewer are made.
    """

    error: OSError
    is_passing: bool = False
    wait: float = 0.0
    is_throttled: bool = False


Judge = Callable[[Exception, str], Verdict]
"""Says what an error of a service means, for the path that the request is about."""


_within: Any = getattr(asyncio, "timeout", None)
"""Ends a block after so many seconds, without a task of its own; Python has it from 3.11 on."""

_AHEAD = 8
"""Pieces of files that one filesystem asks for before they are wanted."""


class Room:
    """How much may be done before it is wanted, for all who share it."""

    def __init__(self, free: int) -> None:
        self._free = free

    def take(self) -> bool:
        """Take a place, if there is one."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def give(self, places: int = 1) -> None:
        """Give back what was taken."""
        self._free += places


class Calls:
    """The requests of one filesystem.

    Attributes:
        ahead: room for requests for what comes next in a file that is read in order.
    """

    def __init__(self, judge: Judge, patience: Patience, parallel: int) -> None:
        """Begin without any.

        Args:
            judge: knows the errors of the service.
            patience: how long to wait.
            parallel: how many may be on their way at once.
        """
        self._judge = judge
        self._patience = patience
        self._parallel = parallel
        self.ahead = Room(_AHEAD)
        self._turns: tuple[asyncio.AbstractEventLoop, asyncio.Semaphore] | None = None

    async def __call__(
        self, path: str, request: Callable[[], Awaitable[Result]], *, repeatable: bool = True, size: int = 0
    ) -> Result:
        """Make a request.

        Args:
            path: what it is about, for messages.
            request: makes it anew each time it is called; nothing that an attempt spends may be used again by the next.
            repeatable: made twice it does the same as made once, or answers so that this can be seen. Without it, a
                request whose reply is lost is not made again.
            size: bytes that it sends or asks for, which take their time.

        Returns:
            What the request returns.

        Raises:
            OSError: as the judge has it; ETIMEDOUT if it took too long.
        """
        attempts = self._patience.attempts if repeatable else 1
        seconds = self._patience.time_for(size)
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(request, seconds)
            except UnfinishedError:
                attempt = 0
                continue
            except Exception as error:  # noqa: BLE001 - each service has its own, and the judge knows them
                verdict = self._verdict(error, path)
                if not verdict.is_passing or attempt == attempts:
                    raise verdict.error from (None if verdict.error is error else error)
            await self._pause(self._patience.wait(attempt, verdict.wait, is_throttled=verdict.is_throttled))

    async def _attempt(self, request: Callable[[], Awaitable[Result]], seconds: float) -> Result:
        """Make a request when it is its turn."""
        async with self._turn():
            if _within is None:
                return await asyncio.wait_for(request(), seconds)
            async with _within(seconds):
                return await request()

    def _turn(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._turns is None or self._turns[0] is not loop:
            self._turns = (loop, asyncio.Semaphore(self._parallel))
        return self._turns[1]

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _verdict(self, error: Exception, path: str) -> Verdict:
        if isinstance(error, asyncio.TimeoutError):
            hint = f"no reply within {self._patience.timeout:g} seconds"
            return Verdict(os_error(errno.ETIMEDOUT, path, hint=hint), is_passing=True)
        return self._judge(error, path)


class BlockingCalls(Calls):
    """The same for requests that block their thread, and that keep to the time themselves (``remote.blocking``)."""

    def __init__(self, judge: Judge, patience: Patience, parallel: int) -> None:
        super().__init__(judge, patience, parallel)
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(parallel):
            self._free.put(None)

    async def _attempt(self, request: Callable[[], Awaitable[Result]], seconds: float) -> Result:
        self._free.get()
        try:
            return await request()
        finally:
            self._free.put(None)

    async def _pause(self, seconds: float) -> None:
        pause(seconds)
