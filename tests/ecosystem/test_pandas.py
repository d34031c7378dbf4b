"""pandas, dask and pyarrow, by URL."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.sqlite import SqliteFileSystem

SALES = pd.DataFrame({"city": ["Oslo", "Rome", "Zürich"], "sold": [3, 5, 7], "price": [1.5, 2.25, 0.0]})


@pytest.fixture(params=["chukmem", "chuksqlite"])
def fs(request: pytest.FixtureRequest) -> AbstractFileSystem:
    if request.param == "chukmem":
        return request.getfixturevalue("chukmem")
    return SqliteFileSystem(database=str(request.getfixturevalue("tmp_path") / "w.db"))


@pytest.mark.parametrize("path", ["sales.csv", "reports/2026/sales.csv", "sales.csv.gz"])
def test_csv(fs: AbstractFileSystem, path: str) -> None:
    options = fs.storage_options
    SALES.to_csv(f"{fs.protocol}://{path}", index=False, storage_options=options)
    assert fs.find("/") == [f"/{path}"]
    pd.testing.assert_frame_equal(pd.read_csv(f"{fs.protocol}://{path}", storage_options=options), SALES)
    pd.testing.assert_frame_equal(pd.read_csv(f"{fs.protocol}:///{path}", storage_options=options), SALES)


def test_csv_in_chunks(fs: AbstractFileSystem) -> None:
    options = fs.storage_options
    large = pd.DataFrame({"n": range(50_000)})
    large.to_csv(f"{fs.protocol}://large.csv", index=False, storage_options=options)
    with pd.read_csv(f"{fs.protocol}://large.csv", chunksize=7_000, storage_options=options) as chunks:
        pd.testing.assert_frame_equal(pd.concat(chunks), large)


def test_csv_appended(fs: AbstractFileSystem) -> None:
    options = fs.storage_options
    SALES.to_csv(f"{fs.protocol}://sales.csv", index=False, storage_options=options)
    SALES.to_csv(f"{fs.protocol}://sales.csv", index=False, mode="a", header=False, storage_options=options)
    assert len(pd.read_csv(f"{fs.protocol}://sales.csv", storage_options=options)) == 6


def test_parquet(fs: AbstractFileSystem) -> None:
    options = fs.storage_options
    SALES.to_parquet(f"{fs.protocol}://reports/sales.parquet", storage_options=options)
    pd.testing.assert_frame_equal(
        pd.read_parquet(f"{fs.protocol}://reports/sales.parquet", storage_options=options), SALES
    )
    part = pd.read_parquet(f"{fs.protocol}://reports/sales.parquet", columns=["sold"], storage_options=options)
    assert list(part.columns) == ["sold"]


def test_parquet_in_partitions(fs: AbstractFileSystem) -> None:
    options = fs.storage_options
    SALES.to_parquet(f"{fs.protocol}://sales", partition_cols=["city"], storage_options=options)
    assert {path.split("/")[2] for path in fs.find("/sales")} == {"city=Oslo", "city=Rome", "city=Z%C3%BCrich"}
    back = pd.read_parquet(f"{fs.protocol}://sales", storage_options=options)
    assert back.astype({"city": str}).sort_values("city")["sold"].tolist() == [3, 5, 7]


def test_json(fs: AbstractFileSystem) -> None:
    options = fs.storage_options
    SALES.to_json(f"{fs.protocol}://sales.json", storage_options=options)
    pd.testing.assert_frame_equal(
        pd.read_json(f"{fs.protocol}://sales.json", storage_options=options), SALES, check_dtype=False
    )


def test_what_is_missing_is_a_file_not_found_error(fs: AbstractFileSystem) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        pd.read_csv(f"{fs.protocol}://missing.csv", storage_options=fs.storage_options)
    assert caught.value.filename == "/missing.csv"


def test_pyarrow_sees_sizes_and_times(fs: AbstractFileSystem) -> None:
    fs.pipe_file("/d/f", b"content")
    arrow = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(fs))
    found = arrow.get_file_info("/d/f")
    assert (found.size, found.type) == (7, pyarrow.fs.FileType.File)
    assert abs((found.mtime - fs.modified("/d/f")).total_seconds()) < 0.001
    table = pa.table({"n": range(10)})
    pyarrow.dataset.write_dataset(table, "/data", format="parquet", filesystem=fs)
    assert pyarrow.dataset.dataset("/data", filesystem=fs).to_table() == table


def test_dask(fs: AbstractFileSystem) -> None:
    dataframe = pytest.importorskip("dask.dataframe", reason="needs dask")
    options = fs.storage_options
    for number in range(3):
        SALES.to_csv(f"{fs.protocol}://parts/{number}.csv", index=False, storage_options=options)
    parts = dataframe.read_csv(f"{fs.protocol}://parts/*.csv", storage_options=options)
    assert parts["sold"].sum().compute(scheduler="sync") == 45
