"""Where conditions cannot be kept they are refused, at every layer: one that is left out loses an update."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem as PlainMemory

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.audit import AuditFileSystem
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.wrappers.passing_fs import PassingFileSystem

Act = Callable[[Any], object]

ACTS: dict[str, Act] = {
    "pipe_file": lambda fs: fs.pipe_file("/f", b"new", if_match="x"),
    "pipe": lambda fs: fs.pipe({"/f": b"new", "/g": b"new"}, if_match="x"),
    "write_text": lambda fs: fs.write_text("/f", "new", if_none_match="*"),
    "open": lambda fs: fs.open("/f", "wb", if_match="x"),
    "open for adding": lambda fs: fs.open("/f", "ab", if_match="x"),
    "_open": lambda fs: fs._open("/f", "wb", if_match="x"),
    "touch": lambda fs: fs.touch("/f", if_none_match="*"),
    "put_file": lambda fs: fs.put_file(__file__, "/f", if_match="x"),
    "put": lambda fs: fs.put(__file__, "/f", if_match="x"),
    "cp_file": lambda fs: fs.cp_file("/g", "/f", if_match="x"),
    "copy": lambda fs: fs.copy("/g", "/f", if_source_match="x"),
    "rm_file": lambda fs: fs.rm_file("/f", if_match="*"),
    "rm": lambda fs: fs.rm(["/f", "/g"], if_match="*"),
    "mv": lambda fs: fs.mv("/f", "/h", if_match="*"),
    "mv over": lambda fs: fs.mv("/g", "/f", if_target_match="x"),
}


@pytest.fixture
def plain() -> AbstractFileSystem:
    """fsspec's own memory filesystem, which takes any argument and looks at none of these."""

    class Plain(PlainMemory):
        store: dict[str, Any] = {}  # noqa: RUF012 - of this class alone, as fsspec has it
        pseudo_dirs = [""]  # noqa: RUF012

    fs = Plain(skip_instance_cache=True)
    fs.pipe({"/f": b"old", "/g": b"other"})
    return fs


