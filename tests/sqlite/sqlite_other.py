"""Another process that has the same database open, and does what it is told: one session more on a chuksqlite."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.ecosystem.warm_python import WarmProcess


@dataclass(frozen=True)
class Reference:
    """Something that stays with the other process: a handle, an inode, a file."""

    number: int


class Other:
    """The other process. ``call("fs.ls", "/")``: ``fs``, its ``posix``, its ``nodes``, or what a call has returned."""

    def __init__(self, database: str, **options: Any) -> None:
        self._process = WarmProcess("from tests.sqlite.sqlite_other import serve; serve()")
        self._send((database, options))
        self._receive()

    def call(self, name: str | Reference, *arguments: Any, **options: Any) -> Any:
        """Make a call there; its result, a ``Reference`` if it has to stay there, or its error."""
        self._send((name, arguments, options))
        return self._receive()

    def begin(self, name: str, *arguments: Any, **options: Any) -> None:
        """As ``call``, without waiting: ``finish`` does."""
        self._send((name, arguments, options))

    def finish(self) -> Any:
        """The result of what was begun."""
        return self._receive()

    def method(self, reference: Reference, name: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of something that stayed there."""
        return self.call("method", reference, name, *arguments, **options)

    def kill(self) -> None:
        """End it as the power does."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it."""
        _, err = self._process.communicate()
        assert self._process.returncode in (0, -9), err

    def _send(self, message: Any) -> None:
        _send(self._process.stdin.buffer, message)

    def _receive(self) -> Any:
        kind, value = pickle.load(self._process.stdout.buffer)
        if kind == "error":
            raise value
        return value


@contextmanager
def other_process(database: str, **options: Any) -> Iterator[Other]:
    """Another process on the same database, which is ended in the end."""
    other = Other(database, **options)
    try:
        yield other
    finally:
        other.close()


def _send(pipe: BinaryIO, message: Any) -> None:
    pickle.dump(message, pipe)
    pipe.flush()


def serve() -> None:
    """What the other process does."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    database, options = pickle.load(requests)
    fs = SqliteFileSystem(database=database, **options)
    posix = fs.posix
    roots: dict[str, Any] = {"fs": fs, "posix": posix, "nodes": posix.nodes, "method": _method}
    kept: list[Any] = []

    def resolved(value: Any) -> Any:
        return kept[value.number] if isinstance(value, Reference) else value

    _send(answers, ("result", None))
    while True:
        try:
            name, arguments, options = pickle.load(requests)
        except EOFError:
            return
        try:
            root, _, attribute = name.partition(".")
            target = getattr(roots[root], attribute) if attribute else roots[root]
            result = target(*map(resolved, arguments), **options)
        except Exception as error:  # noqa: BLE001 - told to who asked
            _send(answers, ("error", error))
            continue
        try:
            message = pickle.dumps(("result", result))
        except Exception:  # noqa: BLE001 - whatever it is, it stays here
            kept.append(result)
            message = pickle.dumps(("result", Reference(len(kept) - 1)))
        answers.write(message)
        answers.flush()


def _method(value: Any, name: str, *arguments: Any, **options: Any) -> Any:
    attribute = getattr(value, name)
    return attribute(*arguments, **options) if callable(attribute) else attribute
