"""One call from arguments to answer: check them, work in a thread, translate errors, bound the result."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

import anyio
from mcp import types

from chuk_adapters.mcp.call import Call, Report
from chuk_adapters.mcp.failures import ToolError, text_of
from chuk_adapters.mcp.schemas import checked
from chuk_adapters.mcp.session import Session
from chuk_adapters.mcp.threads import in_thread
from chuk_adapters.mcp.tool import Result, Tool
from chuk_adapters.mcp.workspace import Audit, Record, Workspace

log = logging.getLogger("chuk_adapters.mcp")

_T = TypeVar("_T")


class Caller:
    """Carries out calls of the tools of one server.

    Args:
        tools: those that the server has; no others are carried out.
    """

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self._semaphore: anyio.Semaphore | None = None

    async def call(
        self, session: Session, name: str, arguments: Mapping[str, Any], *, report: Report, client: str = ""
    ) -> types.CallToolResult:
        """Carry out one call; whatever goes wrong is an answer too.

        Args:
            session: whose call it is.
            name: of the tool.
            arguments: as the client gave them.
            report: takes the progress, from any thread.
            client: its name, for the audit trail.
        """
        workspace = session.workspace
        begun = time.monotonic()

        def recorded(error: str) -> None:
            if workspace.audit is not None:
                changes = name in self._tools and self._tools[name].hints.changes
                record = Record(name, dict(arguments), changes, error, time.monotonic() - begun, client)
                _add(workspace.audit, record)

        try:
            if workspace.audit is not None:
                _check_ready(workspace.audit)
            tool = self._tool(workspace, name)
            fitting = checked(tool, arguments)
            call = Call(workspace, report, session=session)
            result = await working(call, name, lambda: tool.run(call, fitting), self._room(workspace.limits.threads))
        except ToolError as error:
            recorded(str(error))
            return failure(str(error))
        except BaseException:
            recorded("ECANCELED: the call was cancelled")
            raise
        recorded("")
        return _answer(tool, result, workspace.limits.characters)

    def _room(self, threads: int) -> anyio.Semaphore:
        if self._semaphore is None:
            self._semaphore = anyio.Semaphore(threads)
        return self._semaphore

    def _tool(self, workspace: Workspace, name: str) -> Tool:
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"MCP error -32602: Tool {name} not found")
        if workspace.read_only and tool.hints.changes:
            raise ToolError(f"EROFS: read-only file system, {name} is refused: this server only reads")
        return tool


async def working(
    call: Call, name: str, work: Callable[[], _T], room: AbstractAsyncContextManager[Any] | None = None
) -> _T:
    """Do the work of a call in a thread, for as long as it may last.

    Args:
        call: is stopped when the time is over, and when the client cancels it.
        name: what is done, for messages.
        work: does it.
        room: is entered first, within that time; None for as much as there is.

    Returns:
        What it returns.

    Raises:
        ToolError: for whatever goes wrong.
    """
    try:
        with anyio.move_on_after(call.limits.seconds):
            async with room or nullcontext():
                return await in_thread(work)
    except OSError as error:
        raise ToolError(text_of(error)) from error
    except ValueError as error:
        raise ToolError(str(error)) from error
    except ToolError:
        raise
    except Exception as error:
        log.exception("%s failed", name)
        raise ToolError(f"EIO: i/o error, unexpected {type(error).__name__} in {name}") from error
    finally:
        call.stopped.set()
    raise ToolError(f"ETIMEDOUT: {name} took longer than {call.limits.seconds:g} seconds, and was given up")


def _check_ready(audit: Audit) -> None:
    try:
        audit.check_ready()
    except OSError as error:
        raise ToolError(f"EIO: the call is refused, for it cannot be recorded: {error.strerror}") from error


def _add(audit: Audit, record: Record) -> None:
    """Keep a record. What is done is done: where that fails, the next call is refused."""
    try:
        audit.add(record)
    except OSError as error:
        log.error("%s could not be recorded: %s", record.tool, error.strerror)


def _answer(tool: Tool, result: Result, most: int) -> types.CallToolResult:
    text = result.text
    if len(text) > most:
        text = f"{text[:most]}\n\n[Cut after {most} characters. {result.rest or tool.rest}]"
    structured = {"content": text} if result.structured is None else dict(result.structured)
    if isinstance(structured["content"], str):
        structured["content"] = text
    blocks = result.blocks or (types.TextContent(type="text", text=text),)
    return types.CallToolResult(content=list(blocks), structured_content=structured)


def failure(text: str) -> types.CallToolResult:
    """The answer to a call that failed."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
