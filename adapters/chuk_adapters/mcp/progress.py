"""Progress of a call, from the thread that works to the client."""

from __future__ import annotations

import asyncio
import time

from mcp.server.session import ServerSession

from chuk_adapters.mcp.call import Report

_SECONDS_BETWEEN = 0.1


def reporter(session: ServerSession) -> Report:
    """What tells the client of one request how far it is, a few times a second at most.

    Args:
        session: of the request; a client that did not ask for progress is told nothing.

    Returns:
        A function for any thread.
    """
    loop = asyncio.get_running_loop()
    last = float("-inf")

    def report(done: float, total: float | None, message: str) -> None:
        nonlocal last
        now = time.monotonic()
        if (now - last >= _SECONDS_BETWEEN or done == total) and not loop.is_closed():
            last = now
            asyncio.run_coroutine_threadsafe(session.report_progress(done, total, message), loop)

    return report
