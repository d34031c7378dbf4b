"""One call of a tool: what it works on, and how it is watched."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback

from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.places import resolve
from chuk_adapters.mcp.session import Session
from chuk_adapters.mcp.workspace import Limits, Workspace, outermost

Report = Callable[[float, "float | None", str], None]
"""Takes how much is done, of how much (None if unknown), and a line for people."""


_LOOKS_PER_SECOND = 20


def _unheard(done: float, total: float | None, message: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Call:
    """What a tool is given for one call.

    Attributes:
        workspace: what this client may see.
        report: tells the client how far the work is; does nothing for one that did not ask.
        stopped: set when the client cancelled or the time is over.
        session: what this client has begun and not ended; None where nothing can be begun.
    """

    workspace: Workspace
    report: Report = _unheard
    stopped: threading.Event = field(default_factory=threading.Event)
    session: Session | None = None

    @property
    def fs(self) -> AbstractFileSystem:
        """The filesystem, for paths that ``path`` returned; no symbolic link is followed in it."""
        return self.workspace.view

    @property
    def limits(self) -> Limits:
        """How much one call may take."""
        return self.workspace.limits

    @property
    def client(self) -> Session:
        """The session of the client. ToolError where nothing can be begun."""
        if self.session is None:
            raise ToolError("ENOTSUP: this server keeps nothing between two calls")
        return self.session

    @cached_property
    def names_inside(self) -> Mapping[Any, int]:
        """How many names inside the allowed directories each file has that has several, by inode number.

        All directories are looked through once in a call, at the first file that has several names.
        """
        found: Counter[Any] = Counter()
        for directory in outermost(self.workspace.allowed):
            for _, _, files in self.fs.walk(directory, detail=True):
                self.check()
                found.update(info.get("ino") for info in files.values() if info.get("nlink", 1) > 1)
        return found

    def path(self, asked: str, *, follow: bool = True) -> str:
        """Where a path that the client gave leads, by the path rules.

        Args:
            asked: as the client gave it: absolute, relative, or from ``~``.
            follow: also follow a symbolic link at the very end; without it the link itself is meant.

        Returns:
            An absolute path of the filesystem inside the allowed directories, with no symbolic links in it. Nothing
            need be there.

        Raises:
            ToolError: for a path that is not allowed.
        """
        self.check()
        return resolve(self.workspace, asked, follow=follow)

    def check(self) -> None:
        """Stop here if nobody waits for the answer any more; called between steps of long work. ToolError."""
        if self.stopped.is_set():
            raise ToolError("The call was cancelled")

    def progress(self, done: float, total: float | None, message: str) -> None:
        """``check``, and tell the client how far the work is.

        Args:
            done: how much is done.
            total: of how much; None if nobody knows.
            message: a line for people.
        """
        self.check()
        self.report(done, total, message)

    @contextmanager
    def stopped_by(self, stop: Callable[[], Any], seconds: float) -> Iterator[None]:
        """For a block that waits for something that knows nothing of calls: stop that if nobody waits any more.

        Args:
            stop: ends the waiting; called at most once, from another thread.
            seconds: how long the block may last.
        """
        over = threading.Event()
        end = time.monotonic() + seconds

        def watch() -> None:
            while not over.wait(1 / _LOOKS_PER_SECOND):
                if self.stopped.is_set() or time.monotonic() >= end:
                    stop()
                    return

        watcher = threading.Thread(target=watch, name="chuk-fsspec mcp deadline", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


class CallProgress(Callback):
    """What fsspec tells of its progress, told to a call."""

    def __init__(self, call: Call, message: str) -> None:
        """Begin.

        Args:
            call: whom to tell.
            message: what happens to the bytes, such as "read".
        """
        super().__init__()
        self._call = call
        self._message = message

    def relative_update(self, inc: int = 1) -> None:
        """Count bytes."""
        self.value += inc
        self._call.progress(self.value, self.size, f"{self.value} bytes {self._message}")
