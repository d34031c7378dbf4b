"""pyarrow, with a filesystem that it is given."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem

TABLE = pa.table({"n": [1, 2, 3]})


@pytest.fixture
def fs(tmp_path: Path) -> AbstractFileSystem:
    return LocalFileSystem(root=str(tmp_path / "root"), create=True, durable=False)


def test_what_is_written_stays_below_the_root(fs: AbstractFileSystem, tmp_path: Path) -> None:
    path = str(tmp_path / "table.parquet")
    fs.makedirs(str(tmp_path))
    pyarrow.parquet.write_table(TABLE, path, filesystem=fs)
    assert fs.find("/") == [path]
    assert pyarrow.parquet.read_table(path, filesystem=fs) == TABLE
    assert [one.name for one in tmp_path.iterdir()] == ["root"]


def test_files_outside_are_not_read(fs: AbstractFileSystem, tmp_path: Path) -> None:
    pyarrow.parquet.write_table(TABLE, tmp_path / "outside.parquet")
    with pytest.raises(FileNotFoundError):
        pyarrow.parquet.read_table(str(tmp_path / "outside.parquet"), filesystem=fs)
    with pytest.raises(FileNotFoundError):
        pyarrow.dataset.dataset(str(tmp_path / "outside.parquet"), filesystem=fs)
