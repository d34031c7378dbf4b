"""What data tools do with files in buckets: duckdb, zarr, and the filesystems of fsspec that stand on others."""

from __future__ import annotations

import errno
import gc
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.caching import caches

from chuk_fsspec.testing.checks import fails_with
from tests.gcs.gcs_opening import filesystem as gcs_filesystem
from tests.gcs.gcs_opening import new_bucket as new_gcs_bucket
from tests.gcs.server.serving import serving
from tests.s3 import s3_servers

DATA = random.Random(4).randbytes(600_000)
ROWS = 60_000


def s3_bucket(**options: Any) -> Iterator[AbstractFileSystem]:
    with s3_servers.served_by_moto() as url:
        yield s3_servers.filesystem(url, s3_servers.new_bucket(s3_servers.filesystem(url)), **options)


def obstore_bucket() -> Iterator[AbstractFileSystem]:
    yield from s3_bucket(engine="obstore")


def gcs_bucket() -> Iterator[AbstractFileSystem]:
    with serving() as server:
        yield gcs_filesystem(server, bucket_name=new_gcs_bucket(server))


@pytest.fixture(scope="module", params=[s3_bucket, obstore_bucket, gcs_bucket], ids=["s3", "obstore", "gcs"])
def fs(request: pytest.FixtureRequest) -> Iterator[AbstractFileSystem]:
    yield from request.param()


def test_duckdb(fs: AbstractFileSystem) -> None:
    """Its threads share one file, in which each seeks and then reads."""
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        connection.execute("SET threads = 4")
        url = f"{fs.protocol}:///duckdb/all.parquet"
        rows = f"SELECT range AS n, random() AS x FROM range({ROWS})"
        connection.execute(f"COPY ({rows}) TO '{url}' (FORMAT parquet, ROW_GROUP_SIZE 8192)")
        asked = f"SELECT count(*), sum(n) FROM read_parquet('{fs.protocol}:///duckdb/*.parquet') WHERE x >= 0"
        assert connection.execute(asked).fetchone() == (ROWS, ROWS * (ROWS - 1) // 2)


def test_zarr_in_loops_of_its_own(fs: AbstractFileSystem) -> None:
    zarr = pytest.importorskip("zarr", "3", reason="needs zarr 3, and so Python 3.11")
    url = f"{fs.protocol}://grid.zarr"
    group = zarr.open_group(url, mode="w", storage_options=fs.storage_options)
    group.create_array("n", shape=(100,), chunks=(30,), dtype="i8")[:] = range(100)
    again = zarr.open_group(url, mode="r", storage_options=fs.storage_options)
    assert again["n"][25:35].tolist() == list(range(25, 35))


def test_references_to_parts_of_files(fs: AbstractFileSystem) -> None:
    fs.pipe_file("/parts/f", DATA)
    url = f"{fs.protocol}://parts/f"
    references = {"part": [url, 2, 3], "whole": [url], "here": "text"}
    parts = fsspec.filesystem(
        "reference", fo=references, remote_protocol=fs.protocol, remote_options=fs.storage_options
    )
    assert parts.cat(["part", "here"]) == {"part": DATA[2:5], "here": b"text"}
    with parts.open("part") as file:
        assert file.read() == DATA[2:5]
    with parts.open("whole") as file:
        assert file.read() == DATA


def of_fsspec() -> list[str]:
    """The caches for every filesystem. Others register theirs, for files of their own, when they are imported."""
    names = (name for name, kind in caches.items() if name and kind.__module__ == "fsspec.caching")
    return sorted({*names} - {"mmap", "parts"})


@pytest.mark.parametrize("cache_type", of_fsspec())
def test_caches_of_parts_of_files(fs: AbstractFileSystem, cache_type: str) -> None:
    fs.pipe_file("/cached/f", DATA)
    with fs.open("/cached/f", "rb", cache_type=cache_type, block_size=100_000) as file:
        assert file.read(3) == DATA[:3]
        assert file.seek(-5, 2) == len(DATA) - 5
        assert file.read() == DATA[-5:]
        file.seek(250_000)
        assert file.read(200_000) == DATA[250_000:450_000]


def test_a_cached_file_is_of_one_version(fs: AbstractFileSystem) -> None:
    fs.pipe_file("/cached/replaced", DATA)
    with fs.open("/cached/replaced", "rb", cache_type="none") as file:
        assert file.read(3) == DATA[:3]
        fs.pipe_file("/cached/replaced", DATA[::-1])
        with fails_with(errno.ESTALE):
            file.read(3)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # fsspec's MMapCache closes no file
def test_blocks_of_a_file_are_kept_here(fs: AbstractFileSystem, tmp_path: Path) -> None:
    fs.pipe_file("/blocks/f", DATA)
    url = f"blockcache::{fs.protocol}://blocks/f"
    options = {"blockcache": {"cache_storage": str(tmp_path)}, fs.protocol: fs.storage_options}

    def read() -> bytes:
        with fsspec.open(url, **options) as file:
            file.seek(400_000)
            return bytes(file.read(5))

    assert read() == read() == DATA[400_000:400_005]
    gc.collect()
