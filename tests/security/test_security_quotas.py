"""Quotas: never exceeded, by no door and no number of writers at once; and what is refused leaves nothing behind."""

from __future__ import annotations

import errno
import os
import stat
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem as PlainMemory

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.checks import failing, in_threads, same_filesystem
from chuk_fsspec.wrappers.security import SecureFileSystem, Usage
from tests.wrappers.async_fs import AsyncObjectFileSystem


def limited(below: MemoryFileSystem, **limits: int) -> SecureFileSystem:
    return SecureFileSystem(target_protocol="chukmem", target_options={"name": below.name}, profile=limits)


@contextmanager
def over(code: int) -> Iterator[None]:
    """The block is refused with an errno of quotas, which is no ``PermissionError``."""
    with pytest.raises(OSError) as caught:
        yield
    assert caught.value.errno == code
    assert not isinstance(caught.value, PermissionError)


# ---- racing


def write_in_pieces(file: Any, data: bytes) -> None:
    with file:
        for start in range(0, len(data), 100):
            file.write(data[start : start + 100])


def write_handle(fs: Any, path: str, data: bytes) -> None:
    with fs.posix.open_handle(path, os.O_WRONLY | os.O_CREAT) as handle:
        for start in range(0, len(data), 100):
            handle.pwrite(data[start : start + 100], start)


def write_node(fs: Any, path: str, data: bytes) -> None:
    nodes = fs.posix.nodes
    made = nodes.create(nodes.root, path[1:], stat.S_IFREG | 0o644, 0, 0)
    for start in range(0, len(data), 100):
        nodes.write(made, data[start : start + 100], start)
    nodes.close()


