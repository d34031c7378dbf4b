"""Nothing gets past a wrapper: every public name of fsspec and of ``fs.posix``, over a spy, refused."""

from __future__ import annotations

import ast
import asyncio
import errno
import gc
import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import fsspec
import pytest
from fsspec import AbstractFileSystem

import chuk_fsspec.wrappers
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Kind, Operation
from chuk_fsspec.forwarding.looking import LookingSurface
from chuk_fsspec.forwarding.posix import ForwardingPosix
from chuk_fsspec.forwarding.surface import ForwardingFileSystem
from chuk_fsspec.wrappers.base import WrapperFileSystem
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from tests.wrappers.passing_fs import PassingFileSystem

HARMLESS = frozenset({"invalidate_cache", "nofollow"})
"""What touches no path: forgetting what is cached, and the same refusals over another view."""
UNNOTED = frozenset({"seen", "armed", "root_marker", "capabilities"})
"""What a spy is asked for by the test, and by a wrapper when it is made."""
ARGUMENTS: dict[str, Any] = {
    "block_size": 1,
    "ends": 1,
    "flags": os.O_RDONLY,
    "length": 1,
    "mode": "rb",
    "name": "user.x",
    "offset": 0,
    "size": 1,
    "starts": 0,
    "target": "elsewhere",
    "uid": 0,
    "gid": 0,
    "value": b"x",
}


class Spy(AbstractFileSystem):
    """Notes each of its attributes that somebody asks for once it is armed."""

    protocol = "chukspy"
    cachable = False
    capabilities = Capabilities(*[True] * len(Capabilities.__dataclass_fields__))

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.armed = True

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        state = object.__getattribute__(self, "__dict__")
        if "armed" in state and not name.startswith("__") and name not in UNNOTED:
            state["seen"].append(name)
        return found


class DenyingFileSystem(WrapperFileSystem):
    protocol = "chukdeny"

    def _authorise(self, operation: Operation, path: str, effect: Effect) -> NoReturn:
        raise os_error(errno.EACCES, path)


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def denying(spy: Spy) -> DenyingFileSystem:
    fs = DenyingFileSystem(fs=spy)
    spy.seen.clear()
    return fs


def call(owner: Any, row: Operation, tmp_path: Path) -> Any:
    """Call a public name with arguments of the right kind."""
    member = inspect.getattr_static(type(owner), row.name)
    if isinstance(member, property):
        return getattr(owner, row.name)
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(getattr(owner, row.name)).parameters.items():
        if name in row.paths:
            arguments[name] = ["/d/f"] if name == "paths" else "/d/f"
        elif name in row.local:
            (tmp_path / "here").write_bytes(b"x")
            arguments[name] = str(tmp_path / "here")
        elif parameter.default is parameter.empty and name in ARGUMENTS:
            arguments[name] = 0o644 if name == "mode" and row.posix else ARGUMENTS[name]
    result = getattr(owner, row.name)(**arguments)
    return list(result) if inspect.isgenerator(result) else result


OPERATIONS = [
    pytest.param(row, id=("posix." if row.posix else "") + row.name)
    for table in (FSSPEC, POSIX)
    for row in table.values()
    if row.kind is not Kind.IDENTITY
]


@pytest.mark.parametrize("row", OPERATIONS)
def test_nothing_reaches_what_a_denying_wrapper_wraps(
    row: Operation, denying: DenyingFileSystem, spy: Spy, tmp_path: Path
) -> None:
    with suppress(PermissionError, FileNotFoundError):
        if row.name not in HARMLESS:
            call(denying.posix if row.posix else denying, row, tmp_path)
    assert spy.seen == []


def test_writing_is_refused_before_anything_is_opened(denying: DenyingFileSystem, spy: Spy) -> None:
    for mode in ("rb", "wb", "ab", "xb", "r", "w"):
        with pytest.raises(PermissionError):
            denying.open("/f", mode)
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_CREAT):
        with pytest.raises(PermissionError):
            denying.posix.open_handle("/f", flags)
    with pytest.raises(PermissionError):
        asyncio.run(denying.open_async("/f"))
    with pytest.raises(PermissionError), denying.transaction:
        pass
    assert spy.seen == []


def test_open_files_finds_no_way_around(chukmem: MemoryFileSystem) -> None:
    """fsspec looks for ``open_many`` along ``fs.fs``, and would call it past the wrapper."""
    chukmem.pipe_file("/s/secret", b"secret")
    fsspec.register_implementation("chukdeny", DenyingFileSystem, clobber=True)
    files = fsspec.open_files(["chukdeny::chukmem://s/secret"], chukmem={"name": chukmem.name}, expand=False)
    assert not hasattr(files[0].fs, "fs")
    with pytest.raises(PermissionError), files:
        pass


def public_values(owner: object) -> list[Any]:
    return [getattr(owner, name, None) for name in dir(owner) if not name.startswith("_")]


