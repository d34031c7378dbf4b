"""Work that may block, away from the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T]) -> _T:
    """Do work in a thread of its own, which nobody waits for once the caller is cancelled.

    Each piece of work has its own thread, so that one that hangs holds up no other; and the thread is a daemon, so that
    it does not keep the process from ending.

    Args:
        work: is called without arguments.

    Returns:
        What it returns; what it raises is raised here.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def tell(setter: Callable[..., None], value: object) -> None:
        if not done.done():
            setter(value)

    def run() -> None:
        outcome: tuple[Callable[..., None], object]
        try:
            outcome = done.set_result, work()
        except BaseException as error:  # noqa: BLE001 - all are told to the one who waits
            outcome = done.set_exception, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, *outcome)

    threading.Thread(target=run, name="chuk-fsspec mcp tool", daemon=True).start()
    return await done
