"""The sandbox of one filesystem: made or found when it is first needed, the same for all event loops, ended once."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.backends.e2b.errors import judge, told
from chuk_fsspec.backends.e2b.options import SandboxOptions
from chuk_fsspec.backends.e2b.people import People, people_of
from chuk_fsspec.backends.e2b.scripts import WHO, run_script
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.threads import to_its_end
from chuk_fsspec.remote.calling import Calls, Patience


def sandbox_class() -> Any:
    """The SDK's class; that of the code interpreter where it is installed, which runs code besides."""
    try:
        from e2b_code_interpreter import AsyncSandbox
    except ImportError:
        from e2b import AsyncSandbox
    return AsyncSandbox


@dataclass(frozen=True)
class Opened:
    """A sandbox that is there.

    Attributes:
        sandbox: the ``AsyncSandbox``.
        people: who is who in it.
    """

    sandbox: Any
    people: People


class Home:
    """One sandbox. What the SDK makes for it belongs to no event loop, so all of them share it."""

    def __init__(self, options: SandboxOptions, root: str, patience: Patience) -> None:
        """Begin without a request.

        Args:
            options: which sandbox.
            root: the directory of it that is made if it is missing.
            patience: how long it is waited for.
        """
        self.options = options
        self._root = root
        self._patience = patience
        self._lock = threading.RLock()
        self._opening: Future[Opened] | None = None
        self._users: set[int] = set()
        self._is_over = False
        self._pid = os.getpid()

    @property
    def open_id(self) -> str:
        """The id of the sandbox; empty as long as there is none."""
        opening = self._opening
        if opening is not None and opening.done() and opening.exception() is None:
            return str(opening.result().sandbox.sandbox_id)
        return self.options.sandbox_id

    async def sandbox(self, user: object) -> Any:
        """The ``AsyncSandbox``, made or found at the first call.

        Args:
            user: who needs it until ``leave``.

        Raises:
            OSError: ENOTCONN for one that is over; what E2B says.
        """
        return (await self._there(user)).sandbox

    async def people(self, user: object) -> People:
        """Who is who in the sandbox; otherwise as ``sandbox``."""
        return (await self._there(user)).people

    async def _there(self, user: object) -> Opened:
        if self._pid != os.getpid():
            raise os_error(
                errno.ENOTSUP, hint="the E2B SDK does not survive a fork: start the process with 'spawn' instead"
            )
        with self._lock:
            if self._is_over:
                raise os_error(
                    errno.ENOTCONN, hint="the sandbox was killed when the filesystem was closed; make another"
                )
            self._users.add(id(user))
            opening, is_first = self._opening, self._opening is None
            if opening is None:
                opening = self._opening = Future()
        if is_first:
            await self._open(opening)
        return opening.result() if opening.done() else await asyncio.shield(asyncio.wrap_future(opening))

    async def _open(self, opening: Future[Opened]) -> None:
        try:
            opening.set_result(await self._opened())
        except BaseException as error:
            with self._lock:
                self._opening = None  # the next who asks tries again
            opening.set_exception(error if isinstance(error, OSError) else os_error(errno.EINTR, "/"))
            raise

    async def _opened(self) -> Opened:
        options, calls = self.options, Calls(judge, self._patience, 2)
        sandbox = await calls("/", self._found_or_made, repeatable=bool(options.sandbox_id))
        try:
            people, _ = await asyncio.gather(
                calls("/", lambda: self._people_of(sandbox)), calls("/", lambda: self._make_root(sandbox))
            )
        except BaseException:
            if not options.sandbox_id:
                await sandbox.kill()
            raise
        return Opened(sandbox, people)

    async def _found_or_made(self) -> Any:
        options, kind = self.options, sandbox_class()
        seconds = self._patience.timeout
        if options.sandbox_id:
            return await kind.connect(
                options.sandbox_id,
                timeout=options.timeout,
                api_key=options.api_key or None,
                request_timeout=seconds,
            )
        making = asyncio.ensure_future(
            kind.create(
                template=options.template or None,
                timeout=options.timeout,
                api_key=options.api_key or None,
                request_timeout=seconds,
            )
        )
        try:
            return await to_its_end(making)
        except asyncio.CancelledError:
            # One that comes for nobody would run, and cost, until its timeout.
            if not making.cancelled() and making.exception() is None:
                await making.result().kill()
            raise

    async def _make_root(self, sandbox: Any) -> None:
        if self._root != "/":
            await sandbox.files.make_dir(self._root, user=self.options.user or None)

    async def _people_of(self, sandbox: Any) -> People:
        user, seconds = self.options.user or None, self._patience.timeout
        return people_of(await run_script(sandbox, WHO, user=user, timeout=seconds))

    async def leave(self, user: object) -> None:
        """Be done with it. When nobody needs it any more, a sandbox that is to end with its filesystem is killed."""
        with self._lock:
            self._users.discard(id(user))
            opening = self._opening
            if self._users or opening is None or not self.options.kill or self._is_over:
                return
            self._is_over = True
        opened = opening.result() if opening.done() else await asyncio.wrap_future(opening)
        with told("/"):
            await opened.sandbox.kill()
