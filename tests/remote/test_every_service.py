"""The coroutines of every service: all of them, in any event loop, and what is left when one is cancelled."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.remote.cancelling import is_cancelled_at
from tests.remote.coroutines import use_every_coroutine
from tests.remote.faults import Fault
from tests.remote.grounds import GROUNDS, Ground

OLD, OTHER, NEW = b"old" * 10, b"other" * 10, b"new" * 10


BY_NIGHT = ("obstore", "s3")
"""Those whose server takes its time."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=pytest.mark.slow) if one in BY_NIGHT else one for one in GROUNDS],
)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with GROUNDS[request.param](tmp_path_factory.mktemp("ground")) as ground:
        yield ground


def others() -> set[asyncio.Task[Any]]:
    """What runs in this loop besides the caller."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def test_each_coroutine(ground: Ground, tmp_path: Path) -> None:
    async def act() -> None:
        fs = ground.opened(**ground.new_place(), asynchronous=True)
        await use_every_coroutine(fs, tmp_path)
        await fs._close()
        await fs._close()
        assert not others()

    asyncio.run(act())
    assert ground.unfinished() == []


def test_made_in_one_loop_and_used_in_others(ground: Ground) -> None:
    place = ground.new_place()

    async def make() -> Any:
        return ground.opened(**place, asynchronous=True)

    fs = asyncio.run(make())

    async def use(number: int) -> None:
        await fs._pipe_file(f"/d/{number}", b"%d" % number)
        found = await asyncio.gather(*(fs._cat_file(f"/d/{number}") for _ in range(5)))
        assert found == [b"%d" % number] * 5
        assert await fs._exists(f"/d/{max(number - 1, 0)}")
        await fs._close()

    for number in range(3):
        asyncio.run(use(number))
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            asyncio.run(use(number))
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


PROGRAM = """
import json, os, sys
import fsspec
fs = fsspec.filesystem(sys.argv[1], **json.loads(sys.argv[2]))
fs.pipe_file("/d/f", b"1")
child = os.fork()
if child:
    os.waitpid(child, 0)
try:
    print(fs.cat_file("/d/f").decode(), flush=True)
except OSError as error:
    print(os.strerror(error.errno), flush=True)
"""


@pytest.mark.slow
def test_a_program_that_forks_and_ends_without_a_word(ground: Ground) -> None:
    options = json.dumps({**ground.options, **ground.new_place()})
    # Python says of every program with threads that it had better not fork.
    filters = ["-W", "error::ResourceWarning", "-W", "ignore:This process:DeprecationWarning"]
    command = [sys.executable, *filters, "-c", PROGRAM, ground.protocol, options]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    in_child = os.strerror(errno.ENOTSUP) if ground.protocol == "chuke2b" else "1"
    assert (ran.stdout.splitlines(), ran.stderr, ran.returncode) == ([in_child, "1"], "", 0)


Act = Callable[[Any, str, Path], Coroutine[Any, Any, Any]]


async def write_by_handle(fs: Any, path: str, data: bytes) -> None:
    async with await fs.open_async(path, "wb") as file:
        await file.write(data)


ACTS: dict[str, Act] = {
    "copy": lambda fs, root, local: fs._cp_file(f"{root}/old", f"{root}/new"),
    "download": lambda fs, root, local: fs._get_file(f"{root}/old", str(local / "got")),
    "handle": lambda fs, root, local: write_by_handle(fs, f"{root}/new", NEW),
    "make": lambda fs, root, local: fs._pipe_file(f"{root}/new/below/f", NEW, mode="create"),
    "move": lambda fs, root, local: fs._mv(f"{root}/old", f"{root}/new"),
    "move a directory": lambda fs, root, local: fs._mv(root, f"{root}-moved", recursive=True),
    "move over": lambda fs, root, local: fs._mv(f"{root}/old", f"{root}/other"),
    "read": lambda fs, root, local: fs._cat_file(f"{root}/old"),
    "replace": lambda fs, root, local: fs._pipe_file(f"{root}/old", NEW),
}
BY_DAY = ("make", "move over")
FAULTS = [Fault.DROP_AFTER, pytest.param(Fault.DROP_BEFORE, marks=pytest.mark.slow)]


async def cancel_each(ground: Ground, fault: Fault, once: Callable[[Any, int], Coroutine[Any, Any, bool]]) -> None:
    """Cancel an act at its first request, at its second, and so on, until it has no more."""
    fs, number = ground.opened(**ground.new_place(), asynchronous=True), 0
    while await once(fs, number):
        assert ground.unfinished() == []
        number += 1
    assert number >= 1
    await fs._close()
    assert not others()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", [one if one in BY_DAY else pytest.param(one, marks=pytest.mark.slow) for one in ACTS])
def test_cancelled_at_each_of_its_requests(ground: Ground, name: str, fault: Fault, tmp_path: Path) -> None:
    async def once(fs: Any, number: int) -> bool:
        root = f"/{number}/d"
        await fs._pipe({f"{root}/old": OLD, f"{root}/other": OTHER})
        is_cancelled = await is_cancelled_at(ground.proxy, number, fault, ACTS[name](fs, root, tmp_path))
        there = await fs._find(f"/{number}", detail=True)
        contents = set((await fs._cat(list(there))).values())
        assert contents <= {OLD, OTHER, NEW}
        assert name == "replace" or OLD in contents
        assert name == "move over" or OTHER in contents
        assert not any("duplicates" in info for info in there.values())
        return is_cancelled

    asyncio.run(cancel_each(ground, fault, once))
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([OLD] if name == "download" else [])


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_an_upload_in_parts_is_cancelled(ground: Ground, fault: Fault) -> None:
    async def once(fs: Any, number: int) -> bool:
        large = bytes(2 * fs.traits.largest_whole + 1)
        is_cancelled = await is_cancelled_at(ground.proxy, number, fault, write_by_handle(fs, f"/{number}/f", large))
        found = await fs._find(f"/{number}") if await fs._exists(f"/{number}") else []
        assert await fs._sizes(found) in ([], [len(large)])
        return is_cancelled

    asyncio.run(cancel_each(ground, fault, once))
