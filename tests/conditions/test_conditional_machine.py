"""Conditions against a model: every content that was ever written has a number, and an etag stands for one of them."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem

PATHS = st.sampled_from(["/a", "/b", "/d/c"])
CONDITIONS = st.one_of(
    st.none(),
    st.just(("if_match", "*")),
    st.just(("if_none_match", "*")),
    st.tuples(st.sampled_from(["if_match", "if_none_match"]), st.integers(0, 30)),
)
WAYS = st.sampled_from(["pipe_file", "wb", "r+b", "ab", "touch"])
SIZE = 8

_numbers = itertools.count()


class ConditionMachine(RuleBasedStateMachine):
    """Files hold numbered contents of one size, so that neither size nor bytes tell versions apart."""

    def __init__(self) -> None:
        super().__init__()
        self.left = ExitStack()
        self.fs = self.make()
        self.files: dict[str, tuple[bytes, str]] = {}
        self.seen: list[str] = ["never"]

    def make(self) -> AbstractFileSystem:
        raise NotImplementedError

    def teardown(self) -> None:
        self.left.close()

    # ---- what the model says

    def arguments(self, condition: tuple[str, Any] | None) -> dict[str, str]:
        if condition is None:
            return {}
        name, which = condition
        return {name: which if which == "*" else self.seen[which % len(self.seen)]}

    def may(self, path: str, if_match: str | None = None, if_none_match: str | None = None) -> bool:
        etag = self.files[path][1] if path in self.files else None
        if if_match is not None:
            return etag is not None and if_match in ("*", etag)
        return if_none_match is None or etag is None or if_none_match not in ("*", etag)

    def note(self, path: str, content: bytes, etag: str) -> None:
        assert etag not in self.seen
        self.seen.append(etag)
        self.files[path] = content, etag

    # ---- what is done

    @rule(path=PATHS, way=WAYS, condition=CONDITIONS)
    def write(self, path: str, way: str, condition: tuple[str, Any] | None) -> None:
        asked = self.arguments(condition)
        if way == "r+b" and path not in self.files:
            way = "wb"
        new = b"%0*d" % (SIZE, next(_numbers))
        if not self.may(path, **asked):
            with pytest.raises(PreconditionFailed) as caught:
                self.do(path, way, new, asked)
            assert caught.value.found == (self.files[path][1] if path in self.files else None)
            return
        etag = self.do(path, way, new, asked)
        assert etag is None or etag == self.fs.info(path)["etag"]
        old = self.files.get(path, (b"", ""))[0]
        content = {"ab": old + new, "r+b": new + old[SIZE:], "touch": b""}.get(way, new)
        self.note(path, content, self.fs.info(path)["etag"])

    def do(self, path: str, way: str, new: bytes, asked: dict[str, str]) -> str | None:
        etag: str | None
        if way == "pipe_file":
            etag = self.fs.pipe_file(path, new, **asked)
        elif way == "touch":
            etag = self.fs.touch(path, **asked)
        else:
            with self.fs.open(path, way, **asked) as file:
                file.write(new)
            etag = file.etag
        return etag

    @rule(path=PATHS, condition=CONDITIONS)
    def remove(self, path: str, condition: tuple[str, Any] | None) -> None:
        asked = self.arguments(condition)
        if "if_none_match" in asked or (not asked and path not in self.files):
            return
        if self.may(path, **asked):
            self.fs.rm_file(path, **asked)
            del self.files[path]
        else:
            with pytest.raises(PreconditionFailed):
                self.fs.rm_file(path, **asked)

    @rule(path=PATHS, other=PATHS, condition=CONDITIONS, of_target=CONDITIONS)
    def move(self, path: str, other: str, condition: Any, of_target: Any) -> None:
        wanted, replaced = self.arguments(condition), self.arguments(of_target)
        if path == other or "if_none_match" in wanted or (not wanted and path not in self.files):
            return
        asked = {**wanted, **{name.replace("if_match", "if_target_match"): etag for name, etag in replaced.items()}}
        if self.may(path, **wanted) and self.may(other, **replaced):
            self.fs.mv(path, other, **asked)
            self.files[other] = self.files.pop(path)
        else:
            with pytest.raises(PreconditionFailed):
                self.fs.mv(path, other, **asked)

    @rule(path=PATHS, other=PATHS, condition=CONDITIONS, of_source=st.none() | st.integers(0, 30))
    def copy(self, path: str, other: str, condition: Any, of_source: int | None) -> None:
        if path == other or path not in self.files:
            return
        asked, wanted = self.arguments(condition), self.seen[(of_source or 0) % len(self.seen)]
        options = asked if of_source is None else {**asked, "if_source_match": wanted}
        if self.may(other, **asked) and (of_source is None or self.may(path, wanted)):
            etag = self.fs.cp_file(path, other, **options)
            self.note(other, self.files[path][0], etag)
        else:
            with pytest.raises(PreconditionFailed):
                self.fs.cp_file(path, other, **options)

    @invariant()
    def the_files_are_those_of_the_model(self) -> None:
        found = self.fs.find("/", detail=True)
        assert {path: (self.fs.cat_file(path), info["etag"]) for path, info in found.items()} == self.files


class OnMemory(ConditionMachine):
    def make(self) -> AbstractFileSystem:
        name = f"conditions-{next(_numbers)}"
        self.left.callback(drop_store, name)
        return MemoryFileSystem(name=name)


class OnSqlite(ConditionMachine):
    def make(self) -> AbstractFileSystem:
        return SqliteFileSystem(database=f"{self.directory()}/w.db", synchronous="off")

    def directory(self) -> Path:
        return Path(self.left.enter_context(tempfile.TemporaryDirectory()))


class OnLocal(OnSqlite):
    def make(self) -> AbstractFileSystem:
        return LocalFileSystem(root=str(self.directory()), durable=False)


class OnStack(OnMemory):
    def make(self) -> AbstractFileSystem:
        return SecureFileSystem(StreamFileSystem(MountedFileSystem({"/": super().make()})), profile="testing")


TestOnMemory = OnMemory.TestCase
TestOnSqlite = OnSqlite.TestCase
TestOnLocal = OnLocal.TestCase
TestOnStack = OnStack.TestCase
TestOnMemory.settings = TestOnStack.settings = settings(stateful_step_count=30)
# Each example has a disk of its own.
TestOnSqlite.settings = TestOnLocal.settings = settings(
    max_examples=settings().max_examples // 4, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow]
)
