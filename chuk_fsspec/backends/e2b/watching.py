"""Changes in a sandbox, as they happen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chuk_fsspec.backends.e2b.place import is_reserved
from chuk_fsspec.contract.paths import join
from chuk_fsspec.remote.waiting import wait_for

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Change:
    """Something happened to a path.

    Attributes:
        path: absolute.
        kind: "create", "write", "remove", "rename" or "chmod".
    """

    path: str
    kind: str


def change_of(directory: str, event: Any) -> Change | None:
    """What an event in a directory means; None for files that are being written under another name."""
    path = join(directory, event.name)
    return None if is_reserved(path) else Change(path, event.type.value)


class Watch:
    """A watch that goes on until it is stopped, or the sandbox ends."""

    def __init__(self, handle: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        self._handle, self._loop = handle, loop

    def stop(self) -> None:
        """Hear of nothing more. A second time it does nothing."""
        wait_for(self._loop, self._stop())

    async def _stop(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            await handle.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stop()
