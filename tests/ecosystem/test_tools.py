"""duckdb, zarr, dask and the filesystems of fsspec that stand on others, on what is here; in buckets: tests/remote."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import duckdb
import fsspec
import numpy as np
import pandas as pd
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.audit import AuditFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")  # dask with pandas 3.1

ROWS = 60_000


def memory(directory: Path) -> AbstractFileSystem:
    return MemoryFileSystem(name=str(directory))


def sqlite(directory: Path) -> AbstractFileSystem:
    return SqliteFileSystem(database=str(directory / "w.db"))


def local(directory: Path) -> AbstractFileSystem:
    return LocalFileSystem(root=str(directory / "root"), create=True, durable=False)


def mounted(directory: Path) -> AbstractFileSystem:
    options = {"root": str(directory / "root"), "create": True}
    return MountedFileSystem({"/": {"protocol": "chuklocal", "options": options}})


def secure(directory: Path) -> AbstractFileSystem:
    options = {"database": str(directory / "w.db")}
    return SecureFileSystem(target_protocol="chuksqlite", target_options=options)


def audited(directory: Path) -> AbstractFileSystem:
    options = {"database": str(directory / "w.db")}
    return AuditFileSystem(target_protocol="chuksqlite", target_options=options, log=str(directory / "audit.jsonl"))


@pytest.fixture(params=[memory, sqlite, local, mounted, secure, audited], ids=lambda make: make.__name__)
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractFileSystem:
    make: Callable[[Path], AbstractFileSystem] = request.param
    return make(tmp_path)


def test_duckdb(fs: AbstractFileSystem) -> None:
    """Its threads share one file, in which each seeks and then reads."""
    fs.makedirs("/data")
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        connection.execute("SET threads = 4")
        rows = f"SELECT range AS n, random() AS x, range % 3 AS k FROM range({ROWS})"
        url = f"{fs.protocol}:///data"
        connection.execute(f"COPY ({rows}) TO '{url}/all.parquet' (FORMAT parquet, ROW_GROUP_SIZE 8192)")
        connection.execute(f"COPY ({rows}) TO '{url}/by' (FORMAT parquet, PARTITION_BY (k))")
        for name in ("all.parquet", "by/*/*.parquet"):
            asked = f"SELECT count(*), sum(n) FROM read_parquet('{url}/{name}') WHERE x >= 0"
            assert connection.execute(asked).fetchone() == (ROWS, ROWS * (ROWS - 1) // 2)


def test_zarr(fs: AbstractFileSystem) -> None:
    zarr = pytest.importorskip("zarr", "3", reason="needs zarr 3, and so Python 3.11")
    store: Any = zarr.storage.FsspecStore.from_mapper(fs.get_mapper("/grid.zarr"))
    content = np.arange(10_000).reshape(100, 100)
    grid = zarr.create_array(store, shape=content.shape, chunks=(30, 30), dtype=content.dtype)
    grid[:] = content
    again = zarr.open_array(pickle.loads(pickle.dumps(store)), mode="r")
    assert (again[10:50, 7] == content[10:50, 7]).all()


def test_numpy(fs: AbstractFileSystem) -> None:
    content = np.random.default_rng(0).random((300, 300))
    with fs.open("/content.npz", "wb") as file:
        np.savez(file, first=content, second=content * 2)
    with fs.open("/content.npz", "rb") as file:
        assert (np.load(file)["second"] == content * 2).all()


def test_caches_of_whole_files(fs: AbstractFileSystem, tmp_path: Path) -> None:
    fs.pipe_file("/f", b"content")
    for kind in ("filecache", "simplecache"):
        cached = fsspec.filesystem(kind, fs=fs, cache_storage=str(tmp_path / kind))
        assert cached.cat_file("/f") == b"content"
        with cached.open("/new", "wb") as file:
            file.write(kind.encode())
        assert fs.cat_file("/new") == kind.encode()


def test_files_open_for_reading_are_copied(fs: AbstractFileSystem) -> None:
    fs.pipe_file("/f", bytes(range(100)) * 5000)
    with fs.open("/f", "rb") as file:
        file.seek(7)
        with copy.deepcopy(file) as again:
            assert again.read(2) == file.read(2) == b"\7\x08"


def test_dask_by_a_chain_of_urls(tmp_path: Path) -> None:
    """It asks for ``_metadata`` by the whole chain."""
    options = {"chuksqlite": {"database": str(tmp_path / "w.db")}}
    url = "chuksecure::chuksqlite://frame"
    frame = dd.from_pandas(pd.DataFrame({"n": range(10)}), npartitions=2)
    frame.to_parquet(url, storage_options=options, write_metadata_file=True)
    assert dd.read_parquet(url, storage_options=options)["n"].sum().compute(scheduler="threads") == 45
