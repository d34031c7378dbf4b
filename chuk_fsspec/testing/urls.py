"""URLs, pickles and JSON: a filesystem is what its arguments say, wherever they are said."""

from __future__ import annotations

import errno
import json
import pickle

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from chuk_fsspec.testing.checks import files_below
from chuk_fsspec.testing.needs import needs


class Urls:
    """Names for a filesystem and its files. Those by URL need the protocol to be registered."""

    @pytest.fixture
    def protocol(self, fs: AbstractFileSystem) -> str:
        """The protocol's name, if fsspec knows it as this filesystem."""
        name: str = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
        try:
            registered = fsspec.get_filesystem_class(name)
        except (ImportError, ValueError):
            registered = None
        if registered is not type(fs):
            pytest.skip(f"needs the protocol {name!r} to be registered for {type(fs).__name__}")
        return name

    def test_a_url_is_a_path_with_a_protocol(self, fs: AbstractFileSystem, root: str) -> None:
        url = fs.unstrip_protocol(f"{root}/f")
        assert "://" in url
        assert fs._strip_protocol(url) == f"{root}/f"
        assert fs.unstrip_protocol(url) == url

    def test_a_url_leads_to_the_same_filesystem(self, fs: AbstractFileSystem, root: str, protocol: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        for url in (f"{protocol}:/{root}/f", f"{protocol}://{root}/f"):
            found, path = url_to_fs(url, **fs.storage_options)
            assert path == f"{root}/f"
            assert found.cat_file(path) == b"content"
            with fsspec.open(url, "rb", **fs.storage_options) as file:
                assert file.read() == b"content"

    def test_many_files_by_url(self, fs: AbstractFileSystem, root: str, protocol: str) -> None:
        with fsspec.open_files(f"{protocol}:/{root}/new/*.txt", "w", num=3, **fs.storage_options) as files:
            for number, file in enumerate(files):
                file.write(str(number))
        assert files_below(fs, root) == {f"new/{number}.txt": b"%d" % number for number in range(3)}
        with fsspec.open_files(f"{protocol}:/{root}/**/*.txt", "r", **fs.storage_options) as files:
            assert [file.read() for file in files] == ["0", "1", "2"]

    def test_the_same_arguments_are_the_same_filesystem(self, fs: AbstractFileSystem, root: str) -> None:
        again = type(fs)(*fs.storage_args, **fs.storage_options)
        assert again == fs
        assert hash(again) == hash(fs)
        fs.pipe_file(f"{root}/f", b"content")
        assert again.cat_file(f"{root}/f") == b"content"

    def test_pickling(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        again = pickle.loads(pickle.dumps(fs))  # noqa: S301 - of our own making
        assert type(again) is type(fs)
        assert again == fs
        assert again.cat_file(f"{root}/f") == b"content"

    def test_json(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        text = fs.to_json()
        json.loads(text)
        again = AbstractFileSystem.from_json(text)
        assert again == fs
        assert again.cat_file(f"{root}/f") == b"content"
        assert AbstractFileSystem.from_dict(fs.to_dict()) == fs

    def test_options_that_it_does_not_know_are_accepted(self, fs: AbstractFileSystem) -> None:
        # pandas tries again with anon=True when an open is refused; a TypeError would hide the refusal.
        type(fs)(*fs.storage_args, **{**fs.storage_options, "anon": True})

    def test_mappers_pickle(self, fs: AbstractFileSystem, root: str) -> None:
        mapper = fs.get_mapper(f"{root}/map")
        mapper["key"] = b"value"
        assert pickle.loads(pickle.dumps(mapper))["key"] == b"value"  # noqa: S301 - of our own making

    def test_open_files_by_url_pickle(self, fs: AbstractFileSystem, root: str, protocol: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        opened = fsspec.open(f"{protocol}:/{root}/f", "rb", **fs.storage_options)
        with pickle.loads(pickle.dumps(opened)) as file:  # noqa: S301 - of our own making
            assert file.read() == b"content"

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_files_open_for_reading_pickle(self, fs: AbstractFileSystem, root: str, size: int) -> None:
        fs.pipe_file(f"{root}/f", bytes(range(10)) * (size // 10))
        with fs.open(f"{root}/f", "rb") as file:
            file.seek(3)
            with pickle.loads(pickle.dumps(file)) as again:  # noqa: S301 - of our own making
                assert again.read(3) == b"\3\4\5"
                assert again.seek(0, 2) == size
            assert file.read(3) == b"\3\4\5"

    def test_a_file_that_was_replaced_is_told_from_the_one_that_was_pickled(
        self, fs: AbstractFileSystem, root: str
    ) -> None:
        fs.pipe_file(f"{root}/f", b"1" * 300_000)
        with fs.open(f"{root}/f", "rb") as file:
            file.read(3)
            pickled = pickle.dumps(file)
        fs.pipe_file(f"{root}/f", b"2" * 300_001)
        # A small content may have been pickled too.
        assert _rest_of(pickled) in (None, b"1" * 299_997)

    @needs("write")
    @pytest.mark.parametrize("mode", ["wb", "xb"])
    def test_files_open_for_writing_do_not_pickle(self, fs: AbstractFileSystem, root: str, mode: str) -> None:
        with fs.open(f"{root}/f", mode) as file:
            file.write(b"content")
            with pytest.raises(TypeError, match="writing"):
                pickle.dumps(file)
        assert fs.cat_file(f"{root}/f") == b"content"

    @needs("directories")
    def test_a_mapper_of_a_missing_directory_is_told_apart(self, fs: AbstractFileSystem, root: str) -> None:
        with pytest.raises(ValueError):
            fs.get_mapper(f"{root}/missing", check=True)
        fs.get_mapper(f"{root}/made", create=True)
        assert fs.isdir(f"{root}/made")


def _rest_of(pickled: bytes) -> bytes | None:
    """What is left to read in a file that was pickled; None if it was replaced."""
    try:
        with pickle.loads(pickled) as file:  # noqa: S301 - of our own making
            rest: bytes = file.read()
            return rest
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        return None
