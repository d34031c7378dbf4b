"""pandas, dask and pyarrow, by chuksqlite:// URL."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem

SALES = pd.DataFrame({"city": ["Oslo", "Rome", "Zürich"], "sold": [3, 5, 7], "price": [1.5, 2.25, 0.0]})


@pytest.fixture
def chuksqlite(tmp_path_factory: pytest.TempPathFactory) -> SqliteFileSystem:
    return SqliteFileSystem(database=str(tmp_path_factory.mktemp("sqlite") / "w.db"))


@pytest.mark.parametrize("path", ["sales.csv", "reports/2026/sales.csv", "sales.csv.gz"])
def test_csv(chuksqlite: SqliteFileSystem, path: str) -> None:
    options = chuksqlite.storage_options
    SALES.to_csv(f"chuksqlite://{path}", index=False, storage_options=options)
    assert chuksqlite.find("/") == [f"/{path}"]
    pd.testing.assert_frame_equal(pd.read_csv(f"chuksqlite://{path}", storage_options=options), SALES)
    pd.testing.assert_frame_equal(pd.read_csv(f"chuksqlite:///{path}", storage_options=options), SALES)


def test_csv_in_chunks(chuksqlite: SqliteFileSystem) -> None:
    options = chuksqlite.storage_options
    large = pd.DataFrame({"n": range(50_000)})
    large.to_csv("chuksqlite://large.csv", index=False, storage_options=options)
    with pd.read_csv("chuksqlite://large.csv", chunksize=7_000, storage_options=options) as chunks:
        pd.testing.assert_frame_equal(pd.concat(chunks), large)


def test_csv_appended(chuksqlite: SqliteFileSystem) -> None:
    options = chuksqlite.storage_options
    SALES.to_csv("chuksqlite://sales.csv", index=False, storage_options=options)
    SALES.to_csv("chuksqlite://sales.csv", index=False, mode="a", header=False, storage_options=options)
    assert len(pd.read_csv("chuksqlite://sales.csv", storage_options=options)) == 6


def test_parquet(chuksqlite: SqliteFileSystem) -> None:
    options = chuksqlite.storage_options
    SALES.to_parquet("chuksqlite://reports/sales.parquet", storage_options=options)
    pd.testing.assert_frame_equal(pd.read_parquet("chuksqlite://reports/sales.parquet", storage_options=options), SALES)
    part = pd.read_parquet("chuksqlite://reports/sales.parquet", columns=["sold"], storage_options=options)
    assert list(part.columns) == ["sold"]


def test_parquet_in_partitions(chuksqlite: SqliteFileSystem) -> None:
    options = chuksqlite.storage_options
    SALES.to_parquet("chuksqlite://sales", partition_cols=["city"], storage_options=options)
    assert {path.split("/")[2] for path in chuksqlite.find("/sales")} == {"city=Oslo", "city=Rome", "city=Z%C3%BCrich"}
    back = pd.read_parquet("chuksqlite://sales", storage_options=options)
    assert back.astype({"city": str}).sort_values("city")["sold"].tolist() == [3, 5, 7]


def test_json(chuksqlite: SqliteFileSystem) -> None:
    options = chuksqlite.storage_options
    SALES.to_json("chuksqlite://sales.json", storage_options=options)
    pd.testing.assert_frame_equal(
        pd.read_json("chuksqlite://sales.json", storage_options=options), SALES, check_dtype=False
    )


def test_what_is_missing_is_a_file_not_found_error(chuksqlite: SqliteFileSystem) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        pd.read_csv("chuksqlite://missing.csv", storage_options=chuksqlite.storage_options)
    assert caught.value.filename == "/missing.csv"


def test_pyarrow_sees_sizes_and_times(chuksqlite: SqliteFileSystem) -> None:
    chuksqlite.pipe_file("/d/f", b"content")
    arrow = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(chuksqlite))
    found = arrow.get_file_info("/d/f")
    assert (found.size, found.type) == (7, pyarrow.fs.FileType.File)
    assert abs((found.mtime - chuksqlite.modified("/d/f")).total_seconds()) < 0.001
    table = pa.table({"n": range(10)})
    pyarrow.dataset.write_dataset(table, "/data", format="parquet", filesystem=chuksqlite)
    assert pyarrow.dataset.dataset("/data", filesystem=chuksqlite).to_table() == table


def test_dask(chuksqlite: SqliteFileSystem) -> None:
    dataframe = pytest.importorskip("dask.dataframe", reason="needs dask")
    options = chuksqlite.storage_options
    for number in range(3):
        SALES.to_csv(f"chuksqlite://parts/{number}.csv", index=False, storage_options=options)
    parts = dataframe.read_csv("chuksqlite://parts/*.csv", storage_options=options)
    assert parts["sold"].sum().compute(scheduler="sync") == 45
