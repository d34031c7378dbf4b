"""Trees of mounts and wrappers, out and in: whatever is stacked, all of it or nothing."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.archives import ArchiveRefused, export_archive, import_archive
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.audit import AuditFileSystem
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.archives.archive_bytes import GOOD, entry, link, tar
from tests.archives.archive_trees import described

Stack = Callable[[MemoryFileSystem, Path], Any]

STACKS: dict[str, Stack] = {
    "audit": lambda fs, path: AuditFileSystem(fs, log=str(path / "audit.jsonl"), create=True),
    "secure": lambda fs, path: SecureFileSystem(fs, profile="testing"),
    "secure stream": lambda fs, path: SecureFileSystem(StreamFileSystem(fs), profile="testing"),
    "stream": lambda fs, path: StreamFileSystem(fs),
    "mounts in memory": lambda fs, path: MountedFileSystem({"/": fs, "/d": "chukmem"}),
    "mounts": lambda fs, path: MountedFileSystem({"/": fs, "/d/host": f"chuklocal:///::file://{path}"}),
    "secure mounts": lambda fs, path: SecureFileSystem(
        MountedFileSystem({"/": fs, "/d/host": f"chuklocal:///::file://{path}"}), profile="testing"
    ),
}


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, tmp_path: Path) -> Any:
    (tmp_path / "below").mkdir()
    return STACKS[request.param](chukmem, tmp_path / "below")


@pytest.fixture
def data() -> bytes:
    source = MemoryFileSystem("stack-source")
    if source.exists("/a"):
        source.rm("/", recursive=True)
    source.pipe({"/a": b"1" * 100_000, "/d/host/b": b"2", "/d/host/e/c": b"3"})
    source.posix.symlink("a", "/l")
    source.posix.utime("/a", ns=(1, 1_234_567_890_123_456_789))
    file = io.BytesIO()
    export_archive(source, "/", file, format="tar")
    return file.getvalue()


def test_out_and_in(stack: Any, data: bytes) -> None:
    for path, existing in (("/new/er", "refuse"), ("/", "merge"), ("/new", "replace")):
        report = import_archive(io.BytesIO(data), stack, path, existing=existing)  # type: ignore[arg-type]
        assert (report.files, report.bytes, report.left_out_count) == (3, 100_002, 0)
        top = path.rstrip("/")
        assert stack.cat_file(f"{top}/l") == b"1" * 100_000
        assert stack.cat_file(f"{top}/d/host/e/c") == b"3"
        assert stack.info(f"{top}/a")["mtime_ns"] == 1_234_567_890_123_456_789
    assert stack.find("/new") == ["/new/a", "/new/d/host/b", "/new/d/host/e/c", "/new/l"]
    file = io.BytesIO()
    export_archive(stack, "/new", file, format="tar")
    back = MemoryFileSystem("stack-back")
    import_archive(io.BytesIO(file.getvalue()), back, "/", existing="replace")
    assert described(back, owners=False) == described(stack, "/new", owners=False)


def test_refused(stack: Any) -> None:
    stack.pipe({"/d/host/mine": b"mine", "/mine": b"mine"})
    before = {path: stack.cat_file(path) for path in stack.find("/")}
    names = stack.find("/", withdirs=True)
    for bad in (entry(b"../x"), link(b"l", b"../x"), entry(b"d/host/mine/x"), entry(b"d/host/new", b"x", size=5000)):
        for path, existing in (("/new/er", "refuse"), ("/", "merge"), ("/d/host", "replace")):
            archive = tar(GOOD, entry(b"d/host/mine", b"theirs"), entry(b"mine", b"theirs"), bad)
            with pytest.raises(ArchiveRefused):
                import_archive(io.BytesIO(archive), stack, path, existing=existing)  # type: ignore[arg-type]
            assert {path: stack.cat_file(path) for path in stack.find("/")} == before
            assert stack.find("/", withdirs=True) == names


def test_a_filesystem_that_takes_nothing(chukmem: MemoryFileSystem) -> None:
    with pytest.raises(OSError) as caught:
        import_archive(io.BytesIO(tar(GOOD)), ReadOnlyFileSystem(chukmem), "/new")
    assert caught.value.errno == errno.EROFS
    assert chukmem.find("/") == []


def test_hidden_files_are_not_exported(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/code/plan": b"1", "/code/tls.key": b"secret", "/.git/config": b"secret"})
    fs = SecureFileSystem(chukmem, profile={"hidden_patterns": ["glob:*.key", "glob:.git"]})
    members: list[str] = []
    export_archive(fs, "/", io.BytesIO(), format="zip", on_member=lambda member: members.append(member.path))
    assert members == ["code", "code/plan"]
    with pytest.raises(OSError):
        import_archive(io.BytesIO(tar(GOOD, entry(b"code/tls.key", b"theirs"))), fs, "/", existing="merge")
    assert chukmem.cat_file("/code/tls.key") == b"secret"
    assert not chukmem.exists("/good")
