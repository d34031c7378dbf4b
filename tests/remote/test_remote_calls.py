"""Requests: a time for each, so many at once, and again where that can do no harm."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import pytest

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.calling import Calls, Patience, UnfinishedError, Verdict
from chuk_fsspec.testing.checks import fails_with

IMPATIENT = Patience(timeout=0.2, attempts=4, first_wait=0.001, longest_wait=0.01)


class Busy(Exception):  # noqa: N818 - as the service calls it
    """Passes."""


class Refused(Exception):  # noqa: N818 - likewise
    """Does not."""


def judge(error: Exception, path: str) -> Verdict:
    if isinstance(error, OSError):
        return Verdict(error)
    is_passing = isinstance(error, Busy)
    return Verdict(os_error(errno.EBUSY if is_passing else errno.EACCES, path), is_passing=is_passing)


class Request:
    """Fails with some errors, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def make(request: Callable[[], Any], patience: Patience = IMPATIENT, **options: Any) -> Any:
    return asyncio.run(_make(request, patience, options))


async def _make(request: Callable[[], Any], patience: Patience, options: dict[str, Any]) -> Any:
    return await Calls(judge, patience, 4)("/f", request, **options)


def test_what_passes_is_tried_again():
    request = Request(Busy(), Busy(), Busy())
    assert make(request) == "answer"
    assert request.made == 4


def test_what_goes_on_has_all_attempts_before_it_each_time():
    request = Request(*(error for _ in range(5) for error in (Busy(), Busy(), UnfinishedError())))
    assert make(request) == "answer"
    assert request.made == 16


def test_what_carries_much_may_take_longer():
    async def slow() -> str:
        await asyncio.sleep(0.05)
        return "answer"

    once = Patience(timeout=0.01, attempts=1)
    assert make(slow, once, size=8 << 20) == "answer"
    with fails_with(errno.ETIMEDOUT):
        make(slow, once)


def test_not_for_ever():
    request = Request(*(Busy() for _ in range(9)))
    with fails_with(errno.EBUSY, "/f"):
        make(request)
    assert request.made == 4


def test_what_does_not_pass_is_told_at_once_with_its_cause():
    request = Request(Refused("because"))
    with pytest.raises(PermissionError) as caught:
        make(request)
    assert (request.made, caught.value.filename) == (1, "/f")
    assert isinstance(caught.value.__cause__, Refused)


def test_what_must_not_be_made_twice_is_not():
    request = Request(Busy())
    with fails_with(errno.EBUSY):
        make(request, repeatable=False)
    assert request.made == 1


def test_an_error_that_is_right_already_is_raised_as_it_is():
    error = os_error(errno.ENOENT, "/f")
    with pytest.raises(FileNotFoundError) as caught:
        make(Request(error))
    assert caught.value is error
    assert caught.value.__cause__ is None


def test_a_stall_ends():
    made = 0

    async def stall() -> str:
        nonlocal made
        made += 1
        if made < 3:
            await asyncio.sleep(60)
        return "answer"

    assert make(stall) == "answer"
    assert made == 3
    with fails_with(errno.ETIMEDOUT, "/f"):
        make(lambda: asyncio.sleep(60), Patience(timeout=0.01, attempts=1))


def test_a_task_that_is_cancelled_asks_no_more():
    request = Request(*(Busy() for _ in range(99)))

    async def cancel() -> None:
        calls = Calls(judge, Patience(attempts=100, first_wait=10, longest_wait=10), 1)
        task = asyncio.ensure_future(calls("/f", request))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert request.made == 1


def test_so_many_at_once_in_every_loop():
    calls = Calls(judge, IMPATIENT, 3)
    running = most = 0

    async def request() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1

    async def many() -> None:
        await asyncio.gather(*(calls("/f", request) for _ in range(20)))

    for _ in range(2):
        asyncio.run(many())
    assert most == 3


def test_waits_grow_and_end():
    patience = Patience(first_wait=1, longest_wait=5)
    for attempt, most in ((1, 1), (2, 2), (3, 4), (4, 5), (50, 5)):
        waits = [patience.wait(attempt, 0) for _ in range(50)]
        assert most / 2 <= min(waits) <= max(waits) <= most
    assert patience.wait(1, 3) == 3
    assert min(patience.wait(1, 0, is_throttled=True) for _ in range(50)) >= patience.throttled_wait / 2
    assert patience.wait(1, 60) == 5


@pytest.mark.parametrize("options", [{"timeout": 0}, {"attempts": 0}, {"first_wait": -1}, {"longest_wait": -1}])
def test_numbers_that_mean_nothing(options: dict[str, Any]):
    with pytest.raises(ValueError):
        Patience(**options)
