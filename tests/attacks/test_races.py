"""A directory is swapped for a link that leads outside, over and over, while others read and write through it."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from functools import partial

import pytest

from tests.attacks import mount_agent
from tests.attacks.canaries import SIGNS
from tests.attacks.doors import Agent, ApiDoor, MountDoor
from tests.attacks.racing import eager_threads, set_up, swap, swapped_on_the_host, together, work
from tests.attacks.stages import Stage

SECONDS = [pytest.param(1.0, id="short"), pytest.param(10.0, id="long", marks=pytest.mark.slow)]
API_READS = [
    *("cat_file", "open", "ls", "find", "info", "open_handle", "reader by name", "cat_ranges", "glob", "nofollow"),
]
API_WRITES = [
    *("pipe_file", "open ab", "open_handle O_RDWR", "truncate", "chmod", "utime", "setxattr", "cp_file in", "touch"),
    *("open_handle O_CREAT", "pipe_file create", "link in", "rm_file", "mkdir", "rmdir", "symlink", "unlink"),
    *("mv into", "rm -r", "put_file"),
]
API_PLAN = [(API_READS, "real/file"), (API_READS, "real"), (API_WRITES, "real/file"), (API_WRITES, "real/new")]
MOUNT_READS = ["read", "stat", "scandir", "listxattr", "realpath", "lstat"]
MOUNT_WRITES = [
    *("open ab", "open r+b", "open O_CREAT", "truncate", "chmod", "utime", "setxattr", "copy in", "rename in"),
    *("link in", "unlink", "mkdir", "rmdir", "symlink", "unlink", "mknod", "open O_TMPFILE", "fallocate"),
]
MOUNT_PLAN = [
    *((MOUNT_READS, "real/file"), (MOUNT_READS, "real"), (MOUNT_WRITES, "real/file"), (MOUNT_WRITES, "real/new")),
]


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
