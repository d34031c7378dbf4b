"""Any sequence of operations has the outcome that it has on a filesystem in memory, and the same errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from fsspec import AbstractFileSystem
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chuk_fsspec import MemoryFileSystem
from tests.remote.dict_store import PART, SERVICES, DictFileSystem

PATHS = st.sampled_from(["/a", "/b", "/d", "/d/a", "/d/e", "/d/e/a", "/x/y/z"])
CONTENTS = st.sampled_from([b"", b"1", b"content", b"x" * (2 * PART + 5), b"y" * 4 * PART])
MODES = st.sampled_from(["wb", "xb", "ab", "r+b", "a+b", "w+b"])
KINDS = ["bucket", "tree"]


class Remote(RuleBasedStateMachine):
    """A filesystem and its model."""

    kind = "bucket"

    def __init__(self) -> None:
        super().__init__()
        self.name = uuid4().hex
        self.fs = DictFileSystem(self.name, self.kind, use_listings_cache=True, skip_instance_cache=True)
        self.model = MemoryFileSystem(name=self.name)

    def both(self, act: Callable[[AbstractFileSystem], Any]) -> None:
        assert outcome(self.fs, act) == outcome(self.model, act)

    @rule(path=PATHS, content=CONTENTS, mode=st.sampled_from(["overwrite", "create"]))
    def pipe(self, path: str, content: bytes, mode: str) -> None:
        self.both(lambda fs: fs.pipe_file(path, content, mode) and None)

    @rule(path=PATHS, content=CONTENTS, mode=MODES)
    def write(self, path: str, content: bytes, mode: str) -> None:
        def act(fs: AbstractFileSystem) -> None:
            with fs.open(path, mode) as file:
                file.write(content)

        self.both(act)

    @rule(path=PATHS)
    def read(self, path: str) -> None:
        self.both(lambda fs: fs.cat_file(path))
        self.both(lambda fs: fs.cat_file(path, -3))
        self.both(lambda fs: fs.open(path, "rb").read())

    @rule(path=PATHS)
    def look(self, path: str) -> None:
        self.both(lambda fs: (fs.exists(path), fs.isdir(path), fs.isfile(path)))
        self.both(lambda fs: fs.ls(path, detail=False))
        self.both(lambda fs: fs.find(path, maxdepth=1, withdirs=True))
        self.both(lambda fs: [(top, sorted(dirs), sorted(files)) for top, dirs, files in fs.walk(path)])
        self.both(lambda fs: fs.du(path))
        self.both(lambda fs: fs.glob(f"{path}/*"))

    @rule(path=PATHS)
    def make(self, path: str) -> None:
        self.both(lambda fs: fs.mkdir(path, create_parents=False))

    @rule(path=PATHS, exist_ok=st.booleans())
    def make_all(self, path: str, exist_ok: bool) -> None:
        self.both(lambda fs: fs.makedirs(path, exist_ok=exist_ok))

    @rule(path=PATHS, recursive=st.booleans())
    def remove(self, path: str, recursive: bool) -> None:
        self.both(lambda fs: fs.rm(path, recursive=recursive))

    @rule(path=PATHS)
    def remove_directory(self, path: str) -> None:
        self.both(lambda fs: fs.rmdir(path))

    @rule(source=PATHS, to=PATHS)
    def copy(self, source: str, to: str) -> None:
        self.both(lambda fs: fs.cp_file(source, to) and None)

    @rule(source=PATHS, to=PATHS)
    def move(self, source: str, to: str) -> None:
        self.both(lambda fs: fs.mv(source, to))

    @invariant()
    def same_files(self) -> None:
        assert contents(self.fs) == contents(self.model)
        assert not self.fs.service.uploads

    def teardown(self) -> None:
        SERVICES.pop(self.name, None)


def outcome(fs: AbstractFileSystem, act: Callable[[AbstractFileSystem], Any]) -> Any:
    """What an operation returns, or the error that it ends with."""
    try:
        return act(fs)
    except OSError as error:
        return error.errno


def contents(fs: AbstractFileSystem) -> dict[str, bytes | None]:
    """Everything there is."""
    found = fs.find("/", withdirs=True, detail=True)
    return {path: fs.cat_file(path) if info["type"] == "file" else None for path, info in found.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_any_sequence(kind: str):
    class Machine(Remote):
        pass

    Machine.kind = kind
    case = Machine.TestCase
    case.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=20, deadline=None)
    case("runTest").runTest()
