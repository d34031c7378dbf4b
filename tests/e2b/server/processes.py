"""Commands: the service ``process.Process`` of a sandbox, and ``/execute`` of the code interpreter."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import traceback
from collections.abc import AsyncIterator
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from e2b.envd.process import process_connect, process_pb
from protobuf import Oneof
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Event = process_pb.ProcessEvent


class Processes(process_connect.Process):
    """Runs what it is asked to, on this machine."""

    def __init__(self) -> None:
        self._running: dict[int, asyncio.subprocess.Process] = {}

    async def start(self, request: Any, ctx: Any) -> AsyncIterator[process_pb.StartResponse]:
        asked = request.process
        if asked.cwd and not os.path.isdir(asked.cwd):
            raise ConnectError(Code.INVALID_ARGUMENT, f"cwd '{asked.cwd}' does not exist")
        process = await asyncio.create_subprocess_exec(
            asked.cmd,
            *asked.args,
            cwd=asked.cwd or "/",
            env={"HOME": "/", "PATH": os.environ["PATH"], **asked.envs},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._running[process.pid] = process
        try:
            yield response("start", Event.StartEvent(pid=process.pid))
            out, err = await self._ended(process, ctx.timeout_ms)
            yield response("data", Event.DataEvent(output=said("stdout", out)))
            yield response("data", Event.DataEvent(output=said("stderr", err)))
            code = await process.wait()
            yield response("end", Event.EndEvent(exit_code=code, exited=True, status=f"exit status {code}"))
        finally:
            self._running.pop(process.pid, None)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @staticmethod
    async def _ended(process: asyncio.subprocess.Process, timeout_ms: float | None) -> tuple[bytes, bytes]:
        try:
            return await asyncio.wait_for(process.communicate(), None if timeout_ms is None else timeout_ms / 1000)
        except asyncio.TimeoutError:
            raise ConnectError(Code.DEADLINE_EXCEEDED, "the command takes too long") from None

    async def send_signal(self, request: Any, ctx: Any) -> process_pb.SendSignalResponse:
        process = self._running.get(request.process.selector.value)
        if process is None:
            raise ConnectError(Code.NOT_FOUND, "there is no such process")
        process.kill()
        return process_pb.SendSignalResponse()


def said(field: Any, data: bytes) -> Any:
    """What came out of a command."""
    return Oneof(field=field, value=data)


def response(field: Any, value: Any) -> process_pb.StartResponse:
    """One message of a running command."""
    return process_pb.StartResponse(event=Event(event=Oneof(field=field, value=value)))


async def execute(request: Request) -> Response:
    """Run Python, and tell what came of it line by line."""
    asked = await request.json()
    out = io.StringIO()
    lines: list[dict[str, Any]] = []
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(asked["code"], "cell", "exec"), {})
        except Exception as error:  # noqa: BLE001 - whatever the code raises is its result
            lines.append({"type": "error", "name": type(error).__name__, "value": str(error), "traceback": trace()})
    if out.getvalue():
        lines.insert(0, {"type": "stdout", "text": out.getvalue(), "timestamp": 0})
    lines.append({"type": "number_of_executions", "execution_count": 1})
    return PlainTextResponse("".join(f"{json.dumps(line)}\n" for line in lines))


def trace() -> str:
    """Where the error of the code came from."""
    return traceback.format_exc()


def routes() -> list[Route]:
    """What the code interpreter answers."""
    return [Route("/execute", execute, methods=["POST"])]
