"""MCP's requests about resources, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError

from chuk_adapters.mcp import resources
from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.calling import working
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.session import Session
from chuk_adapters.mcp.watching import wake_on_changes

MOST_WATCHED = 1_000
"""Resources that one client may watch at once."""

_ANNOUNCED = "announced changes"

Context = ServerRequestContext[Any]
SessionOf = Callable[[Context], Awaitable[Session]]

_T = TypeVar("_T")


class ResourceServer:
    """Lists, reads and watches resources.

    Args:
        session_of: the session of whoever sent a request; ToolError if it may see nothing.
    """

    def __init__(self, session_of: SessionOf) -> None:
        self._session_of = session_of

    def handlers(self) -> dict[str, Any]:
        """What ``mcp.server.Server`` takes."""
        return {
            "on_list_resources": self.list,
            "on_list_resource_templates": self.list_templates,
            "on_read_resource": self.read,
            "on_subscribe_resource": self.subscribe,
            "on_unsubscribe_resource": self.unsubscribe,
            "on_subscriptions_listen": self.listen,
        }

    async def list(self, context: Context, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        """The allowed directories."""
        return types.ListResourcesResult(resources=await self._work(context, "resources/list", resources.roots))

    async def list_templates(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """What URIs of files look like."""
        return types.ListResourceTemplatesResult(resource_templates=resources.templates())

    async def read(self, context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """The content of a file, or the entries of a directory."""
        uri = str(params.uri)
        found = await self._work(context, "resources/read", lambda call: resources.read(call, uri))
        return types.ReadResourceResult(contents=[found])

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Watch a resource for a connection (protocols before 2026-07-28)."""
        uri, session = str(params.uri), await self._session(context)
        connection = context.session

        async def tell() -> None:
            await connection.send_resource_updated(uri)

        await self._watch(context, session, (session, uri), uri, tell)
        return types.EmptyResult()

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """Watch it no longer."""
        session = await self._session(context)
        session.watcher.remove((session, str(params.uri)))
        return types.EmptyResult()

    async def listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """Watch resources for as long as the request lasts (protocol 2026-07-28)."""
        session = await self._session(context)
        bus = InMemorySubscriptionBus()
        uris = list(dict.fromkeys(map(str, params.notifications.resource_subscriptions or ())))
        try:
            for uri in uris:
                await self._watch(context, session, (bus, uri), uri, _publishing(bus, uri))
            return await ListenHandler(bus)(context, params)
        finally:
            for uri in uris:
                session.watcher.remove((bus, uri))

    # ---- steps

    async def _watch(
        self, context: Context, session: Session, key: object, uri: str, tell: Callable[[], Awaitable[None]]
    ) -> None:
        loop = asyncio.get_running_loop()

        def told() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(lambda: asyncio.ensure_future(tell()))

        def begin(call: Call) -> None:
            if len(session.watcher) >= MOST_WATCHED:
                raise ToolError(f"EMFILE: {MOST_WATCHED} resources are watched already")
            session.watcher.add(key, resources.looking_at(call, uri), told)
            with session.lock:
                if session.find(_ANNOUNCED) is None:
                    session.begin(_ANNOUNCED, True, wake_on_changes(session.base.fs, session.watcher))

        await self._work(context, "resources/subscribe", begin)

    async def _session(self, context: Context) -> Session:
        try:
            return await self._session_of(context)
        except ToolError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from error

    async def _work(self, context: Context, name: str, work: Callable[[Call], _T]) -> _T:
        session = await self._session(context)
        call = Call(session.workspace, session=session)
        try:
            return await working(call, name, lambda: work(call))
        except ToolError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from error


def _publishing(bus: InMemorySubscriptionBus, uri: str) -> Callable[[], Awaitable[None]]:
    async def tell() -> None:
        await bus.publish(ResourceUpdated(uri=uri))

    return tell
