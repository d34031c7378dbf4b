"""A server on this machine as if it were far away: a proxy that lets each request wait, and has slow connections.

    python far_away.py PORT LOG LATENCY BYTES_A_SECOND STALL

Prints its URL and serves until it is terminated. Each request's first line is added to LOG when it comes. LATENCY is
in seconds, for each request; BYTES_A_SECOND is what one connection carries, 0 for as much as there is; a request with
``stall`` in its line waits STALL seconds.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys

_REQUEST = re.compile(rb"(?:GET|HEAD|PUT|POST|DELETE) \S+ HTTP/1\.1\r\n")
_PIECE = 64 << 10


class Line:
    """The connections of one proxy."""

    def __init__(self, port: int, log: int, latency: float, rate: float, stall: float) -> None:
        self._port, self._log = port, log
        self._latency, self._rate, self._stall = latency, rate, stall

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        both = [asyncio.ensure_future(one) for one in (self._ask(reader, back), self._reply(there, writer))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for one in both:
            one.cancel()
        for one in (writer, back):
            one.transport.abort()

    async def _ask(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Requests: clients send none before they have read the last reply, so each begins a piece."""
        while piece := await reader.read(_PIECE):
            begin = _REQUEST.match(piece)
            if begin is not None:
                os.write(self._log, begin[0])
                await asyncio.sleep(self._stall if b"stall" in begin[0] else self._latency)
            back.write(piece)
            await back.drain()

    async def _reply(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        free = 0.0
        while piece := await there.read(_PIECE):
            if self._rate:
                free = max(free, clock()) + len(piece) / self._rate
                await asyncio.sleep(free - clock())
            writer.write(piece)
            await writer.drain()


async def main() -> None:
    """Serve."""
    port, log, latency, rate, stall = sys.argv[1:]
    into = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    line = Line(int(port), into, float(latency), float(rate), float(stall))
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
