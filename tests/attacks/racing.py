"""A directory that is swapped for a link which leads outside, over and over, and those who meanwhile go through it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress

from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from tests.attacks import mount_agent
from tests.attacks.api_ways import SOURCE
from tests.attacks.attack import problems
from tests.attacks.doors import Agent, ApiDoor
from tests.attacks.stages import Stage


@contextmanager
def eager_threads() -> Iterator[None]:
    """Let threads take turns as often as Python can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def set_up(stage: Stage, area: str) -> None:
    """Make the directory, and a link to each place where a canary is."""
    stage.fs.pipe({f"{area}/real/file": b"inside", f"{area}/real/sub/file": b"inside", f"{area}/source": b"inside"})
    for number, place in enumerate(stage.places):
        stage.fs.posix.symlink(f"../../{place}", f"{area}/link{number}")


def work(stage: Stage, api: ApiDoor, ways: list[str], path: str, seconds: float, seen: Counter[str]) -> None:
    """Try ways over and over; notes what is wrong, and how often each came to a result or an error."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):  # others are at it too
            api.write(SOURCE, b"inside")
        for way in ways:
            outcome = api.attempt(way, path)
            for problem in problems(stage, outcome, [path, *stage.places]):
                seen[f"PROBLEM {problem}"] += 1
            seen["error" if outcome.error else "result"] += 1


def swap(stage: Stage, area: str, seconds: float, seen: Counter[str]) -> None:
    """Exchange the directory with each link, and back."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for number in range(len(stage.places)):
            for _ in range(2):
                stage.fs.posix.rename(f"{area}/real", f"{area}/link{number}", RENAME_EXCHANGE)
                seen["swap"] += 1
                time.sleep(0)


def together(tasks: Iterable[Callable[[], None]]) -> None:
    """Run tasks in threads, and raise what they raise."""
    errors: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@contextmanager
def swapped_on_the_host(stage: Stage, area: str, seconds: float) -> Iterator[None]:
    """Meanwhile another process does the same below the root, if the stage has one on the host and this is root."""
    if stage.root is None or os.geteuid() != 0:
        yield
        return
    with closing(Agent(stage.root)) as agent:
        agent.ask(mount_agent.swap, f"{area}/real", f"{area}/link0", seconds)
        yield
        assert agent.answer() > 0
