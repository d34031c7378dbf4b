"""The ways in: fsspec and ``fs.posix``; a FUSE mount, by a program that is confined to it; tools of an MCP server."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from tests.attacks import api_ways, mcp_ways, mount_agent
from tests.mcp.mcp_clients import Talker

Plant = Sequence[tuple[Any, ...]]
"""What an attacker does first: names of methods of ``Door``, each with its arguments."""


@dataclass(frozen=True)
class Outcome:
    """What came of one way of one attack: a result, or an error."""

    way: str
    result: Any = None
    error: BaseException | None = None


class Door(ABC):
    """What an attacker can do, by whatever means. Paths are absolute in the tree that is attacked."""

    name: str
    reads: Mapping[str, Any]
    writes: Mapping[str, Any]
    core: frozenset[str]

    @abstractmethod
    def attempt(self, way: str, path: str) -> Outcome:
        """Try one way."""

    @abstractmethod
    def attempt_all(self, path: str, plant: Plant = (), ways: Container[str] | None = None) -> list[Outcome]:
        """Try every way, or those that are named, each with things in place as they were before the first."""

    def _chosen(self, ways: Container[str] | None) -> list[str]:
        return [way for way in (*self.reads, *self.writes) if ways is None or way in ways]

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Write a file."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Read a file."""

    @abstractmethod
    def names(self, path: str) -> list[str]:
        """Names in a directory."""

    @abstractmethod
    def symlink(self, text: str, path: str) -> None:
        """Make a symbolic link."""

    @abstractmethod
    def link(self, path: str, new: str) -> None:
        """Make a hard link."""

    @abstractmethod
    def mkdir(self, path: str) -> None:
        """Make one directory."""

    @abstractmethod
    def ensure(self, path: str) -> None:
        """Make a directory and those above it, if they are missing."""

    @abstractmethod
    def mknod(self, path: str, mode: int, device: int) -> None:
        """Make a special file."""

    @abstractmethod
    def open_once(self, path: str, flags: int) -> None:
        """open(2) and close(2)."""

    @abstractmethod
    def rename(self, path: str, target: str) -> None:
        """rename(2)."""

    @abstractmethod
    def exchange(self, path: str, other: str) -> None:
        """Swap two entries."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove what is there, if there is something."""


class ApiDoor(Door):
    """fsspec and ``fs.posix``."""

    name = "api"
    reads: Mapping[str, Any] = api_ways.READS
    writes: Mapping[str, Any] = api_ways.WRITES
    core = api_ways.CORE

    def __init__(self, fs: Any, downloads: Path) -> None:
        self.fs = fs
        self.downloads = downloads

    def attempt(self, way: str, path: str) -> Outcome:
        use = self.reads.get(way) or self.writes[way]
        return self.run(way, use, path, self.downloads)

    def run(self, way: str, use: Callable[..., Any], *arguments: Any) -> Outcome:
        """Try something else, which takes the filesystem and arguments."""
        try:
            return Outcome(way, use(self.fs, *arguments))
        except (OSError, ValueError, NotImplementedError, KeyError) as error:
            return Outcome(way, error=error)

    def write(self, path: str, data: bytes) -> None:
        self.fs.pipe_file(path, data)

    def read(self, path: str) -> bytes:
        data: bytes = self.fs.cat_file(path)
        return data

    def names(self, path: str) -> list[str]:
        return [name.rpartition("/")[2] for name in self.fs.ls(path, detail=False)]

    def symlink(self, text: str, path: str) -> None:
        self.fs.posix.symlink(text, path)

    def link(self, path: str, new: str) -> None:
        self.fs.posix.link(path, new)

    def mkdir(self, path: str) -> None:
        self.fs.posix.mkdir(path)

    def ensure(self, path: str) -> None:
        self.fs.makedirs(path, exist_ok=True)

    def mknod(self, path: str, mode: int, device: int) -> None:
        self.fs.posix.mknod(path, mode, device)

    def open_once(self, path: str, flags: int) -> None:
        self.fs.posix.open_handle(path, flags).close()

    def rename(self, path: str, target: str) -> None:
        self.fs.posix.rename(path, target)

    def exchange(self, path: str, other: str) -> None:
        self.fs.posix.rename(path, other, RENAME_EXCHANGE)

    def remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self.fs.rm(path, recursive=True)

    def attempt_all(self, path: str, plant: Plant = (), ways: Container[str] | None = None) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for way in self._chosen(ways):
            if not outcomes or way in self.writes or "out" in way:
                self._ready()
                for name, *arguments in plant:
                    getattr(self, name)(*arguments)
            outcomes.append(self.attempt(way, path))
        return outcomes

    def _ready(self) -> None:
        """Have a file of one's own, and nothing where things are taken to."""
        self.remove(api_ways.TAKEN)
        info = self.fs.info(api_ways.SOURCE) if self.fs.lexists(api_ways.SOURCE) else None
        if info is None or info["type"] != "file" or info.get("islink"):
            self.remove(api_ways.SOURCE)
            self.fs.pipe_file(api_ways.SOURCE, b"inside")


