"""Coroutines that are cancelled in the middle of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.remote.faults import Fault, FaultProxy


async def is_cancelled_at(proxy: FaultProxy, number: int, fault: Fault, act: Coroutine[Any, Any, Any]) -> bool:
    """Cancel an act when one of its requests has met with a fault; whether it makes so many.

    Args:
        proxy: between its client and the server.
        number: which request, counted from 0.
        fault: ``DROP_BEFORE`` for one that the server does not see, ``DROP_AFTER`` for one that it has carried out.
        act: what is cancelled.
    """
    task, loop = asyncio.ensure_future(act), asyncio.get_running_loop()

    def cancel() -> None:
        loop.call_soon_threadsafe(task.cancel)

    proxy.on_fault = cancel
    proxy.next = [*[Fault.NONE] * number, fault]
    try:
        await task
    except asyncio.CancelledError:
        return True
    finally:
        proxy.next = []
        proxy.on_fault = None
    return False
