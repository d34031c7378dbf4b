"""The coroutine methods of chuksqlite do what the synchronous ones do."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.aio import CoroutineMethods
from tests.sqlite.sqlite_async import fs, in_loop, together

__all__ = ["fs"]

COROUTINES = sorted(
    name
    for name, method in vars(CoroutineMethods).items()
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
)


def contents_of(fs: AbstractFileSystem) -> dict[str, bytes]:
    return {path: fs.cat_file(path) for path in fs.find("/")}


@pytest.mark.parametrize("name", COROUTINES)
def test_a_coroutine_takes_what_its_synchronous_method_takes(name: str) -> None:
    # fsspec's mv_file has two paths; get_file and expand_path differ from release to release.
    if name in ("_mv_file", "_expand_path", "_get_file"):
        return
    synchronous = inspect.signature(getattr(SqliteFileSystem, name[1:])).parameters.values()
    awaited = inspect.signature(getattr(SqliteFileSystem, name)).parameters.values()
    assert [(one.name, one.kind, one.default) for one in awaited] == [
        (one.name, one.kind, one.default) for one in synchronous
    ]


def test_what_fsspec_awaits_is_there() -> None:
    its = {
        name
        for name, method in vars(AsyncFileSystem).items()
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    }
    assert its - set(COROUTINES) == {"_process_limits", "open_async"}
    assert SqliteFileSystem.async_impl is False


@in_loop
async def test_looking_and_reading_give_what_the_synchronous_methods_give(fs: SqliteFileSystem, tmp_path: Path) -> None:
    fs.pipe({"/a/one": b"first", "/a/b/two": b"second", "/three": bytes(100_000)})
    fs.posix.symlink("/nowhere", "/link")
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("info", ("/a/one",), {}),
        ("info", ("chuksqlite://a",), {}),
        ("ls", ("/a",), {}),
        ("ls", ("/a", False), {}),
        ("find", ("/",), {}),
        ("find", ("/a",), {"maxdepth": 1, "withdirs": True, "detail": True}),
        ("glob", ("/a/**",), {}),
        ("expand_path", (["/a"],), {"recursive": True}),
        ("exists", ("/link",), {}),
        ("lexists", ("/link",), {}),
        ("isfile", ("/three",), {}),
        ("isdir", ("/a",), {}),
        ("size", ("/three",), {}),
        ("sizes", (["/three", "/a/one"],), {}),
        ("du", ("/",), {"total": False}),
        ("created", ("/three",), {}),
        ("modified", ("/three",), {}),
        ("ukey", ("/three",), {}),
        ("checksum", ("/three",), {}),
        ("cat_file", ("/three",), {"start": -10}),
        ("cat", ("/a",), {"recursive": True, "on_error": "omit"}),
        ("cat_ranges", (["/three", "/missing"], [5, 0], [9, 1]), {}),
    ]
    for name, arguments, options in calls:
        awaited = await getattr(fs, f"_{name}")(*arguments, **options)
        assert repr(awaited) == repr(getattr(fs, name)(*arguments, **options)), name
    assert [step async for step in fs._walk("/")] == list(fs.walk("/"))
    await fs._get_file("/a/one", str(tmp_path / "one"))
    await fs._get("/a", str(tmp_path / "copy"), recursive=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "copy" / "one").read_bytes() == b"first"


@in_loop
async def test_changing_does_what_the_synchronous_methods_do(fs: SqliteFileSystem, tmp_path: Path) -> None:
    twin = SqliteFileSystem(database=str(tmp_path / "twin.db"), skip_instance_cache=True)
    local = tmp_path / "local"
    local.mkdir()
    (local / "file").write_bytes(b"local")
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("mkdir", ("/d/e",), {}),
        ("makedirs", ("/d/e",), {"exist_ok": True}),
        ("pipe_file", ("/d/small", bytearray(b"small")), {}),
        ("pipe_file", ("/d/small", b"x"), {"mode": "create"}),
        ("pipe", ({"/d/e/one": b"1", "/d/e/two": bytes(100_000)},), {}),
        ("touch", ("/d/empty",), {}),
        ("cp_file", ("/d/e/two", "/d/two"), {}),
        ("copy", ("/d/e", "/copy"), {"recursive": True}),
        ("mv", ("/copy", "/moved"), {"recursive": True}),
        ("mv", ("/d/empty", "/moved/empty"), {}),
        ("rm_file", ("/moved/one",), {}),
        ("rmdir", ("/d",), {}),
        ("rm", ("/d/e",), {"recursive": True}),
        ("rm", ("/missing",), {}),
        ("put_file", (str(local / "file"), "/put"), {}),
        ("put", (str(local), "/all"), {"recursive": True}),
    ]
    for name, arguments, options in calls:
        outcomes = []
        for make in (lambda: getattr(fs, f"_{name}")(*arguments, **options), lambda: None):  # noqa: B023
            try:
                awaitable = make()
                outcomes.append(await awaitable if awaitable else getattr(twin, name)(*arguments, **options))
            except OSError as error:
                outcomes.append((type(error), error.errno, error.filename, error.filename2))
        assert outcomes[0] == outcomes[1], name
    assert fs.find("/", withdirs=True) == twin.find("/", withdirs=True)
    assert contents_of(fs) == contents_of(twin)


PATHS = st.sampled_from(["/a", "/b", "/a/x", "/a/y", "/b/x", "/b/x/deep"])
CONTENTS = st.sampled_from([b"", b"small", bytes(5000), b"z" * 70_000])
CALLS = st.one_of(
    st.tuples(st.just("pipe_file"), PATHS, CONTENTS, st.sampled_from(["overwrite", "create"])),
    st.tuples(st.sampled_from(["mv", "cp_file"]), PATHS, PATHS),
    st.tuples(st.just("rm"), PATHS, st.booleans()),
    st.tuples(st.sampled_from(["mkdir", "makedirs", "rmdir", "rm_file", "cat_file", "isdir", "find", "touch"]), PATHS),
)


def comparable(outcome: Any) -> Any:
    """What came of a call, without what each filesystem has of its own: the text of an error, and etags."""
    if isinstance(outcome, OSError):
        return type(outcome), outcome.errno
    return str if isinstance(outcome, str) else outcome


@given(calls=st.lists(CALLS, max_size=20))
def test_a_batch_is_what_its_calls_are_one_after_another(calls: list[tuple[Any, ...]]) -> None:
    name = uuid.uuid4().hex
    model = MemoryFileSystem(name=name)
    fs = SqliteFileSystem(database=":memory:", skip_instance_cache=True)
    fs.rm("/", recursive=True)
    wanted: list[Any] = []
    for method, *arguments in calls:
        try:
            wanted.append(comparable(getattr(model, method)(*arguments)))
        except OSError as error:
            wanted.append(comparable(error))
    found = asyncio.run(together(fs, *(getattr(fs, f"_{method}")(*arguments) for method, *arguments in calls)))
    assert [comparable(one) for one in found] == wanted
    assert fs.find("/", withdirs=True) == model.find("/", withdirs=True)
    assert contents_of(fs) == contents_of(model)
    drop_store(name)