class McpDoor(ApiDoor):
    """The tools and resources of an MCP server; what they cannot make, such as links, is put in place by fsspec."""

    name = "mcp"
    reads = mcp_ways.READS
    writes = mcp_ways.WRITES
    core = mcp_ways.CORE

    def __init__(self, fs: Any, downloads: Path, talker: Talker) -> None:
        super().__init__(fs, downloads)
        self._talker = talker

    def attempt(self, way: str, path: str) -> Outcome:
        use = self.reads.get(way) or self.writes[way]
        try:
            return Outcome(way, use(self._talker, path))
        except (mcp_ways.RefusedError, MCPError, UnicodeEncodeError) as error:
            return Outcome(way, error=error)


class MountDoor(Door):
    """System calls of a program in a mount (``mount_agent``)."""

    name = "mount"
    reads = mount_agent.READS
    writes = mount_agent.WRITES
    core = mount_agent.CORE

    def __init__(self, mountpoint: Path) -> None:
        self._agent = Agent(mountpoint)
        self.mountpoint = mountpoint

    def attempt(self, way: str, path: str) -> Outcome:
        try:
            return Outcome(way, self._agent.call(mount_agent.try_way, way, path))
        except (OSError, ValueError) as error:
            return Outcome(way, error=error)

    def write(self, path: str, data: bytes) -> None:
        self._agent.call(mount_agent.write, path, data)

    def read(self, path: str) -> bytes:
        data: bytes = self._agent.call(mount_agent.read, path)
        return data

    def names(self, path: str) -> list[str]:
        return sorted(self.attempt("listdir", path).result)

    def symlink(self, text: str, path: str) -> None:
        self._agent.call(mount_agent.symlink, text, path)

    def link(self, path: str, new: str) -> None:
        self._agent.call(mount_agent.link, path, new)

    def mkdir(self, path: str) -> None:
        self._agent.call(mount_agent.mkdir, path)

    def ensure(self, path: str) -> None:
        self._agent.call(mount_agent.ensure, path)

    def mknod(self, path: str, mode: int, device: int) -> None:
        self._agent.call(mount_agent.mknod, path, mode, device)

    def open_once(self, path: str, flags: int) -> None:
        self._agent.call(mount_agent.open_once, path, flags)

    def rename(self, path: str, target: str) -> None:
        self._agent.call(mount_agent.rename, path, target)

    def exchange(self, path: str, other: str) -> None:
        self._agent.call(mount_agent.exchange, path, other)

    def remove(self, path: str) -> None:
        self._agent.call(mount_agent.remove, path)

    def attempt_all(self, path: str, plant: Plant = (), ways: Container[str] | None = None) -> list[Outcome]:
        found = self._agent.call(mount_agent.attempt_all, path, list(plant), self._chosen(ways))
        return [Outcome(*outcome) for outcome in found]

    def begin_reading(self, path: str) -> None:
        """Read a file without waiting for what comes of it; afterwards only ``close`` is of use."""
        self._agent.ask(mount_agent.read, path)

    def another(self) -> closing[MountDoor]:
        """A second program in the same mount, for a ``with`` block."""
        return closing(MountDoor(self.mountpoint))

    def close(self) -> None:
        """End the program."""
        self._agent.close()


@contextmanager
def mounted_at(mountpoint: Path, fs: Any) -> Iterator[MountDoor]:
    """Mount a filesystem where nothing is believed for longer than it takes to say, and enter by it."""
    if os.geteuid() != 0:
        pytest.skip("only root can confine a program to the mount, where links lead nowhere else")
    with mount(fs, mountpoint, MountOptions(cache_timeout=0)), closing(MountDoor(mountpoint)) as door:
        yield door


class Agent:
    """A running ``mount_agent``."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-I", "-S", "-X", "utf8", mount_agent.__file__, str(directory)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a function of ``mount_agent`` called; ``answer`` waits for what it returns."""
        assert self._process.stdin is not None
        try:
            pickle.dump((function.__name__, arguments), self._process.stdin)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise RuntimeError("the program in the mount has ended") from None

    def answer(self) -> Any:
        """What the function returned, or the OSError or ValueError that it raised."""
        assert self._process.stdout is not None
        try:
            result, error = pickle.load(self._process.stdout)
        except EOFError:
            raise RuntimeError("the program in the mount has ended") from None
        except BaseException:
            self.close()  # what it answers later would be taken for the answer to something else
            raise
        if error is not None:
            raise error
        return result

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """``ask`` and ``answer``."""
        self.ask(function, *arguments)
        return self.answer()

    def close(self) -> None:
        """End the program, whatever it waits for."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):  # what it was asked last
                pipe.close()
        self._process.wait(10)
