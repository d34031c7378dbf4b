"""Several coroutines at once, wherever they are run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from chuk_fsspec.remote.blocking import is_in_loop, run_together

Result = TypeVar("Result")

_THREADS = 8
"""That make requests which block; more of them would wait for one another."""


async def together(work: Iterable[Coroutine[Any, Any, Result]], count: int | None = None) -> list[Result]:
    """Run coroutines. After an error, or when it is cancelled, none of them is still running.

    Args:
        work: in the order of the results.
        count: so many at once; None for all.

    Returns:
        What each returns.
    """
    coroutines = list(work)
    if len(coroutines) == 1:
        return [await coroutines[0]]
    if not is_in_loop():
        return run_together(coroutines, min(count or _THREADS, _THREADS))
    results: dict[int, Result] = {}
    turns = enumerate(coroutines)

    async def take_turns() -> None:
        for number, coroutine in turns:
            results[number] = await coroutine

    tasks = [asyncio.ensure_future(take_turns()) for _ in range(min(count or len(coroutines), len(coroutines)))]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for coroutine in coroutines:
            coroutine.close()
        raise
    return [results[number] for number in range(len(coroutines))]
