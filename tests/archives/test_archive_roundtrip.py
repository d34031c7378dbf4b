"""What is exported comes back; and what does not fit is named."""

from __future__ import annotations

import errno
import io
import os
import stat
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.callbacks import Callback
from hypothesis import given, settings
from hypothesis import strategies as st

from chuk_fsspec.archives import ArchiveLimits, ArchiveRefused, Kind, Member, export_archive, import_archive
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.reports import LeftOut
from tests.agentfs.test_agentfs_transfer import fill, new_memory
from tests.archives.archive_trees import described, plant, trees
from tests.wrappers.object_fs import ObjectFileSystem

TARS = ("tar", "tar.gz", "tar.zst")
FORMATS = (*TARS, "zip", "json")
MEBI = 1 << 20


def exported(fs: Any, format: str, path: str = "/", **options: Any) -> bytes:
    file = io.BytesIO()
    export_archive(fs, path, file, format=format, **options)
    return file.getvalue()


@pytest.fixture
def back() -> Iterator[MemoryFileSystem]:
    name = f"back-{uuid.uuid4().hex}"
    yield new_memory(name)
    drop_store(name)


@settings(max_examples=60)
@given(tree=trees, format=st.sampled_from(TARS))
def test_any_tree_through_tar(tree: Any, format: str) -> None:
    fs, back = new_memory("any"), new_memory("any-back")
    plant(fs, tree)
    data = exported(fs, format)
    import_archive(io.BytesIO(data), back, "/a/b", names="any", links="keep", owners=True)
    assert described(back, "/a/b") == described(fs)
    assert exported(back, format, "/a/b") == data


@settings(max_examples=60)
@given(tree=trees)
def test_any_tree_through_zip(tree: Any) -> None:
    fs, back = new_memory("any"), new_memory("any-back")
    plant(fs, tree)
    data = exported(fs, "zip")
    import_archive(io.BytesIO(data), back, names="any", links="keep", owners=True)

    def kept(found: dict[str, Any]) -> dict[str, Any]:
        return {path: (kind, mode, content) for path, (kind, mode, content, *_) in found.items()}

    assert kept(described(back)) == kept(described(fs))


@settings(max_examples=60)
@given(tree=trees)
def test_any_tree_through_json(tree: Any) -> None:
    fs, back = new_memory("any"), new_memory("any-back")
    plant(fs, tree)
    import_archive(io.BytesIO(exported(fs, "json")), back, names="any")
    wanted = {path: seen[2] for path, seen in described(fs).items() if seen[0] != "link"}
    assert {path: seen[2] for path, seen in described(back).items()} == wanted


def test_everything_of_a_tree(chukmem: MemoryFileSystem, back: MemoryFileSystem) -> None:
    fill(chukmem)
    chukmem.rm_file("/socket")
    chukmem.posix.setxattr("/size-1", "user.raw", b"\0\xff=\n")
    chukmem.posix.setxattr("/sub", "security.x", b"1")
    data = exported(chukmem, "tar", special="keep")
    report = import_archive(io.BytesIO(data), back, special="keep", links="keep", owners=True)
    assert described(back) == described(chukmem)
    assert back.posix.lstat("/disk").st_rdev == os.makedev(8, 300)
    assert (report.files, report.directories, report.symlinks, report.hard_links) == (7, 4, 2, 2)
    assert (report.special_files, report.left_out_count, report.without_xattrs) == (2, 0, 0)


def test_what_strangers_may_not_set(chukmem: MemoryFileSystem, back: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"x")
    chukmem.posix.chown("/f", 1000, 1000)
    chukmem.posix.chmod("/f", 0o6755)
    chukmem.posix.setxattr("/f", "user.mine", b"1")
    chukmem.posix.setxattr("/f", "security.capability", b"1")
    report = import_archive(io.BytesIO(exported(chukmem, "tar")), back)
    found = back.posix.stat("/f")
    own = back.posix.stat("/")
    assert stat.S_IMODE(found.st_mode) == 0o755
    assert (found.st_uid, found.st_gid) == (own.st_uid, own.st_gid)
    assert back.posix.listxattr("/f") == ["user.mine"]
    assert report.without_xattrs == 1


