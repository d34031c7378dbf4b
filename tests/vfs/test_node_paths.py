"""By which entries nodes were reached."""

from __future__ import annotations

import stat

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.forwarding.node_paths import Known, NodePaths, path_of


@pytest.fixture
def nodes(chukmem: MemoryFileSystem) -> list[Node]:
    """The root and four directories."""
    inner = chukmem.posix.nodes
    return [inner.root, *(inner.mkdir(inner.root, name, 0o700, 0, 0) for name in "abcd")]


def chain(known: Known[None]) -> list[int]:
    """The numbers of a record and of those above it, as far as a tree may be deep."""
    numbers = []
    above: Known[None] | None = known
    while above is not None:
        numbers.append(above.node.ino)
        assert len(numbers) < 10, "it is above itself"
        above = above.parent
    return numbers


def test_directories_are_never_above_themselves(nodes: list[Node]) -> None:
    """Others move directories into one another, and what is met first is what was below."""
    root, a, b, c, _ = nodes
    paths: NodePaths[None] = NodePaths(root)
    known_a = paths.saw(paths.root, "a", a)
    known_b = paths.saw(known_a, "b", b)
    known_c = paths.saw(known_b, "c", c)
    again = paths.saw(known_c, "a", a)
    assert chain(again)[:2] == [a.ino, c.ino]
    assert paths.find(a) is again
    assert path_of(again, "f").endswith("/c/a/f")
    moved_b = paths.saw(again, "b", b)
    assert chain(moved_b)[:2] == [b.ino, a.ino]
    paths.saw(paths.root, "c", c)
    assert paths.saw(known_c, "a", a).path() == "/c/a"


def test_a_rename_into_what_was_below_is_left_to_be_met_again(nodes: list[Node]) -> None:
    root, a, b, *_ = nodes
    paths: NodePaths[None] = NodePaths(root)
    known_a = paths.saw(paths.root, "a", a)
    known_b = paths.saw(known_a, "b", b)
    assert not paths.renamed(known_b, "a", a)
    assert known_a.path() == "/a"
    assert paths.renamed(paths.root, "z", b)
    assert known_b.path() == "/z"


def test_one_entry_is_one_record(nodes: list[Node]) -> None:
    root, a, *_ = nodes
    paths: NodePaths[None] = NodePaths(root)
    assert stat.S_ISDIR(a.mode)
    assert paths.saw(paths.root, "a", a) is paths.saw(paths.root, "a", a)
