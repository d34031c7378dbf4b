"""Views of one store, and who watches through them, coming and going in many threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(*works: Callable[[], object], rounds: int) -> list[BaseException]:
    """Do each in a thread of its own, many times; the errors."""
    errors: list[BaseException] = []

    def work(act: Callable[[], object]) -> None:
        try:
            for _ in range(rounds):
                act()
        except BaseException as error:  # noqa: BLE001 - it is looked at by who started the thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(act,)) for act in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.usefixtures("hasty_threads")
def test_views_are_made_while_others_begin_and_end_to_watch(chukmem: MemoryFileSystem) -> None:
    nodes: Any = chukmem.posix.nodes

    def make() -> None:
        views = [nodes.view() for _ in range(50)]
        assert views

    def look_on() -> None:
        nodes.watch(lambda *change: None)()

    assert in_threads(make, make, look_on, look_on, rounds=300) == []


@pytest.mark.usefixtures("hasty_threads")
def test_who_begins_to_watch_hears_of_views_that_are_made_just_then(chukmem: MemoryFileSystem) -> None:
    nodes: Any = chukmem.posix.nodes
    views: list[Any] = []
    heard: list[int] = []
    ends: list[Callable[[], None]] = []

    def make() -> None:
        views.append(nodes.view())

    def listen() -> None:
        number = len(ends)
        ends.append(nodes.watch(lambda *change: heard.append(number)))

    assert in_threads(make, listen, rounds=60) == []
    for view in views:
        view.announce_all()
    assert sorted(heard) == sorted([*range(60)] * 60)
    for end in ends:
        end()
    views[0].announce_all()
    assert len(heard) == 60 * 60
