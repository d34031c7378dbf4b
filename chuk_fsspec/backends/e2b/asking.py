"""How a sandbox is asked: by its files API, its downloads, and the scripts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
from e2b import CommandExitException

from chuk_fsspec.backends.e2b.downloading import client_of
from chuk_fsspec.backends.e2b.errors import judge
from chuk_fsspec.backends.e2b.home import Home
from chuk_fsspec.backends.e2b.people import People
from chuk_fsspec.backends.e2b.scripts import Script, run_script
from chuk_fsspec.remote.calling import Calls, Patience

Result = TypeVar("Result")


class Asker:
    """Requests of one event loop to one sandbox."""

    def __init__(self, home: Home, patience: Patience, parallel: int) -> None:
        """Begin without a request.

        Args:
            home: the sandbox.
            patience: how long it is waited for.
            parallel: how many requests may be on their way at once.
        """
        self.patience = patience
        self.user: str | None = home.options.user or None
        self.calls = Calls(judge, patience, parallel)
        self._home = home
        self._downloads: httpx.AsyncClient | None = None

    @property
    def how(self) -> dict[str, Any]:
        """The arguments that each method of the files API takes."""
        return {"user": self.user, "request_timeout": self.patience.timeout}

    async def sandbox(self) -> Any:
        """The ``AsyncSandbox``."""
        return await self._home.sandbox(self)

    async def people(self) -> People:
        """Who is who in it."""
        return await self._home.people(self)

    async def client(self) -> httpx.AsyncClient:
        """What asks the sandbox over HTTP/1.1."""
        if self._downloads is None:
            self._downloads = client_of(await self.sandbox())
        return self._downloads

    async def files(
        self, path: str, ask: Callable[[Any], Awaitable[Result]], *, repeatable: bool = True, size: int = 0
    ) -> Result:
        """Ask the files API about a path."""
        files = (await self.sandbox()).files
        return await self.calls(path, lambda: ask(files), repeatable=repeatable, size=size)

    async def run(self, path: str, script: Script, *, repeatable: bool = True, **variables: str) -> str:
        """Run a script about a path; returns what it prints."""
        sandbox, seconds = await self.sandbox(), self.patience.timeout
        return await self.calls(
            path,
            lambda: run_script(sandbox, script, user=self.user, timeout=seconds, **variables),
            repeatable=repeatable,
        )

    async def remove(self, path: str, script: Script, real: str) -> None:
        """Run a script that removes a name. Once an attempt may have done so, it is no error that nothing is there."""
        sandbox, seconds = await self.sandbox(), self.patience.timeout
        is_repeated = False

        async def attempt() -> None:
            nonlocal is_repeated
            may_be_gone, is_repeated = is_repeated, True
            try:
                await run_script(sandbox, script, user=self.user, timeout=seconds, TARGET=real)
            except CommandExitException as error:
                if not (may_be_gone and isinstance(judge(error, path).error, FileNotFoundError)):
                    raise

        await self.calls(path, attempt)

    async def close(self) -> None:
        """Let go of connections, and of the sandbox."""
        if self._downloads is not None:
            await self._downloads.aclose()
            self._downloads = None
        await self._home.leave(self)