@pytest.mark.parametrize("protocol", ["chuksqlite", "chuklocal"])
def test_through_other_filesystems(chukmem: MemoryFileSystem, tmp_path: Path, protocol: str) -> None:
    if os.geteuid():
        pytest.skip("only root keeps owners and makes devices")
    fill(chukmem)
    chukmem.rm_file("/socket")
    options = {"chuksqlite": {"database": str(tmp_path / "w.db")}, "chuklocal": {"root": str(tmp_path)}}[protocol]
    fs: Any = fsspec.filesystem(protocol, **options)
    data = exported(chukmem, "tar.gz", special="keep")
    for path in ("/new", "/deep/er"):
        import_archive(io.BytesIO(data), fs, path, special="keep", links="keep", owners=True)
        assert described(fs, path) == described(chukmem)
        assert exported(fs, "tar.gz", path, special="keep") == data
    assert all("import-" not in path for path in fs.find("/", withdirs=True))


def test_a_plain_filesystem(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fill(chukmem)
    data = exported(chukmem, "tar")
    plain = fsspec.filesystem("file")
    report = import_archive(io.BytesIO(data), plain, str(tmp_path / "new"), links="keep")
    assert (tmp_path / "new" / "size-4097").read_bytes() == chukmem.cat_file("/size-4097")
    assert (tmp_path / "new" / "sub" / "again").read_bytes() == chukmem.cat_file("/size-1")
    assert (tmp_path / "new" / "empty" / "er").is_dir()
    assert (report.copied_links, report.without_attributes) == (2, 11)
    assert LeftOut("/sub/link", "the target has no symbolic links") in report.left_out
    assert os.listdir(tmp_path) == ["new"]
    (tmp_path / "new" / "loop").symlink_to("..")
    again = exported(plain, "tar", str(tmp_path / "new"))
    back = new_memory("plain-back")
    import_archive(io.BytesIO(again), back, links="keep")
    assert back.posix.readlink("/loop") == ".."
    assert back.cat_file("/sub/again") == chukmem.cat_file("/size-1")


def test_an_object_store(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/a": b"1", "/d/e/f": b"2" * 10_000, "/d/g": b"3"})
    store = ObjectFileSystem()
    store.pipe_file("bucket/d/mine", b"mine")
    import_archive(io.BytesIO(exported(chukmem, "zip")), store, "bucket/new")
    names = {"bucket/d/mine", "bucket/new/a", "bucket/new/d/e/f", "bucket/new/d/g"}
    assert set(store.objects) == names
    import_archive(io.BytesIO(exported(chukmem, "zip")), store, "bucket", existing="merge")
    assert set(store.objects) == names | {"bucket/a", "bucket/d/e/f", "bucket/d/g"}
    import_archive(io.BytesIO(exported(chukmem, "zip")), store, "bucket", existing="replace")
    assert set(store.objects) == {"bucket/a", "bucket/d/e/f", "bucket/d/g"}
    again = new_memory("objects-back")
    import_archive(io.BytesIO(exported(store, "tar", "bucket")), again)
    assert again.find("/") == ["/a", "/d/e/f", "/d/g"]


def test_an_object_store_that_fails_on_the_way(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({f"/{n}": b"new" for n in range(4)})
    data = exported(chukmem, "zip")
    for path, existing in (("bucket/new", "refuse"), ("bucket/d", "merge"), ("bucket/d", "replace")):
        for copies in range(1, 5):
            store = CopyFailing()
            store.pipe_file("bucket/d/mine", b"mine")
            store.pipe_file("bucket/d/2", b"old")
            before = {name: store.cat_file(name) for name in store.objects}
            store.copies = copies
            with pytest.raises(OSError, match="no more copies"):
                import_archive(io.BytesIO(data), store, path, existing=existing)  # type: ignore[arg-type]
            assert {name: store.cat_file(name) for name in store.objects} == before


class CopyFailing(ObjectFileSystem):
    """Copies so many objects, then fails once."""

    copies = 1 << 30

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        self.copies -= 1
        if self.copies == 0:
            raise OSError(errno.EIO, "no more copies")
        super().cp_file(path1, path2, **kwargs)


# ---- what the formats have no place for


def test_what_zip_and_json_leave_out(chukmem: MemoryFileSystem) -> None:
    fill(chukmem)
    chukmem.pipe_file("/\udcff", b"")
    chukmem.posix.setxattr("/size-0", "user.x", b"")
    report = export_archive(chukmem, "/", io.BytesIO(), format="zip", special="keep")
    assert LeftOut("/\udcff", "its name, or the text of the link, is not UTF-8") in report.left_out
    assert LeftOut("/fifo", "it is a FIFO") in report.left_out
    assert (report.left_out_count, report.copied_links, report.xattrs, report.symlinks) == (4, 2, 1, 2)
    report = export_archive(chukmem, "/", io.BytesIO(), format="json")
    assert LeftOut("/dangling", "json archives have no symbolic links") in report.left_out
    assert (report.left_out_count, report.without_attributes) == (6, report.files + report.directories)


def test_special_files_can_be_refused(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    chukmem.posix.mknod("/d", stat.S_IFIFO | 0o600)
    with pytest.raises(OSError, match="FIFO") as caught:
        export_archive(chukmem, "/", tmp_path / "x.tar", special="refuse")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOTSUP, "/d")
    assert os.listdir(tmp_path) == []


def test_names_that_are_not_utf8(chukmem: MemoryFileSystem, back: MemoryFileSystem) -> None:
    chukmem.pipe_file("/d\udcff/\udc80" + "x" * 200, b"1")
    chukmem.posix.symlink("d\udcff", "/l\udcfe")
    chukmem.posix.setxattr("/d\udcff", "user.\udc80", b"\xff")
    import_archive(io.BytesIO(exported(chukmem, "tar")), back)
    assert described(back) == described(chukmem)


# ---- deterministic


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_files_give_the_same_bytes(chukmem: MemoryFileSystem, back: MemoryFileSystem, format: str) -> None:
    files = {f"/d{n % 3}/f{n}": b"content" * n for n in range(20)}
    chukmem.pipe(files)
    back.pipe(dict(reversed(files.items())))
    back.posix.chown("/d1/f1", 5, 6)
    fixed: dict[str, Any] = {"mtime_ns": 10**18, "owners": False}
    assert exported(chukmem, format, **fixed) == exported(back, format, **fixed)


def test_part_of_a_tree(chukmem: MemoryFileSystem, back: MemoryFileSystem) -> None:
    chukmem.pipe({"/a/b/c": b"1", "/a/d": b"2"})
    import_archive(io.BytesIO(exported(chukmem, "tar", "/a/b/")), back, "/one")
    import_archive(io.BytesIO(exported(chukmem, "zip", "/a/d")), back, "/two")
    assert back.find("/") == ["/one/c", "/two/d"]
    with pytest.raises(FileNotFoundError):
        exported(chukmem, "tar", "/none")
    chukmem.posix.symlink("a", "/link")
    with pytest.raises(OSError, match="give what it leads to"):
        exported(chukmem, "tar", "/link")


# ---- where archives are


def test_paths_urls_and_files(chukmem: MemoryFileSystem, back: MemoryFileSystem, tmp_path: Path) -> None:
    chukmem.pipe_file("/f", b"x")
    places: tuple[Any, ...] = (
        str(tmp_path / "a.tar"),
        tmp_path / "b.zip",
        f"file://{tmp_path}/c.tgz",
        f"chuklocal://d.tzst::file://{tmp_path}",
        "memory://archives/e.json",
    )
    for number, place in enumerate(places):
        report = export_archive(chukmem, "/", place)
        with pytest.raises(FileExistsError):
            export_archive(chukmem, "/", place)
        assert export_archive(chukmem, "/", place, overwrite=True) == report
        assert report.archive_bytes > 0
        import_archive(place, back, f"/{number}")
    assert back.find("/") == [f"/{number}/f" for number in range(5)]
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "b.zip", "c.tgz", "d.tzst"]
    fsspec.filesystem("memory").rm("/archives", recursive=True)


def test_a_format_that_nobody_knows(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    for options, archive in (({}, tmp_path / "x.rar"), ({"format": "rar"}, tmp_path / "x.tar"), ({}, io.BytesIO())):
        with pytest.raises(ValueError, match="tar"):
            export_archive(chukmem, "/", archive, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="existing must be one of"):
        import_archive(io.BytesIO(), chukmem, existing="overwrite")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_files is a number from 0 up"):
        ArchiveLimits(max_files=-1)
    assert os.listdir(tmp_path) == []


def test_zstd_that_is_not_installed(chukmem: MemoryFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("compression", "backports", "backports.zstd", "compression.zstd"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ImportError, match=r"chuk-fsspec\[zstd\]"):
        export_archive(chukmem, "/", tmp_path / "x.tar.zst")
    assert os.listdir(tmp_path) == []


class Failing(io.RawIOBase):
    """A pipe that breaks."""

    def __init__(self, after: int) -> None:
        self.left = after

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self.left -= len(data)
        if self.left < 0:
            raise BrokenPipeError(errno.EPIPE, "broken")
        return len(data)


class Changing(MemoryFileSystem):
    """Its files are shorter than they were when somebody opens them."""

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        return super().cat_file(path, start, end, **kwargs)[:-1]


@pytest.mark.parametrize("format", FORMATS)
def test_no_half_archive(chukmem: MemoryFileSystem, tmp_path: Path, format: str) -> None:
    chukmem.pipe({"/a": b"1" * 100_000, "/b": os.urandom(5 * MEBI)})
    changing = Changing(name=chukmem.name, skip_instance_cache=True, follow_links=False)
    old = tmp_path / f"old.{format}"
    old.write_bytes(b"old")
    file = io.BytesIO(b"before")
    file.seek(6)
    for archive in (tmp_path / f"new.{format}", old, file, f"memory://half/x.{format}"):
        with pytest.raises(OSError, match="it changed while it was read"):
            export_archive(_OnlyView(changing), "/", archive, format=format, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == [old.name]
    assert (old.read_bytes(), file.getvalue()) == (b"old", b"before")
    assert not fsspec.filesystem("memory").exists("/half")
    with pytest.raises(BrokenPipeError):
        export_archive(chukmem, "/", io.BufferedWriter(Failing(1000), 1), format=format)


def _OnlyView(view: Any) -> Any:  # noqa: N802 - stands for a filesystem
    class Posix:
        nofollow = view

        def __getattr__(self, name: str) -> Any:
            return getattr(view.posix, name)

    class Whole:
        posix = Posix()

        def __getattr__(self, name: str) -> Any:
            return getattr(view, name)

    return Whole()


def test_a_full_disk(chukmem: MemoryFileSystem, back: MemoryFileSystem, tmp_path: Path) -> None:
    from chuk_fsspec.wrappers.security import SecureFileSystem

    chukmem.pipe_file("/f", os.urandom(MEBI))
    small = SecureFileSystem(back, profile={"max_total_size": 100_000})
    with pytest.raises(OSError) as caught, small.open("/x.tar", "wb") as file:
        export_archive(chukmem, "/", file, format="tar")
    assert caught.value.errno == errno.EDQUOT
    assert back.find("/") == []


# ---- memory


@pytest.mark.parametrize("format", FORMATS)
def test_content_passes_through_little_memory(tmp_path: Path, format: str) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "large").write_bytes(os.urandom(MEBI) * 32)
    fs = fsspec.filesystem("chuklocal", root=str(tmp_path), durable=False)
    tracemalloc.start()
    try:
        export_archive(fs, "/from", tmp_path / "archive", format=format)
        import_archive(tmp_path / "archive", fs, "/to")
        assert tracemalloc.get_traced_memory()[1] < 12 * MEBI
    finally:
        tracemalloc.stop()
    assert (tmp_path / "to" / "large").read_bytes() == (tmp_path / "from" / "large").read_bytes()


# ---- what is there already


@pytest.fixture(params=["chukmem", "chuksqlite", "chuklocal"])
def target(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, tmp_path: Path) -> Any:
    if request.param == "chukmem":
        return chukmem
    options = {"chuksqlite": {"database": str(tmp_path / "w.db")}, "chuklocal": {"root": str(tmp_path)}}
    return fsspec.filesystem(request.param, **options[request.param], skip_instance_cache=True)


def test_existing(target: Any, back: MemoryFileSystem) -> None:
    back.pipe({"/a": b"new", "/d/b": b"new", "/d/e/c": b"new"})
    back.posix.symlink("a", "/l")
    data = exported(back, "tar")
    target.pipe({"/box/a": b"old", "/box/d/b": b"old", "/box/d/mine": b"mine", "/box/l": b"old", "/beside": b"x"})
    with pytest.raises(OSError, match="merge with them") as caught:
        import_archive(io.BytesIO(data), target, "/box")
    assert caught.value.errno == errno.ENOTEMPTY
    import_archive(io.BytesIO(data), target, "/box", existing="merge")
    wanted = {"/box/a": b"new", "/box/d/b": b"new", "/box/d/e/c": b"new", "/box/d/mine": b"mine", "/box/l": b"new"}
    assert target.cat(target.find("/box")) == wanted
    assert target.posix.readlink("/box/l") == "a"
    import_archive(io.BytesIO(data), target, "/box", existing="replace")
    del wanted["/box/d/mine"]
    assert target.cat(target.find("/box")) == wanted
    target.mkdir("/empty")
    import_archive(io.BytesIO(data), target, "/empty")
    assert described(target, "/empty", owners=False) == described(back, owners=False)
    assert sorted(target.ls("/", detail=False)) == ["/beside", "/box", "/empty"]
    with pytest.raises(NotADirectoryError):
        import_archive(io.BytesIO(data), target, "/beside", existing="replace")


def test_directories_that_were_there_keep_their_attributes(target: Any, back: MemoryFileSystem) -> None:
    back.pipe({"/d/f": b"new", "/new/f": b"new"})
    for path in ("/d", "/new"):
        back.posix.chmod(path, 0o700)
    target.pipe_file("/box/d/mine", b"mine")
    target.posix.chmod("/box/d", 0o751)
    import_archive(io.BytesIO(exported(back, "tar")), target, "/box", existing="merge")
    modes = [stat.S_IMODE(target.info(path)["mode"]) for path in ("/box/d", "/box/new")]
    assert modes == [0o751, 0o700]


def test_into_the_root(target: Any, back: MemoryFileSystem) -> None:
    back.pipe({"/a": b"new", "/d/b": b"new"})
    data = exported(back, "tar")
    import_archive(io.BytesIO(data), target, "/", existing="replace")
    assert {path for path in target.find("/") if "w.db" not in path} == {"/a", "/d/b"}


def test_inside_of_a_transaction(target: Any, back: MemoryFileSystem) -> None:
    """The caller's transaction is the caller's: an import in it is whole or nothing by itself."""
    from tests.archives.archive_bytes import GOOD, entry, tar

    target.pipe_file("/mine", b"mine")
    with target.transaction:
        import_archive(io.BytesIO(tar(GOOD)), target, "/new")
        with pytest.raises(ArchiveRefused):
            import_archive(io.BytesIO(tar(GOOD, entry(b"../x"))), target, "/other")
    assert target.find("/") == ["/mine", "/new/good"]


def test_an_interrupted_import(target: Any, back: MemoryFileSystem) -> None:
    back.pipe({"/a": b"new", "/d/b": b"new", "/z": b"new"})
    data = exported(back, "tar")
    target.pipe({"/box/a": b"old", "/box/d/mine": b"mine"})
    before = described(target)

    def stop(member: Member) -> None:
        if member.path == "z":
            raise KeyboardInterrupt

    for path, existing in (("/new/er", "refuse"), ("/box", "merge"), ("/box", "replace")):
        with pytest.raises(KeyboardInterrupt):
            import_archive(io.BytesIO(data), target, path, existing=existing, on_member=stop)  # type: ignore[arg-type]
        assert described(target, times=False) == {path: (*seen[:5], *seen[6:]) for path, seen in before.items()}


# ---- progress


def test_progress(chukmem: MemoryFileSystem, back: MemoryFileSystem) -> None:
    chukmem.pipe({"/a": b"1" * 3_000_000, "/d/b": b"2"})
    for format in FORMATS:
        told, members = Callback(), list[Member]()
        data = exported(chukmem, format, callback=told, on_member=members.append)
        assert told.value == 3_000_001
        assert {(member.path, member.kind) for member in members} == {
            ("a", Kind.FILE),
            ("d", Kind.DIRECTORY),
            ("d/b", Kind.FILE),
        }
        told, members = Callback(), list[Member]()
        report = import_archive(io.BytesIO(data), back, f"/{format}", callback=told, on_member=members.append)
        assert (told.value, report.bytes, len(members)) == (3_000_001, 3_000_001, 3)
        assert report.archive_bytes >= len(data)
