"""The server in a thread, on a free port of 127.0.0.1.

Run as a program it prints its URL, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from tests.gcs.server.api import application
from tests.gcs.server.objects import Cloud
from tests.gcs.server.uploads import Uploads


@dataclass(frozen=True)
class GcsServer:
    """A running server."""

    host: str
    port: int
    cloud: Cloud
    uploads: Uploads

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def serving() -> Iterator[GcsServer]:
    """A server that has no buckets."""
    cloud = Cloud()
    uploads = Uploads(cloud)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gcs server", daemon=True)
    thread.start()
    runner = web.AppRunner(application(cloud, uploads), access_log=None, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        yield GcsServer("127.0.0.1", port, cloud, uploads)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def main() -> None:
    with serving() as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
