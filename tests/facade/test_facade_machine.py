"""The facade beside a shell's view of a real directory: whatever is done to both, both are the same."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chuk_fsspec import VirtualFileSystem

NAMES = ("a", "b", "c*")
paths = st.builds(
    lambda start, names: start + "/".join(names),
    st.sampled_from(("", "/", "./")),
    st.lists(st.sampled_from((*NAMES, *NAMES, "..", ".")), min_size=1, max_size=3),
)
contents = st.sampled_from(("", "one", "two lines\n"))


class DirectoryModel:
    """What a shell would do in a directory of this machine that is its whole world."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.cwd = "/"

    def real(self, path: str) -> str:
        """The directory's path of a path; ValueError where ``..`` leads out of it."""
        parts: list[str] = []
        for part in (path if path.startswith("/") else f"{self.cwd}/{path}").split("/"):
            if part == "..":
                if not parts:
                    raise ValueError("out")
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return os.path.join(self.root, *parts)

    def virtual(self, real: str) -> str:
        return "/" + os.path.relpath(real, self.root).lstrip(".")

    def write_file(self, path: str, content: str) -> None:
        real = self.real(path)
        os.makedirs(os.path.dirname(real), exist_ok=True)
        Path(real).write_text(content)

    def mkdir(self, path: str) -> None:
        os.makedirs(self.real(path), exist_ok=True)

    def rm(self, path: str, recursive: bool) -> None:
        real = self.real(path)
        if real == self.root:
            raise OSError
        if os.path.isdir(real):
            (shutil.rmtree if recursive else os.rmdir)(real)
        else:
            os.remove(real)

    def cd(self, path: str) -> None:
        real = self.real(path)
        os.scandir(real).close()
        self.cwd = self.virtual(real)

    def mv(self, source: str, destination: str) -> None:
        one, other = self.real(source), self.real(destination)
        if one == other:
            os.stat(one)
            return
        if os.path.isdir(other):
            other = os.path.join(other, os.path.basename(one))
        if other.startswith(f"{one}/") or one == self.root:
            raise OSError
        os.stat(one)
        os.makedirs(os.path.dirname(other), exist_ok=True)
        os.rename(one, other)

    def cp(self, source: str, destination: str) -> None:
        one, other = self.real(source), self.real(destination)
        os.stat(one)
        if os.path.isdir(other):
            other = os.path.join(other, os.path.basename(one))
        if one == other or (os.path.isdir(one) and f"{other}/".startswith(f"{one}/")):
            raise OSError
        if os.path.isdir(one):
            self._require_copyable(one, other)
            shutil.copytree(one, other, dirs_exist_ok=True)
        else:
            if os.path.isdir(other):
                raise OSError
            os.makedirs(os.path.dirname(other), exist_ok=True)
            shutil.copyfile(one, other)

    def _require_copyable(self, one: str, other: str) -> None:
        """What stops half-way leaves a part, in both, but perhaps another one."""
        for directory, below, files in os.walk(one):
            place = other + directory[len(one) :]
            if os.path.lexists(place) and not os.path.isdir(place):
                raise OSError
            if any(os.path.isdir(os.path.join(place, name)) for name in files):
                raise Unclear
            if any(os.path.isfile(os.path.join(place, name)) for name in below):
                raise Unclear

    def everything(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for directory, below, files in os.walk(self.root):
            found |= {self.virtual(os.path.join(directory, name)): None for name in below}
            found |= {self.virtual(os.path.join(directory, name)): Path(directory, name).read_text() for name in files}
        return found


class Unclear(Exception):  # noqa: N818 - no error: the step is left out
    """Nobody says what is left of it."""


class FacadeMachine(RuleBasedStateMachine):
    """Does the same to both."""

    provider = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.mkdtemp()
        self.model = DirectoryModel(os.path.join(self.place, "model"))
        os.mkdir(self.model.root)
        self.fs = self.open_facade()

    def open_facade(self) -> VirtualFileSystem:
        return VirtualFileSystem()

    def teardown(self) -> None:
        self.fs.close()
        shutil.rmtree(self.place)

    def both(self, name: str, *arguments: Any) -> None:
        try:
            getattr(self.model, name)(*arguments)
        except Unclear:
            return
        except (OSError, ValueError):
            with pytest.raises(OSError):
                getattr(self.fs, name)(*arguments)
        else:
            getattr(self.fs, name)(*arguments)

    @rule(path=paths, content=contents)
    def write(self, path: str, content: str) -> None:
        self.both("write_file", path, content)

    @rule(path=paths)
    def mkdir(self, path: str) -> None:
        self.both("mkdir", path)

    @rule(path=paths, recursive=st.booleans())
    def rm(self, path: str, recursive: bool) -> None:
        self.both("rm", path, recursive)

    @rule(path=paths)
    def cd(self, path: str) -> None:
        self.both("cd", path)

    @rule(source=paths, destination=paths)
    def mv(self, source: str, destination: str) -> None:
        self.both("mv", source, destination)

    @rule(source=paths, destination=paths)
    def cp(self, source: str, destination: str) -> None:
        self.both("cp", source, destination)

    @invariant()
    def they_are_the_same(self) -> None:
        found = self.fs.find(path="/")
        assert {path: None if self.fs.is_dir(path) else self.fs.read_file(path) for path in found} == (
            self.model.everything()
        )
        assert self.fs.pwd() == self.model.cwd


class SecuredMachine(FacadeMachine):
    """With mounts and rules."""

    def open_facade(self) -> VirtualFileSystem:
        return VirtualFileSystem(enable_mounts=True, security_profile="testing")


class LocalMachine(FacadeMachine):
    """In a directory of this machine."""

    def open_facade(self) -> VirtualFileSystem:
        return VirtualFileSystem("filesystem", root_path=os.path.join(self.place, "fs"), durable=False)


for machine in (FacadeMachine, SecuredMachine, LocalMachine):
    machine.TestCase.settings = settings(stateful_step_count=15, max_examples=settings().max_examples // 2)

TestMemory = FacadeMachine.TestCase
TestSecured = SecuredMachine.TestCase
TestLocal = LocalMachine.TestCase