def test_no_attribute_leads_to_the_filesystem_below(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"x")
    wrapper = PassingFileSystem(chukmem)
    owners: list[Any] = [wrapper, wrapper.posix, wrapper.open("/f"), wrapper.posix.open_handle("/f")]
    for owner in owners:
        assert not [value for value in public_values(owner) if isinstance(value, MemoryFileSystem)], owner
    assert not hasattr(wrapper, "fs")
    assert not hasattr(wrapper, "__getattr__")


def test_only_the_base_touches_what_is_wrapped() -> None:
    for package in (chuk_fsspec.wrappers.__path__[0],):
        for source in Path(package).rglob("*.py"):
            names = {node.attr for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Attribute)}
            reached = {name for name in names if name in ("__inner", "_WrapperFileSystem__inner")}
            assert not reached or source.name == "base.py", source


def test_every_kernel_and_bulk_operation_is_answered_by_the_surface() -> None:
    """fsspec's own versions of these work by steps that would not be one operation, or not be asked about at all."""
    inherited = {"walk", "glob", "expand_path", "du", "tree", "sizes"}  # made of ls, find and info alone
    answered = vars(ForwardingFileSystem).keys() | vars(LookingSurface).keys()
    for row in FSSPEC.values():
        if row.kind in (Kind.KERNEL, Kind.BULK) and row.name not in inherited | {"transaction", "end_transaction"}:
            assert row.name in answered, row.name
    assert set(POSIX) <= set(vars(ForwardingPosix))


CHANGES: list[Callable[[Any], Any]] = [
    lambda fs: fs.pipe_file("/f", b"new"),
    lambda fs: fs.pipe({"/f": b"new", "/g": b"new"}),
    lambda fs: fs.open("/f", "wb"),
    lambda fs: fs.open("/f", "ab"),
    lambda fs: fs.open("/f", "r+b"),
    lambda fs: fs.open("/new", "x"),
    lambda fs: fs.touch("/f"),
    lambda fs: fs.cp_file("/f", "/g"),
    lambda fs: fs.copy("/d", "/e", recursive=True),
    lambda fs: fs.mkdir("/new"),
    lambda fs: fs.makedirs("/new/deep"),
    lambda fs: fs.rm("/d", recursive=True),
    lambda fs: fs.rm_file("/f"),
    lambda fs: fs.rmdir("/empty"),
    lambda fs: fs.mv("/f", "/g"),
    lambda fs: fs.put(__file__, "/f"),
    lambda fs: fs.write_text("/f", "new"),
    lambda fs: fs.get_mapper("/").__setitem__("f", b"new"),
    lambda fs: fs.posix.symlink("/f", "/l"),
    lambda fs: fs.posix.link("/f", "/l"),
    lambda fs: fs.posix.mkdir("/new"),
    lambda fs: fs.posix.rename("/f", "/g"),
    lambda fs: fs.posix.unlink("/f"),
    lambda fs: fs.posix.rmdir("/empty"),
    lambda fs: fs.posix.chmod("/f", 0o600),
    lambda fs: fs.posix.chown("/f", 1, 1),
    lambda fs: fs.posix.utime("/f"),
    lambda fs: fs.posix.truncate("/f", 0),
    lambda fs: fs.posix.mknod("/new", 0o644),
    lambda fs: fs.posix.setxattr("/f", "user.x", b"1"),
    lambda fs: fs.posix.removexattr("/f", "user.x"),
    lambda fs: fs.posix.open_handle("/f", os.O_RDWR),
    lambda fs: fs.posix.open_handle("/f", os.O_RDONLY | os.O_TRUNC),
    lambda fs: fs.posix.nofollow.pipe_file("/f", b"new"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_read_only_filesystem_refuses_every_change(change: Callable[[Any], Any], chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/f": b"old", "/d/f": b"old"})
    chukmem.mkdir("/empty")
    chukmem.posix.setxattr("/f", "user.x", b"0")
    before = {path: chukmem.posix.lstat(path) for path in chukmem.find("/", withdirs=True)}
    with pytest.raises(OSError) as caught:
        change(ReadOnlyFileSystem(chukmem))
    gc.collect()
    assert caught.value.errno == errno.EROFS
    assert {path: chukmem.posix.lstat(path) for path in chukmem.find("/", withdirs=True)} == before


def test_a_read_only_filesystem_reads(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/f": b"1", "/d/g": b"2"})
    fs = ReadOnlyFileSystem(chukmem)
    assert fs.cat("/", recursive=True) == {"/f": b"1", "/d/g": b"2"}
    assert fs.cat_file("/f") == fs.cat_file("/f") == b"1"
    assert fs.find("/") == ["/d/g", "/f"]
    assert not fs.capabilities.write
    with fs.transaction:
        assert fs.open("/f").read() == b"1"
