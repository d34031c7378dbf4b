"""What many tests of the suite ask."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.nodes import Node, NodeOperations

TICK = 0.05
"""Filesystems may stamp with a coarse clock, which runs up to so many seconds behind."""

Result = TypeVar("Result")
Value = TypeVar("Value")


@contextmanager
def fails_with(code: int, path: str | None = None, path2: str | None = None) -> Iterator[None]:
    """Check that a block raises the ``OSError`` of an errno, in the class that Python has for it.

    Args:
        code: an ``errno`` constant.
        path: the ``filename`` that the error has to carry; None if it does not matter.
        path2: the same for ``filename2``.
    """
    with pytest.raises(OSError) as caught:
        yield
    error = caught.value
    assert error.errno == code, f"errno {error.errno}, not {code}: {error!r}"
    assert type(error) is type(OSError(code, os.strerror(code))), f"{type(error)} is not Python's own class"
    if path is not None:
        assert error.filename == path
    if path2 is not None:
        assert error.filename2 == path2


@contextmanager
def meets_link(path: str) -> Iterator[None]:
    """Check that a block raises ``LinkInTheWay`` for the link at an absolute normal path."""
    with pytest.raises(LinkInTheWay) as caught:
        yield
    assert (caught.value.errno, caught.value.filename) == (errno.ELOOP, path)


class Interrupted(Exception):  # noqa: N818 - it is what happens to a program, and not an error of the filesystem
    """What ``failing`` raises."""


@contextmanager
def failing(context: AbstractContextManager[Value]) -> Iterator[Value]:
    """Use a context as a program does that fails in its ``with`` block, after all else in it."""
    with pytest.raises(Interrupted), context as value:  # noqa: PT012 - the block is the caller's
        yield value
        raise Interrupted


def files_below(fs: AbstractFileSystem, root: str) -> dict[str, bytes]:
    """The content of every file below a directory, by path relative to it."""
    return {path[len(root) + 1 :]: fs.cat_file(path) for path in fs.find(root)}


def names_below(fs: AbstractFileSystem, root: str) -> list[str]:
    """Files and directories below a directory, in order, relative to it."""
    return [path[len(root) + 1 :] for path in fs.find(root, withdirs=True) if path != root]


def node_at(nodes: NodeOperations, path: str) -> Node:
    """The node behind an absolute path that exists, links not followed."""
    node = nodes.root
    for name in path.strip("/").split("/"):
        found = nodes.lookup(node, name)
        assert found is not None, f"no {name!r} on the way to {path}"
        node = found
    return node


def same_filesystem(fs: AbstractFileSystem) -> AbstractFileSystem:
    """The instance that the calling thread gets for the arguments of another one."""
    return type(fs)(*fs.storage_args, **fs.storage_options)


def in_threads(count: int, work: Callable[[int], Result]) -> list[Result]:
    """Run a function in several threads that start at the same moment.

    Args:
        count: how many threads.
        work: called with the thread's number, from 0.

    Returns:
        The results, in order of the numbers. The first exception of a thread is raised instead.
    """
    barrier = threading.Barrier(count)
    results: dict[int, Result] = {}
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=30)
            results[number] = work(number)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread of the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return [results[number] for number in range(count)]