STACKS: dict[str, Callable[[AbstractFileSystem, Path], AbstractFileSystem]] = {
    "passing": lambda fs, _: PassingFileSystem(fs),
    "streaming": lambda fs, _: StreamFileSystem(fs),
    "secured": lambda fs, _: SecureFileSystem(fs, profile="testing"),
    "with quotas": lambda fs, _: SecureFileSystem(fs, max_total_size=10**6),
    "recorded": lambda fs, path: AuditFileSystem(fs, log=str(path / "log.jsonl")),
    "mounted": lambda fs, _: MountedFileSystem({"/": fs}),
    "read only": lambda fs, _: ReadOnlyFileSystem(fs),
    "several": lambda fs, _: PassingFileSystem(StreamFileSystem(MountedFileSystem({"/": fs}))),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_left_out(plain: AbstractFileSystem, tmp_path: Path, stack: str, act: str) -> None:
    fs = STACKS[stack](plain, tmp_path)
    assert not capabilities_of(fs).conditional_write
    with pytest.raises(OSError) as caught:
        ACTS[act](fs)
    assert caught.value.errno in ((errno.EROFS, errno.ENOTSUP) if stack == "read only" else (errno.ENOTSUP,))
    assert {path: plain.cat_file(path) for path in plain.find("/")} == {"/f": b"old", "/g": b"other"}


@pytest.mark.parametrize("stack", STACKS)
def test_no_condition_is_none(plain: AbstractFileSystem, tmp_path: Path, stack: str) -> None:
    if stack != "read only":
        fs = STACKS[stack](plain, tmp_path)
        assert fs.pipe_file("/f", b"new", if_match=None, if_none_match=None) is None
        fs.rm_file("/g", if_match=None)
        assert {path: plain.cat_file(path) for path in plain.find("/")} == {"/f": b"new"}


def test_streams_refuse_them_too(plain: AbstractFileSystem) -> None:
    with fails_with(errno.ENOTSUP, "/f"):
        StreamFileSystem(plain).stream_write("/f", [b"new"], if_match="x")
    assert plain.cat_file("/f") == b"old"


async def _open_async(fs: Any) -> None:
    await fs.open_async("/f", "wb", if_match="x")


def test_asynchronous_files_refuse_them(chukmem: MemoryFileSystem) -> None:
    import asyncio

    with fails_with(errno.ENOTSUP, "/f"):
        asyncio.run(_open_async(PassingFileSystem(chukmem)))


def test_reading_only_comes_first(chukmem: MemoryFileSystem) -> None:
    etag = chukmem.pipe_file("/f", b"old")
    with fails_with(errno.EROFS, "/f"):
        ReadOnlyFileSystem(chukmem).pipe_file("/f", b"new", if_match=etag)


class TestMounts:
    """One mount that keeps conditions, and one that does not."""

    @pytest.fixture
    def tree(self, chukmem: MemoryFileSystem, plain: AbstractFileSystem) -> MountedFileSystem:
        return MountedFileSystem({"/keeps": chukmem, "/plain": plain})

    def test_each_mount_answers_for_itself(self, tree: MountedFileSystem) -> None:
        assert not tree.capabilities.conditional_write
        etag = tree.pipe_file("/keeps/f", b"1", if_none_match="*")
        assert tree.pipe_file("/keeps/f", b"2", if_match=etag) == tree.info("/keeps/f")["etag"]
        with fails_with(errno.ENOTSUP, "/plain/f"):
            tree.pipe_file("/plain/f", b"new", if_match="*")
        tree.posix.symlink("/plain/f", "/keeps/link")
        with fails_with(errno.ENOTSUP):
            tree.pipe_file("/keeps/link", b"new", if_match="*")
        assert tree.cat_file("/plain/f") == b"old"

    def test_across_mounts(self, tree: MountedFileSystem) -> None:
        etag = tree.pipe_file("/keeps/f", b"mine")
        assert tree.cp_file("/plain/f", "/keeps/f", if_match=etag) == tree.info("/keeps/f")["etag"]
        with pytest.raises(PreconditionFailed):
            tree.cp_file("/plain/g", "/keeps/f", if_match=etag)
        for conditions in ({"if_source_match": "x"}, {"if_match": "*"}):
            with fails_with(errno.ENOTSUP):
                tree.cp_file("/plain/g" if "if_source_match" in conditions else "/keeps/f", "/plain/f", **conditions)
        with fails_with(errno.ENOTSUP, "/keeps/f"):
            tree.mv("/keeps/f", "/plain/h", if_match="*")
        assert (tree.cat_file("/keeps/f"), tree.cat_file("/plain/f")) == (b"old", b"old")

    def test_copying_what_was_seen_across_mounts(self, chukmem: MemoryFileSystem) -> None:
        tree = MountedFileSystem({"/": chukmem, "/other": fsspec.filesystem("chukmem", name=f"{chukmem.name}-2")})
        etag = tree.pipe_file("/f", b"seen")
        tree.cp_file("/f", "/other/f", if_source_match=etag, if_none_match="*")
        tree.pipe_file("/f", b"changed")
        with pytest.raises(PreconditionFailed) as caught:
            tree.cp_file("/f", "/other/f", if_source_match=etag)
        assert caught.value.path == "/f"
        with pytest.raises(FileExistsError):
            tree.cp_file("/f", "/other/f", if_none_match="*")
        assert tree.cat_file("/other/f") == b"seen"

    def test_errors_name_the_paths_of_the_tree(self, chukmem: MemoryFileSystem) -> None:
        tree = MountedFileSystem({"/at": (chukmem, "/below")})
        etag = tree.pipe_file("/at/f", b"old")
        for act in (
            lambda: tree.pipe_file("/at/f", b"", if_match="x"),
            lambda: tree.rm_file("/at/f", if_match="x"),
            lambda: tree.mv("/at/f", "/at/g", if_match="x"),
            lambda: tree.open("/at/f", "wb", if_match="x"),
        ):
            with pytest.raises(PreconditionFailed) as caught:
                act()
            assert (caught.value.path, caught.value.found) == ("/at/f", etag)


def test_the_record_shows_what_was_asked(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fs = AuditFileSystem(chukmem, log=str(tmp_path / "log.jsonl"))
    etag = fs.pipe_file("/f", b"1")
    fs.pipe_file("/f", b"2", if_match=etag)
    with pytest.raises(PreconditionFailed):
        fs.rm_file("/f", if_match=etag)
    _, done, failed = [record.entry for record in fs.records() if record.entry.effect in ("write", "delete")]
    assert (done.operation, done.detail["if_match"], done.etag_before) == ("pipe_file", etag, etag)
    assert (failed.operation, failed.decision, failed.error) == ("rm_file", "failed", "ESTALE")
    assert failed.detail == {"if_match": etag}


def test_quotas_are_right_after_a_failure(chukmem: MemoryFileSystem) -> None:
    fs = SecureFileSystem(chukmem, max_total_size=10_000)
    etag = fs.pipe_file("/f", b"x" * 1000)
    fs.pipe_file("/f", b"y" * 1000)
    out = fs.open("/g", "wb", if_none_match="*")
    out.write(b"z" * 5000)
    chukmem_etag = fs.pipe_file("/g", b"z" * 10)
    with pytest.raises(PreconditionFailed):
        out.close()
    for _ in range(20):
        with pytest.raises(PreconditionFailed):
            fs.pipe_file("/f", b"z" * 8000, if_match=etag)
        with pytest.raises(PreconditionFailed), fs.open("/f", "wb", if_match=etag) as file:
            file.write(b"z" * 8000)
    assert fs.usage().size == 1010
    assert fs.info("/g")["etag"] == chukmem_etag
