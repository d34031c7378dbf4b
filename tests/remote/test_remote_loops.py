"""Event loops, threads and processes: where a remote filesystem may be used, and what it lets go of."""

from __future__ import annotations

import _thread
import asyncio
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from fsspec.asyn import get_loop

from chuk_fsspec.remote.waiting import wait_for
from tests.remote.dict_store import DictFileSystem, DictStore


class Noting(DictFileSystem):
    """Keeps the stores that were made."""

    protocol = "chuknoting"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.made: list[DictStore] = []

    def _make_store(self) -> DictStore:
        store = DictStore(self.service, self._given)
        self.made.append(store)
        return store


def test_each_loop_has_a_store(name: str):
    fs = Noting(name, asynchronous=True)

    async def use(number: int) -> bytes:
        await fs._pipe_file(f"/{number}", b"%d" % number)
        found = await asyncio.gather(*(fs._cat_file(f"/{number}") for _ in range(20)))
        await fs._close()
        return found[0]

    assert [asyncio.run(use(number)) for number in range(3)] == [b"0", b"1", b"2"]
    assert len(fs.made) == 3
    assert all(store.is_closed for store in fs.made)


def test_loops_at_the_same_time(name: str):
    fs = Noting(name, asynchronous=True)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        async def use() -> None:
            for step in range(30):
                await fs._pipe_file(f"/{number}/{step}", b"%d" % step)
                assert await fs._cat_file(f"/{number}/{step}") == b"%d" % step
                await asyncio.sleep(0)

        try:
            asyncio.run(use())
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(fs.made) == 4
    assert len(asyncio.run(fs._find("/"))) == 120


def test_from_a_running_loop(name: str):
    async def notebook() -> bytes:
        fs = DictFileSystem(name)
        fs.pipe_file("/f", b"content")  # it waits, as everything does in a notebook that does not await
        with fs.open("/f", "rb") as file:
            assert file.read() == b"content"
        return await fs._cat_file("/f")

    assert asyncio.run(notebook()) == b"content"


def test_waiting_where_nobody_could_answer_is_an_error(name: str):
    fs = DictFileSystem(name, asynchronous=True)
    with pytest.raises(RuntimeError, match="asynchronous=True"):
        fs.info("/")
    waits = DictFileSystem(name)

    async def inside() -> None:
        with pytest.raises(RuntimeError, match="cannot wait for itself"):
            waits.info("/")

    wait_for(get_loop(), inside())


def test_a_loop_of_ones_own(name: str):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        fs = Noting(name, loop=loop, skip_instance_cache=True)
        fs.pipe_file("/f", b"content")
        assert fs.cat_file("/f") == b"content"
        assert fs.loop is loop
        fs.close()
        assert fs.made[0].is_closed
        assert fs.cat_file("/f") == b"content"
        fs.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_filesystem_that_nobody_needs_closes_its_connections(name: str):
    fs = Noting(name, skip_instance_cache=True)
    fs.pipe_file("/f", b"content")
    made = fs.made
    del fs
    gc.collect()
    assert [store.is_closed for store in made] == [True]


def test_the_end_of_the_process_closes_connections():
    program = """
import sys
from tests.remote.dict_store import DictFileSystem, DictStore
async def close(self): print("closed", flush=True)
DictStore.close = close
DictFileSystem("x").pipe_file("/f", b"content")
print("done", flush=True)
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (ran.stdout.split(), ran.stderr) == (["done", "closed"], "")


def test_after_a_fork_both_go_on(name: str):
    fs = Noting(name)
    fs.pipe_file("/f", b"content")
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(20)
            is_right = fs.cat_file("/f") == b"content" and fs.pipe_file("/g", b"new") and len(fs.made) == 2
            status = 0 if is_right and not fs.made[0].is_closed else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert fs.cat_file("/f") == b"content"
    assert len(fs.made) == 1


def test_a_pickle_and_json_hold_the_arguments_and_nothing_else(name: str):
    fs = Noting(name, block_size=1 << 20)
    fs.pipe_file("/f", b"content")
    again = pickle.loads(pickle.dumps(fs))
    assert again is fs
    assert fs.to_dict().keys() == {"cls", "protocol", "args", "block_size"}


@pytest.mark.parametrize("interrupts_waits", [True, False])
def test_an_interrupt_cancels_the_request(name: str, interrupts_waits: bool):
    fs = DictFileSystem(name, skip_instance_cache=True)
    fs.service.latency = 30

    def interrupt() -> None:
        while not fs.service.running:
            time.sleep(0.1)
        if interrupts_waits:
            signal.pthread_kill(main, signal.SIGINT)
        else:
            _thread.interrupt_main()

    main = threading.get_ident()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        fs.info("/")
    thread.join()
    fs.service.latency = 0
    assert fs.exists("/")
    assert fs.service.running == 0
