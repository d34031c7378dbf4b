"""pandas, dask and pyarrow, by chukmem:// URL."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem

SALES = pd.DataFrame({"city": ["Oslo", "Rome", "Zürich"], "sold": [3, 5, 7], "price": [1.5, 2.25, 0.0]})


@pytest.mark.parametrize("path", ["sales.csv", "reports/2026/sales.csv", "sales.csv.gz"])
def test_csv(chukmem: MemoryFileSystem, path: str) -> None:
    options = chukmem.storage_options
    SALES.to_csv(f"chukmem://{path}", index=False, storage_options=options)
    assert chukmem.find("/") == [f"/{path}"]
    pd.testing.assert_frame_equal(pd.read_csv(f"chukmem://{path}", storage_options=options), SALES)
    pd.testing.assert_frame_equal(pd.read_csv(f"chukmem:///{path}", storage_options=options), SALES)


def test_csv_in_chunks(chukmem: MemoryFileSystem) -> None:
    options = chukmem.storage_options
    large = pd.DataFrame({"n": range(50_000)})
    large.to_csv("chukmem://large.csv", index=False, storage_options=options)
    with pd.read_csv("chukmem://large.csv", chunksize=7_000, storage_options=options) as chunks:
        pd.testing.assert_frame_equal(pd.concat(chunks), large)


def test_csv_appended(chukmem: MemoryFileSystem) -> None:
    options = chukmem.storage_options
    SALES.to_csv("chukmem://sales.csv", index=False, storage_options=options)
    SALES.to_csv("chukmem://sales.csv", index=False, mode="a", header=False, storage_options=options)
    assert len(pd.read_csv("chukmem://sales.csv", storage_options=options)) == 6


def test_parquet(chukmem: MemoryFileSystem) -> None:
    options = chukmem.storage_options
    SALES.to_parquet("chukmem://reports/sales.parquet", storage_options=options)
    pd.testing.assert_frame_equal(pd.read_parquet("chukmem://reports/sales.parquet", storage_options=options), SALES)
    part = pd.read_parquet("chukmem://reports/sales.parquet", columns=["sold"], storage_options=options)
    assert list(part.columns) == ["sold"]


def test_parquet_in_partitions(chukmem: MemoryFileSystem) -> None:
    options = chukmem.storage_options
    SALES.to_parquet("chukmem://sales", partition_cols=["city"], storage_options=options)
    assert {path.split("/")[2] for path in chukmem.find("/sales")} == {"city=Oslo", "city=Rome", "city=Z%C3%BCrich"}
    back = pd.read_parquet("chukmem://sales", storage_options=options)
    assert back.astype({"city": str}).sort_values("city")["sold"].tolist() == [3, 5, 7]


def test_json(chukmem: MemoryFileSystem) -> None:
    options = chukmem.storage_options
    SALES.to_json("chukmem://sales.json", storage_options=options)
    pd.testing.assert_frame_equal(
        pd.read_json("chukmem://sales.json", storage_options=options), SALES, check_dtype=False
    )


def test_what_is_missing_is_a_file_not_found_error(chukmem: MemoryFileSystem) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        pd.read_csv("chukmem://missing.csv", storage_options=chukmem.storage_options)
    assert caught.value.filename == "/missing.csv"


def test_pyarrow_sees_sizes_and_times(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/d/f", b"content")
    arrow = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(chukmem))
    found = arrow.get_file_info("/d/f")
    assert (found.size, found.type) == (7, pyarrow.fs.FileType.File)
    assert abs((found.mtime - chukmem.modified("/d/f")).total_seconds()) < 0.001
    table = pa.table({"n": range(10)})
    pyarrow.dataset.write_dataset(table, "/data", format="parquet", filesystem=chukmem)
    assert pyarrow.dataset.dataset("/data", filesystem=chukmem).to_table() == table


def test_dask(chukmem: MemoryFileSystem) -> None:
    dataframe = pytest.importorskip("dask.dataframe", reason="needs dask")
    options = chukmem.storage_options
    for number in range(3):
        SALES.to_csv(f"chukmem://parts/{number}.csv", index=False, storage_options=options)
    parts = dataframe.read_csv("chukmem://parts/*.csv", storage_options=options)
    assert parts["sold"].sum().compute(scheduler="sync") == 45
