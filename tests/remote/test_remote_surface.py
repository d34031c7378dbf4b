"""Everything that fsspec has is there twice, and the wrappers of this family stand on it."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem, filesystem
from fsspec.asyn import AsyncFileSystem

from chuk_fsspec.contract.operations import FSSPEC, Kind
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.remote import RemoteFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.remote.coroutines import use_every_coroutine
from tests.remote.dict_store import DictFileSystem

WITHOUT_COROUTINE = {"open", "transaction", "start_transaction", "end_transaction", "invalidate_cache", "tree"}
"""What fsspec itself has only for those who wait; for ``open`` there is ``open_async``."""


@pytest.mark.parametrize(
    "name", [name for name, operation in FSSPEC.items() if operation.kind in (Kind.KERNEL, Kind.BULK)]
)
def test_every_operation_has_a_coroutine(name: str):
    if name in WITHOUT_COROUTINE:
        return
    coroutine = getattr(RemoteFileSystem, f"_{name}")
    assert inspect.iscoroutinefunction(coroutine) or inspect.isasyncgenfunction(coroutine)
    assert getattr(RemoteFileSystem, name) is not getattr(AbstractFileSystem, name, None)


def test_no_coroutine_of_fsspec_is_left_undone():
    undone = {"_process_limits", "_cat_file", "_pipe_file", "_info", "_ls", "_cp_file", "_put_file", "_get_file"}
    for name in undone - {"_process_limits"}:
        assert getattr(RemoteFileSystem, name) is not getattr(AsyncFileSystem, name)


def test_coroutines_do_what_the_methods_do(name: str, tmp_path: Path):
    async def act() -> None:
        fs = DictFileSystem(name, asynchronous=True)
        await use_every_coroutine(fs, tmp_path)
        await fs._pipe_file("/f", b"1")
        assert (await fs._sign("/f", 60)).startswith("https://")
        await fs._close()

    asyncio.run(act())


def test_in_a_mounted_tree_files_move_between_services(name: str):
    one, other = DictFileSystem(name), DictFileSystem(name + "2", "tree")
    tree = MountedFileSystem(mounts={"/": filesystem("chukmem", name=name), "/one": one, "/other": other})
    tree.pipe({"/local": b"1", "/one/d/a": b"2", "/one/d/e/b": b"3"})
    tree.cp_file("/local", "/one/copied")
    tree.mv("/one/d", "/other/d", recursive=True)
    tree.mv("/other/d/a", "/back")
    assert one.cat_file("/copied") == b"1"
    assert one.find("/") == ["/copied"]
    assert other.cat_file("/d/e/b") == b"3"
    assert tree.cat_file("/back") == b"2"


def test_in_a_stage_changes_wait(name: str):
    fs = DictFileSystem(name)
    fs.pipe({"/a": b"old", "/b": b"goes"})
    stage = fs.stage()
    stage.pipe({"/a": b"new", "/d/c": b"comes"})
    stage.rm_file("/b")
    assert fs.cat_file("/a") == b"old"
    stage.commit()
    assert {path: fs.cat_file(path) for path in fs.find("/")} == {"/a": b"new", "/d/c": b"comes"}


def test_behind_rules_what_is_hidden_stays_hidden(name: str):
    fs = DictFileSystem(name)
    fs.pipe({"/public/a": b"1", "/private/b": b"2"})
    secure = filesystem("chuksecure", fs=fs, denied_paths=["/private"])
    assert secure.cat_file("/public/a") == b"1"
    with pytest.raises(PermissionError):
        secure.cat_file("/private/b")
    secure.pipe_file("/public/c", b"3")
    assert fs.cat_file("/public/c") == b"3"


def test_streams_of_any_size(name: str):
    fs = StreamFileSystem(fs=DictFileSystem(name))
    pieces = [bytes([number]) * 50_000 for number in range(20)]
    fs.stream_write("/f", iter(pieces))
    with fs.stream_read("/f") as stream:
        assert b"".join(stream) == b"".join(pieces)
