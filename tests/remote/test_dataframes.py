"""Dataframes in buckets: pandas and dask by URL, the latter in several partitions, threads and processes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import dask
import dask.dataframe as dd
import fsspec
import pandas as pd
import pytest

from tests.gcs.gcs_opening import new_bucket
from tests.gcs.server.serving import serving
from tests.s3 import s3_servers

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")  # dask with pandas 3.1

FRAME = pd.DataFrame({"city": ["Oslo", "Rome", "Bern"] * 20, "sold": range(60)})


@dataclass(frozen=True)
class Bucket:
    """A place for frames.

    Attributes:
        url: of the bucket.
        options: what reaches it.
    """

    url: str
    options: dict[str, Any]

    def names(self, directory: str) -> list[str]:
        fs, path = fsspec.url_to_fs(f"{self.url}/{directory}", **self.options)
        return [found.rpartition("/")[2] for found in fs.find(path)]


@contextmanager
def s3_bucket() -> Iterator[Bucket]:
    with s3_servers.served_by_moto() as url:
        yield Bucket(f"chuks3://{s3_servers.new_bucket(s3_servers.filesystem(url))}", s3_servers.options(url))


@contextmanager
def gcs_bucket() -> Iterator[Bucket]:
    with serving() as server:
        yield Bucket(f"chukgcs://{new_bucket(server)}", {"endpoint_url": server.url, "token": "anon"})


@pytest.fixture(scope="module", params=[s3_bucket, gcs_bucket], ids=["s3", "gcs"])
def bucket(request: pytest.FixtureRequest) -> Iterator[Bucket]:
    with request.param() as bucket:
        yield bucket


def test_pandas(bucket: Bucket) -> None:
    FRAME.to_csv(f"{bucket.url}/pandas/f.csv", index=False, storage_options=bucket.options)
    FRAME.to_parquet(f"{bucket.url}/pandas/f.parquet", storage_options=bucket.options)
    assert pd.read_csv(f"{bucket.url}/pandas/f.csv", storage_options=bucket.options).equals(FRAME)
    assert pd.read_parquet(f"{bucket.url}/pandas/f.parquet", storage_options=bucket.options).equals(FRAME)
    with pytest.raises(FileNotFoundError):
        pd.read_csv(f"{bucket.url}/pandas/none.csv", storage_options=bucket.options)


def carry_a_frame(bucket: Bucket, directory: str) -> None:
    """Write a frame in three partitions, as Parquet and as CSV, and read both."""
    parts, url, options = dd.from_pandas(FRAME, npartitions=3), f"{bucket.url}/{directory}", bucket.options
    parts.to_parquet(f"{url}/parquet", storage_options=options)
    parts.to_csv(f"{url}/csv/*.csv", index=False, storage_options=options)
    assert bucket.names(f"{directory}/csv") == ["0.csv", "1.csv", "2.csv"]
    assert [name for name in bucket.names(f"{directory}/parquet") if name.startswith("part.")] != []
    whole = dd.read_parquet(f"{url}/parquet", storage_options=options)
    assert whole.npartitions == 3
    pd.testing.assert_frame_equal(whole.compute(), FRAME, check_dtype=False)
    lines = dd.read_csv(f"{url}/csv/*.csv", blocksize=50, storage_options=options)
    assert lines.npartitions > 3  # ranges of bytes, that begin and end in the middle of lines
    assert lines["sold"].sum().compute() == FRAME["sold"].sum()
    pd.testing.assert_frame_equal(lines.compute().reset_index(drop=True), FRAME, check_dtype=False)


def test_dask_in_threads(bucket: Bucket) -> None:
    with dask.config.set(scheduler="threads", num_workers=4):
        carry_a_frame(bucket, "threads")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_dask_in_processes(bucket: Bucket) -> None:
    with (
        ProcessPoolExecutor(2, get_context("spawn")) as pool,
        dask.config.set(scheduler="processes", pool=pool),
    ):
        carry_a_frame(bucket, "processes")