WRITERS: dict[str, Callable[[Any, str, bytes], Any]] = {
    "pipe_file": lambda fs, path, data: fs.pipe_file(path, data),
    "pipe": lambda fs, path, data: fs.pipe({path: data, path + "-": b""}),
    "open": lambda fs, path, data: write_in_pieces(fs.open(path, "wb"), data),
    "append": lambda fs, path, data: write_in_pieces(fs.open(path, "ab"), data),
    "text": lambda fs, path, data: fs.write_text(path, data.decode()),
    "cp_file": lambda fs, path, data: fs.cp_file("/source", path),
    "handle": write_handle,
    "truncate": lambda fs, path, data: (fs.touch(path), fs.posix.truncate(path, len(data))),
    "nodes": write_node,
    "put": lambda fs, path, data: fs.put_file(__file__, path),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_forty_racing_writers_never_exceed_the_bytes(
    write: Callable[[Any, str, bytes], Any], chukmem: MemoryFileSystem
) -> None:
    chukmem.pipe_file("/source", bytes(1000))
    size = os.path.getsize(__file__) if write is WRITERS["put"] else 1000
    most = 1000 + 10 * size + 1
    fs = limited(chukmem, max_total_size=most, max_files=10_000)
    results = race(fs, write)
    stored = sum(chukmem.info(path)["size"] for path in chukmem.find("/"))
    assert stored <= most
    assert stored >= most - size - 1 or write in (WRITERS["open"], WRITERS["append"], WRITERS["text"], WRITERS["put"])
    assert set(results) <= {None, errno.EDQUOT, errno.ENOSPC}
    assert results[errno.EDQUOT] + results[errno.ENOSPC] >= 1
    assert fs.usage() == fs.recount()
    assert fs.usage().size == stored


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_forty_racing_writers_never_exceed_the_number_of_files(
    write: Callable[[Any, str, bytes], Any], chukmem: MemoryFileSystem
) -> None:
    chukmem.pipe_file("/source", b"")
    fs = limited(chukmem, max_files=11)
    results = race(fs, write)
    assert len(chukmem.find("/", withdirs=True)) - 1 <= 11
    assert results[None] == (5 if write is WRITERS["pipe"] else 10)
    assert fs.usage() == fs.recount()


def race(fs: SecureFileSystem, write: Callable[[Any, str, bytes], Any]) -> Counter[int | None]:
    """Forty threads write a file each, through an instance of their own; returns how it ended for how many."""

    def run(number: int) -> int | None:
        try:
            write(same_filesystem(fs), f"/f{number}", bytes(1000))
        except OSError as error:
            return error.errno
        return None

    return Counter(in_threads(40, run))


def test_racing_writers_of_one_file(chukmem: MemoryFileSystem) -> None:
    """Replacing, appending, editing in place, renaming over it and removing it, at once."""
    fs = limited(chukmem, max_total_size=5000, max_files=10)

    def run(number: int) -> None:
        mine: Any = same_filesystem(fs)
        actions: list[Callable[[int], Any]] = [
            lambda n: mine.pipe_file("/f", bytes(n * 37 % 900)),
            lambda n: write_in_pieces(mine.open("/f", "ab"), bytes(n * 13 % 300)),
            lambda n: write_handle(mine, "/f", bytes(n * 29 % 700)),
            lambda n: (mine.pipe_file(f"/g{number}", bytes(n)), mine.posix.rename(f"/g{number}", "/f")),
            lambda n: mine.rm_file("/f"),
            lambda n: (mine.posix.link("/f", f"/l{number}"), mine.rm_file(f"/l{number}")),
        ]
        for step in range(40):
            try:
                actions[(number + step) % len(actions)](number * 41 + step)
            except (FileNotFoundError, FileExistsError):
                pass
            except OSError as error:
                if error.errno != errno.EDQUOT:
                    raise

    in_threads(12, run)
    used = fs.usage()
    assert used == fs.recount()
    assert used.size <= 5000


# ---- limits


def test_the_size_of_a_file(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_file_size=100)
    posix: Any = fs.posix
    fs.pipe({"/f": bytes(100), "/d/g": bytes(60)})
    chukmem.pipe_file("/large", bytes(101))
    for write in (
        lambda: fs.pipe_file("/x", bytes(101)),
        lambda: fs.pipe({"/x": bytes(101), "/y": b""}),
        lambda: write_in_pieces(fs.open("/x", "wb"), bytes(101)),
        lambda: write_in_pieces(fs.open("/d/g", "ab"), bytes(41)),
        lambda: fs.put_file(__file__, "/x"),
        lambda: fs.put([__file__], ["/x"]),
        lambda: fs.cp_file("/large", "/x"),
        lambda: posix.truncate("/f", 101),
        lambda: posix.open_handle("/f", os.O_WRONLY).pwrite(b"1", 100),
        lambda: posix.open_handle("/f", os.O_WRONLY | os.O_APPEND).pwrite(b"1", 0),
        lambda: posix.open_handle("/f", os.O_WRONLY).truncate(101),
        lambda: write_node(fs, "/node", bytes(101)),
    ):
        with over(errno.EFBIG):
            write()
        assert not fs.exists("/x")
    assert chukmem.cat_file("/f") == bytes(100)
    assert chukmem.cat_file("/d/g") == bytes(60)
    assert {one["rule"] for one in fs.get_violations()} == {"max_file_size"}
    assert fs.cat_file("/large") == bytes(101), "what is there may be read"


def test_a_refused_write_leaves_no_file(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=10, max_files=2)
    for write in (
        lambda: fs.pipe_file("/d/x", bytes(11)),
        lambda: write_in_pieces(fs.open("/d/x", "wb"), bytes(11)),
        lambda: fs.pipe_file("/d/e/f", b""),
        lambda: fs.put_file(__file__, "/x"),
    ):
        with over(errno.EDQUOT):
            write()
        assert chukmem.find("/", withdirs=True) == ["/"]
    file = fs.open("/d/x", "wb")
    file.write(bytes(6))
    with over(errno.EDQUOT):
        file.write(bytes(5))
    with over(errno.EDQUOT):
        file.write(b"1")
    file.close()
    assert chukmem.find("/", withdirs=True) == ["/"]
    assert fs.usage() == Usage()
    fs.pipe_file("/d/x", bytes(10))
    with over(errno.EDQUOT), fs.open("/d/x", "w") as text:
        text.write("11 characters")
    assert chukmem.cat_file("/d/x") == bytes(10)


def test_directories_and_links_count(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_files=4)
    fs.mkdir("/d")
    fs.posix.symlink("/d", "/link")
    fs.posix.mknod("/fifo", stat.S_IFIFO | 0o600)
    fs.pipe_file("/f", b"12345")
    fs.posix.link("/f", "/second")
    assert fs.usage() == Usage(5, 4), "a second name is no second file"
    for make in (
        lambda: fs.mkdir("/e"),
        lambda: fs.makedirs("/e"),
        lambda: fs.touch("/e"),
        lambda: fs.posix.symlink("x", "/e"),
        lambda: fs.posix.mkdir("/e"),
        lambda: fs.posix.mknod("/e", stat.S_IFREG),
        lambda: fs.posix.open_handle("/e", os.O_CREAT | os.O_WRONLY),
        lambda: fs.posix.open_handle("/d", os.O_TMPFILE | os.O_WRONLY),
        lambda: fs.mv("/f", "/new/f"),
        lambda: fs.cp_file("/f", "/g"),
        lambda: fs.open("/e", "wb"),
    ):
        with over(errno.EDQUOT):
            make()
    assert fs.usage() == fs.recount() == Usage(5, 4)
    fs.rm_file("/f")
    assert fs.usage() == Usage(5, 4), "it has a name left"
    fs.rm_file("/second")
    assert fs.usage() == Usage(0, 3)


def test_open_files_claim_their_room_at_once(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100, max_files=2)
    first = fs.open("/a", "wb")
    first.write(bytes(60))
    second = fs.open("/b", "wb")
    with over(errno.EDQUOT):
        fs.touch("/c")
    with over(errno.EDQUOT):
        second.write(bytes(41))
    assert fs.usage() == Usage(60, 1), "what is refused has given its room back"
    second.close()
    first.discard()
    first.close()
    assert fs.usage() == fs.recount() == Usage()


def test_replacing_takes_room_for_both_until_it_is_published(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100)
    fs.pipe_file("/f", bytes(60))
    fs.pipe_file("/f", bytes(80))
    with over(errno.EDQUOT), fs.open("/f", "wb") as file:
        file.write(bytes(21))
    with fs.open("/f", "wb") as file:
        file.write(bytes(20))
        assert fs.usage().size == 100
    assert fs.usage() == Usage(20, 1)
    with fs.open("/f", "r+b") as file:
        file.seek(10)
        file.write(bytes(20))
        assert fs.usage().size == 30, "an edit takes what the file grows by"
    assert fs.usage() == Usage(30, 1)


def test_an_append_that_meets_another_one(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100)
    fs.pipe_file("/f", bytes(10))
    with fs.open("/f", "ab") as file:
        file.write(bytes(30))
        fs.pipe_file("/f", bytes(40))
    assert fs.usage() == fs.recount() == Usage(70, 1)
    file = fs.open("/f", "r+b")
    file.write(bytes(70))
    fs.rm_file("/f")
    fs.pipe_file("/g", bytes(90))
    with over(errno.EDQUOT):
        file.close()  # the room of what it edits has gone to another file
    assert file.closed
    assert fs.find("/") == ["/g"]
    assert fs.usage() == fs.recount() == Usage(90, 1)


def test_a_file_without_a_name_counts_while_it_is_open(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100, max_files=3)
    posix: Any = fs.posix
    handle = posix.open_handle("/f", os.O_CREAT | os.O_RDWR)
    handle.pwrite(bytes(60), 0)
    fs.rm_file("/f")
    assert fs.usage() == Usage(60, 1)
    with over(errno.EDQUOT):
        fs.pipe_file("/g", bytes(41))
    with over(errno.EDQUOT):
        handle.pwrite(bytes(41), 60)
    handle.pwrite(bytes(30), 60)
    handle.truncate(50)
    assert fs.usage() == Usage(50, 1)
    reader = posix.open_handle("/", os.O_TMPFILE | os.O_RDWR)
    reader.pwrite(bytes(50), 0)
    assert fs.usage() == Usage(100, 2)
    assert fs.recount() == Usage(100, 2)
    handle.close()
    reader.close()
    reader.close()
    assert fs.usage() == fs.recount() == Usage()


def test_a_node_that_a_door_holds_counts(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100)
    nodes = fs.posix.nodes
    table: set[int] = set()
    nodes.hold(table)
    made = nodes.create(nodes.root, "f", stat.S_IFREG | 0o644, 0, 0)
    table.add(made.ino)
    nodes.write(made, bytes(60), 0)
    nodes.unlink(nodes.root, "f")
    assert fs.usage() == Usage(60, 1)
    with over(errno.ENOSPC):
        nodes.write(made, bytes(60), 60)
    with over(errno.ENOSPC):
        nodes.append(made, bytes(41))
    with over(errno.EDQUOT):
        nodes.setattr(made, size=101)
    temporary = nodes.temporary(nodes.root, 0o600, 0, 0)
    table.add(temporary.ino)
    nodes.write(temporary, bytes(30), 0)
    nodes.append(temporary, bytes(10))
    with over(errno.EDQUOT):
        nodes.allocate(temporary, 40, 1, 0)
    assert fs.usage() == Usage(100, 2)
    nodes.link(temporary, nodes.root, "named")
    table.clear()
    nodes.forget(made)
    nodes.forget(temporary)
    assert fs.usage() == fs.recount() == Usage(40, 1)
    nodes.close()


def test_figures_of_the_filesystem(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=4096 * 100, max_files=50)
    fs.pipe_file("/d/f", bytes(4096 * 30))
    for figures in (fs.posix.statvfs(), fs.posix.nodes.statvfs()):
        assert (figures.blocks, figures.blocks_free) == (100, 70)
        assert (figures.files, figures.files_free) == (50, 48)
    small = MemoryFileSystem(name=uuid.uuid4().hex, capacity=4096 * 10)
    assert limited(small, max_total_size=4096 * 100).posix.statvfs().blocks == 10
    plain = SecureFileSystem(PlainMemory(skip_instance_cache=True), profile={"max_total_size": 4096 * 10})
    assert plain.capabilities.statvfs
    assert plain.posix.statvfs().blocks_free <= 10


def test_changes_past_it_are_counted_on_request(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100)
    assert fs.usage() == Usage()
    chukmem.pipe_file("/f", bytes(80))
    assert fs.usage() == Usage()
    assert fs.recount() == Usage(80, 1)
    with over(errno.EDQUOT):
        fs.pipe_file("/g", bytes(21))


def test_what_was_there_counts(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/d/a": bytes(30), "/d/b": bytes(50)})
    chukmem.posix.link("/d/a", "/second")
    fs = limited(chukmem, max_total_size=100)
    assert fs.usage() == Usage(80, 3)
    fs.rm("/d", recursive=True)
    assert fs.usage() == fs.recount() == Usage(30, 1)


def test_one_figure_for_every_configuration(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100)
    fs.usage()
    free = SecureFileSystem(chukmem, profile={})
    free.pipe_file("/f", bytes(90))
    with free.posix.open_handle("/f", os.O_WRONLY) as handle:  # type: ignore[attr-defined]
        handle.pwrite(bytes(5), 90)
    assert fs.usage() == Usage(95, 1)
    with over(errno.EDQUOT):
        fs.pipe_file("/g", bytes(6))
    free.pipe_file("/g", bytes(600))


def test_asking_costs_the_same_however_much_there_is(chukmem: MemoryFileSystem) -> None:
    """Counted in what is asked of the filesystem below."""
    asked: Counter[int] = Counter()
    for files in (10, 3000):
        chukmem.pipe({f"/many/{number}": b"" for number in range(files)})
        fs = limited(chukmem, max_total_size=10**9, max_files=10**6)
        fs.recount()
        raw = fs._access.ask

        def count(*arguments: Any, raw: Any = raw, files: int = files) -> Any:
            asked[files] += 1
            return raw(*arguments)

        fs._access.ask = count
        fs.pipe_file("/many/new", b"1")
        fs.pipe_file("/many/new", b"2")
        fs.mv("/many/new", "/many/newer")
        fs.rm_file("/many/newer")
        fs.mv("/many", "/most")
        fs.mv("/most", "/many")
        fs._access.ask = raw
    assert asked[10] == asked[3000] > 0


# ---- transactions


def test_transactions_keep_the_books(chukmem: MemoryFileSystem) -> None:
    fs = limited(chukmem, max_total_size=100, max_files=10)
    fs.pipe_file("/old", bytes(20))
    with fs.transaction:
        fs.pipe_file("/d/a", bytes(30))
        with fs.open("/b", "wb") as file:
            file.write(bytes(30))
        assert fs.usage().size == 80
        with over(errno.EDQUOT):
            fs.pipe_file("/c", bytes(21))
        fs.mkdir("/e")
        fs.rm_file("/old")
    assert fs.usage() == fs.recount() == Usage(60, 4)
    with failing(fs.transaction):
        fs.rm("/d", recursive=True)
        fs.pipe_file("/x", bytes(40))
    assert fs.usage() == fs.recount() == Usage(60, 4)


# ---- other people's filesystems


@pytest.fixture
def plain() -> Iterator[tuple[PlainMemory, str]]:
    """fsspec's own memory filesystem, which everybody shares, and a directory in it."""
    below = PlainMemory(skip_instance_cache=True)
    root = f"/{uuid.uuid4().hex}"
    below.mkdir(root)
    yield below, root
    if below.exists(root):
        below.rm(root, recursive=True)


def test_over_a_plain_filesystem_that_writes_in_place(plain: tuple[PlainMemory, str]) -> None:
    below, root = plain
    fs = SecureFileSystem(below, profile={"max_total_size": 10**6, "max_files": 10**4})
    before = fs.usage()
    fs.pipe_file(f"{root}/d/a", bytes(30))
    with fs.open(f"{root}/d/a", "wb") as file:
        file.write(bytes(10))
        fs.pipe_file(f"{root}/d/b", bytes(5))
    fs.makedirs(f"{root}/e/f")
    fs.cp_file(f"{root}/d/a", f"{root}/g/a")
    fs.mv(f"{root}/d/b", f"{root}/h/b")
    with fs.open(f"{root}/d/a", "ab") as file:
        file.write(bytes(3))
    assert fs.usage() - before == Usage(28, 8)
    assert fs.usage() == fs.recount()
    fs.rm(f"{root}/e", recursive=True)
    fs.rm(root, recursive=True)
    assert fs.usage() == fs.recount()


def test_over_a_plain_filesystem_nothing_new_stays_of_a_refused_write(plain: tuple[PlainMemory, str]) -> None:
    below, root = plain
    fs = SecureFileSystem(below, profile={"max_file_size": 10, "max_files": 10**4})
    with over(errno.EFBIG), fs.open(f"{root}/new", "wb") as file:
        file.write(bytes(5))
        file.write(bytes(6))
    assert not below.exists(f"{root}/new")
    assert fs.usage() == fs.recount()


def test_over_a_plain_filesystem_what_was_there_is_not_removed(plain: tuple[PlainMemory, str]) -> None:
    below, root = plain
    below.pipe_file(f"{root}/old", b"old")
    fs = SecureFileSystem(below, profile={"max_file_size": 5})
    with over(errno.EFBIG), fs.open(f"{root}/old", "wb") as file:
        file.write(bytes(6))
    assert below.exists(f"{root}/old"), "it writes in place: the content may be lost, the file is not"


def test_over_an_object_store() -> None:
    below = AsyncObjectFileSystem(name=uuid.uuid4().hex)
    fs = SecureFileSystem(below, profile={"max_total_size": 500_000, "max_files": 40})
    results = Counter(in_threads(20, lambda number: outcome_of(lambda: fs.pipe_file(f"/d/{number}", bytes(100_000)))))
    assert results == {None: 5, errno.EDQUOT: 15}
    assert sum(len(data) for data, _ in below.service.objects.values()) == 500_000
    with over(errno.EDQUOT), fs.open("/d/more", "wb") as file:
        file.write(bytes(10))
    fs.rm_file(next(iter(fs.find("/"))))
    with fs.open("/e/f/more", "wb") as file:
        file.write(bytes(90_000))
    fs.pipe({"/g/1": b"1", "/g/2": b"2"})
    assert fs.usage() == fs.recount() == Usage(490_002, 5 + 1 + 3 + 3 - 1)
    with suppress(FileNotFoundError):  # this store says so of directories that went with what they held
        fs.rm("/e", recursive=True)
    assert fs.usage() == fs.recount() == Usage(400_002, 4 + 1 + 3)
    fs.rm(["/g/1", "/g/2"])
    assert fs.usage() == fs.recount() == Usage(400_000, 4 + 1)
    assert not below.service.uploads


def outcome_of(act: Callable[[], Any]) -> int | None:
    try:
        act()
    except OSError as error:
        return error.errno
    return None


def test_different_objects_are_written_at_once() -> None:
    below = AsyncObjectFileSystem(name=uuid.uuid4().hex, latency=0.02)
    fs = SecureFileSystem(below, profile={"max_total_size": 500_000})
    fs.usage()
    below.service.most_running = 0
    in_threads(12, lambda number: fs.pipe_file(f"/d{number}/f", b"1"))
    assert below.service.most_running > 3


def test_waiting_for_a_turn_keeps_no_announcement_back_for_ever(chukmem: MemoryFileSystem) -> None:
    """A watcher that waits for somebody who waits for a turn: as a mount's kernel does."""
    fs = limited(chukmem, max_total_size=1000)
    nodes = fs.posix.nodes
    told: list[Any] = []
    other = threading.Thread(target=lambda: same_filesystem(fs).pipe_file("/other", b"1"), daemon=True)

    def watcher(*change: Any) -> None:
        told.append(change)
        if len(told) == 1:
            other.start()
            other.join(20)

    nodes.watch(watcher)
    fs.pipe_file("/f", b"1")
    assert not other.is_alive()
    assert len(told) >= 2
    nodes.close()


def test_only_used_names_are_local(tmp_path: Path) -> None:
    fs = SecureFileSystem(PlainMemory(skip_instance_cache=True), profile={"max_file_size": 5})
    (tmp_path / "large").write_bytes(bytes(6))
    with over(errno.EFBIG):
        fs.put(str(tmp_path / "large"), "/x")
