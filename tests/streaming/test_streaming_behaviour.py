"""chukstream is whatever it stands on: the behaviour suite, fsspec's own suite, URLs, pickles and libraries."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract import capabilities_of
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.contract.suite_groups import at_night, lacking
from tests.streaming.stream_kinds import ProducerError, failing_after
from tests.wrappers.async_fs import AsyncObjectFileSystem
from tests.wrappers.passing_fs import PassingFileSystem


@lacking("snapshots", "whole_files")
@at_night("Nofollow", "Paths")
class TestOverMemory(BehaviourSuite):
    """By day without what a wrapper has from its base class: `tests/wrappers` runs that."""

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return StreamFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name})


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return StreamFileSystem(MemoryFileSystem("abstract-streamed"))


class TestFsspecAbstractOnHost(FsspecAbstractSuite):
    """Over fsspec's local filesystem, where chukstream does the writing itself."""

    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return StreamFileSystem(fsspec.filesystem("file", auto_mkdir=True))

    @pytest.fixture
    def fs_path(self, tmp_path: Path) -> str:
        return str(tmp_path / "streamed")


def test_capabilities_are_those_below(chukmem: MemoryFileSystem) -> None:
    below = dataclasses.replace(chukmem.capabilities, snapshots=False, whole_files=False)
    assert StreamFileSystem(chukmem).capabilities == below
    plain = StreamFileSystem(fsspec.filesystem("memory")).capabilities
    assert plain.atomic_write
    assert plain.write
    assert not plain.random_write


def test_what_cannot_be_written_promises_nothing() -> None:
    from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem

    fs = StreamFileSystem(ReadOnlyFileSystem(fsspec.filesystem("memory")))
    assert not fs.capabilities.atomic_write
    with pytest.raises(OSError, match="Read-only"):
        fs.stream_write("/f", [b"x"])


def test_a_url_and_a_pickle(chukmem: MemoryFileSystem) -> None:
    options = {"chukmem": {"name": chukmem.name}}
    fs, path = fsspec.url_to_fs("chukstream::chukmem://d/f", **options)
    assert (type(fs), path) == (StreamFileSystem, "/d/f")
    fs.stream_write(path, [b"con", b"tent"])
    with fsspec.open("chukstream::chukmem://d/f", **options) as file:
        assert file.read() == b"content"
    copy = pickle.loads(pickle.dumps(fs))
    assert b"".join(copy.stream_read(path)) == b"content"
    assert b"".join(AbstractFileSystem.from_json(fs.to_json()).stream_read(path)) == b"content"
    assert fsspec.url_to_fs("chukstream::chukmem://d/g", **options)[0] is fs


def test_what_hides_what_lies_below_promises_nothing() -> None:
    hidden = StreamFileSystem(PassingFileSystem(fsspec.filesystem("memory")))
    assert not hidden.capabilities.atomic_write
    known = StreamFileSystem(PassingFileSystem(StreamFileSystem(fsspec.filesystem("memory"))))
    assert known.capabilities.atomic_write
    for fs in (hidden, known):
        fs.stream_write("/streamed-hidden", [b"x" * 200_000])
        assert fsspec.filesystem("memory").cat_file("/streamed-hidden") == b"x" * 200_000


def test_a_multipart_upload_through_another_wrapper(tmp_path: Path) -> None:
    below = AsyncObjectFileSystem(name="stream-through-wrapper")
    fs = StreamFileSystem(PassingFileSystem(below))
    fs.stream_write("/f", [b"old"])
    with pytest.raises(ProducerError):
        fs.stream_write("/f", failing_after(20))
    assert (below.cat_file("f"), below.service.uploads) == (b"old", {})
    fs.stream_write("/f", [bytes(1_000_000)])
    assert below.size("f") == 1_000_000
    host = StreamFileSystem(PassingFileSystem(fsspec.filesystem("file")))
    host.stream_write(f"{tmp_path}/f", [b"old"])
    with pytest.raises(ProducerError):
        host.stream_write(f"{tmp_path}/f", failing_after(20))
    assert (tmp_path / "f").read_bytes() == b"old"


def test_wrappers_above_and_below(chukmem: MemoryFileSystem) -> None:
    twice = StreamFileSystem(StreamFileSystem(StreamFileSystem(fsspec.filesystem("memory"))))
    assert capabilities_of(twice).atomic_write
    twice.stream_write("/streamed-twice", [b"x" * 200_000])
    assert fsspec.filesystem("memory").cat_file("/streamed-twice") == b"x" * 200_000


def test_pandas(chukmem: MemoryFileSystem) -> None:
    options = {"chukmem": {"name": chukmem.name}}
    pd = pytest.importorskip("pandas", minversion="3", reason="older ones know no chained URLs")
    frame = pd.DataFrame({"a": [1, 2, 3]})
    frame.to_csv("chukstream::chukmem://frame.csv", index=False, storage_options=options)
    assert pd.read_csv("chukstream::chukmem://frame.csv", storage_options=options).equals(frame)
