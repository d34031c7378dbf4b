"""A directory is swapped for a link that leads outside, over and over, while others read and write through it."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial

import pytest

from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from tests.attacks import mount_agent
from tests.attacks.api_ways import SOURCE
from tests.attacks.attack import problems
from tests.attacks.canaries import SIGNS
from tests.attacks.doors import Agent, ApiDoor, MountDoor
from tests.attacks.stages import Stage

SECONDS = [pytest.param(1.0, id="short"), pytest.param(10.0, id="long", marks=pytest.mark.slow)]
API_READS = [
    "cat_file",
    "open",
    "ls",
    "find",
    "info",
    "open_handle",
    "reader by name",
    "cat_ranges",
    "glob",
    "nofollow",
]
API_WRITES = [
    *("pipe_file", "open ab", "open_handle O_RDWR", "truncate", "chmod", "utime", "setxattr", "cp_file in", "touch"),
    *(
        "open_handle O_CREAT",
        "pipe_file create",
        "link in",
        "rm_file",
        "mkdir",
        "rmdir",
        "symlink",
        "unlink",
        "mv into",
    ),
    *("rm -r", "put_file"),
]
API_PLAN = [(API_READS, "real/file"), (API_READS, "real"), (API_WRITES, "real/file"), (API_WRITES, "real/new")]
MOUNT_READS = ["read", "stat", "scandir", "listxattr", "realpath", "lstat"]
MOUNT_WRITES = [
    *(
        "open ab",
        "open r+b",
        "open O_CREAT",
        "truncate",
        "chmod",
        "utime",
        "setxattr",
        "copy in",
        "rename in",
        "link in",
    ),
    *("unlink", "mkdir", "rmdir", "symlink", "unlink", "mknod", "open O_TMPFILE", "fallocate"),
]
MOUNT_PLAN = [
    (MOUNT_READS, "real/file"),
    (MOUNT_READS, "real"),
    (MOUNT_WRITES, "real/file"),
    (MOUNT_WRITES, "real/new"),
]


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
    """Meanwhile another process does the same below the root, if the stage has one on the host."""
    if stage.root is None:
        yield
        return
    with closing(Agent(stage.root)) as agent:
        agent.ask(mount_agent.swap, f"{area}/real", f"{area}/link0", seconds)
        yield
        assert agent.answer() > 0


@pytest.mark.parametrize("seconds", SECONDS)
def test_no_swap_opens_a_way_out(stage: Stage, api: ApiDoor, seconds: float) -> None:
    each = seconds / len(stage.areas)
    for area in stage.areas:
        set_up(stage, area)
        seen: Counter[str] = Counter()
        tasks = [partial(swap, stage, area, each, seen)]
        for ways, name in API_PLAN:
            tasks.append(partial(work, stage, api, ways, f"{area}/{name}", each, seen))
        with eager_threads(), swapped_on_the_host(stage, area, each):
            together(tasks)
        assert not [problem for problem in seen if problem.startswith("PROBLEM")]
        assert min(seen[kind] for kind in ("swap", "result", "error")) > 0, seen
    assert not stage.changes()


@pytest.mark.mount
@pytest.mark.parametrize("seconds", SECONDS)
def test_no_swap_opens_a_way_out_of_a_mount(stage: Stage, mounted: MountDoor, seconds: float) -> None:
    each = seconds / len(stage.areas)
    for area in stage.areas:
        set_up(stage, area)
        with ExitStack() as stack:
            swapper, *workers = [
                stack.enter_context(closing(Agent(mounted.mountpoint))) for _ in range(1 + len(MOUNT_PLAN))
            ]
            stack.enter_context(swapped_on_the_host(stage, area, each))
            swapper.ask(mount_agent.swap, f"{area}/real", f"{area}/link0", each)
            for worker, (ways, name) in zip(workers, MOUNT_PLAN, strict=True):
                worker.ask(mount_agent.hammer, ways, f"{area}/{name}", each, SIGNS)
            assert swapper.answer() > 0
            answers = [worker.answer() for worker in workers]
        assert [found for found, _, _ in answers] == [[]] * len(answers)
        assert min(results for _, results, _ in answers) > 0
        assert sum(errors for _, _, errors in answers) > 0
    assert not stage.changes()
