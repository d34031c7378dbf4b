"""What is particular to chukmem: stores that have names, live in one process and may be full."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress

import fsspec
import pytest
from fsspec import AbstractFileSystem

import chuk_fsspec
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.testing.checks import failing, fails_with

CAPACITY = 256 * 1024


@pytest.fixture
def small() -> Iterator[MemoryFileSystem]:
    """A store that is soon full."""
    name = f"small-{uuid.uuid4().hex}"
    yield MemoryFileSystem(name=name, capacity=CAPACITY)
    drop_store(name)


def in_fork(work: str, fs: MemoryFileSystem) -> str:
    """Run an expression in a forked child and return what it printed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = repr(eval(work, {"fs": fs, "MemoryFileSystem": MemoryFileSystem, "drop_store": drop_store}))
        except BaseException as error:  # noqa: BLE001 - the child must not return into pytest
            result = f"{type(error).__name__} {getattr(error, 'errno', '')} {error}"
        os.write(writer, result.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader) as output:
        return output.read()


def in_new_process(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


# ---- names


def test_one_name_is_one_store(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    assert MemoryFileSystem(name=chukmem.name).cat_file("/f") == b"content"
    assert MemoryFileSystem(chukmem.name, skip_instance_cache=True).cat_file("/f") == b"content"
    assert fsspec.filesystem("chukmem", name=chukmem.name).cat_file("/f") == b"content"
    with fsspec.open("chukmem://f", name=chukmem.name) as file:
        assert file.read() == b"content"


def test_another_name_is_another_store(chukmem: MemoryFileSystem, small: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    assert small.find("/") == []
    assert small.fsid != chukmem.fsid
    assert small != chukmem


def test_without_a_name_it_is_the_default_store() -> None:
    path = f"/{uuid.uuid4().hex}"
    fsspec.filesystem("chukmem").pipe_file(path, b"content")
    try:
        assert MemoryFileSystem(name="default").cat_file(path) == b"content"
        assert chuk_fsspec.MemoryFileSystem().fsid == MemoryFileSystem(name="default").fsid
    finally:
        MemoryFileSystem().rm_file(path)


def test_a_dropped_store_starts_empty_and_leaves_its_users_alone(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    drop_store(chukmem.name)
    assert MemoryFileSystem(name=chukmem.name).find("/") == []
    assert chukmem.cat_file("/f") == b"content"
    drop_store("never opened")


def test_each_thread_has_an_instance_of_the_same_store(chukmem: MemoryFileSystem) -> None:
    seen: list[MemoryFileSystem] = []
    thread = threading.Thread(target=lambda: seen.append(MemoryFileSystem(name=chukmem.name)))
    thread.start()
    thread.join()
    chukmem.pipe_file("/f", b"content")
    assert seen[0].cat_file("/f") == b"content"


def test_auto_mkdir_can_be_switched_off(chukmem: MemoryFileSystem) -> None:
    strict = MemoryFileSystem(name=chukmem.name, auto_mkdir=False)
    for act in (
        lambda: strict.pipe_file("/d/f", b""),
        lambda: strict.open("/d/f", "wb"),
        lambda: strict.touch("/d/f"),
    ):
        with fails_with(errno.ENOENT, "/d/f"):
            act()
    strict.pipe_file("/f", b"content")
    with fails_with(errno.ENOENT, "/d/g"):
        strict.cp_file("/f", "/d/g")
    with fails_with(errno.ENOENT, "/d/g"):
        strict.mv("/f", "/d/g")
    assert chukmem.find("/", withdirs=True) == ["/", "/f"]


# ---- identity


def test_etags_checksums_and_keys_follow_the_content(chukmem: MemoryFileSystem) -> None:
    def marks() -> tuple[str, int, str]:
        return chukmem.info("/f")["etag"], chukmem.checksum("/f"), chukmem.ukey("/f")

    chukmem.pipe_file("/f", b"1")
    first = marks()
    chukmem.cat_file("/f")
    chukmem.posix.chmod("/f", 0o600)
    chukmem.mv("/f", "/g")
    chukmem.mv("/g", "/f")
    assert marks() == first
    chukmem.pipe_file("/f", b"1")
    assert not set(marks()) & set(first)


def test_keys_of_two_stores_differ(chukmem: MemoryFileSystem, small: MemoryFileSystem) -> None:
    for fs in (chukmem, small):
        fs.pipe_file("/f", b"content")
    assert chukmem.ukey("/f") != small.ukey("/f")


def test_created_stays_and_modified_moves(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"1")
    created = chukmem.created("/f")
    assert created == chukmem.modified("/f")
    time.sleep(0.02)
    chukmem.posix.utime("/f", ns=(0, 10**18))
    assert chukmem.modified("/f").isoformat() == "2001-09-09T01:46:40+00:00"
    chukmem.pipe_file("/f", b"2")
    assert chukmem.created("/f") == created
    assert chukmem.modified("/f") > created


def test_there_is_nothing_to_sign(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    with pytest.raises(NotImplementedError):
        chukmem.sign("/f")


def test_json_holds_the_arguments(small: MemoryFileSystem) -> None:
    told = json.loads(small.to_json())
    assert told["protocol"] == "chukmem"
    assert (told["name"], told["capacity"]) == (small.name, CAPACITY)
    again = AbstractFileSystem.from_json(small.to_json())
    assert again == small
    small.pipe_file("/f", b"content")
    assert again.cat_file("/f") == b"content"


# ---- processes


def test_a_pickle_leads_back_to_the_store(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(chukmem, protocol))
        assert again.cat_file("/f") == b"content"
        assert again.fsid == chukmem.fsid


def test_in_another_process_it_says_where_the_files_are(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    code = """
import pickle, sys
fs = pickle.loads(bytes.fromhex(sys.argv[1]))
for again in (fs, pickle.loads(pickle.dumps(fs))):
    for act in (
        lambda: again.cat_file("/f"), lambda: again.ls("/"), lambda: again.exists("/f"), lambda: again.isfile("/f"),
        lambda: again.find("/"), lambda: again.pipe_file("/g", b""), lambda: again.open("/g", "wb"),
        lambda: again.info("/f"), lambda: again.posix.stat("/f"), lambda: again.mkdir("/d"), lambda: again.posix.nodes,
    ):
        try:
            print("no error:", act())
        except OSError as error:
            print(error.errno, error)
print(pickle.dumps(fs).hex())
"""
    *lines, returned = in_new_process(code, pickle.dumps(chukmem).hex()).splitlines()
    assert len(lines) == 22
    for line in lines:
        assert line.startswith(f"{errno.ENXIO} "), line
        assert repr(chukmem.name) in line
        assert f"process {os.getpid()} " in line
        assert "chuksqlite" in line
    assert pickle.loads(bytes.fromhex(returned)).cat_file("/f") == b"content"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestFork:
    """Unlike an unpickled filesystem, a forked one would look right and lose whatever is written to it."""

    @pytest.mark.parametrize(
        "work",
        [
            "fs.cat_file('/f')",
            "fs.exists('/f')",
            "fs.ls('/')",
            "fs.pipe_file('/g', b'')",
            "fs.posix.unlink('/f')",
            "MemoryFileSystem(name=fs.name).ls('/')",
            "MemoryFileSystem(name=fs.name, skip_instance_cache=True).pipe_file('/g', b'')",
        ],
    )
    def test_the_child_says_where_the_files_are(self, chukmem: MemoryFileSystem, work: str) -> None:
        chukmem.pipe_file("/f", b"content")
        said = in_fork(work, chukmem)
        assert said.startswith(f"OSError {errno.ENXIO} ")
        assert f"process {os.getpid()} " in said
        assert chukmem.find("/") == ["/f"]

    def test_the_child_has_stores_of_its_own(self, chukmem: MemoryFileSystem) -> None:
        own = "MemoryFileSystem(name='childs-own')"
        work = f"[{own}.mkdir('/g'), {own}.ls('/', False)]"
        assert in_fork(work, chukmem) == "[None, ['/g']]"
        assert in_fork("[drop_store(fs.name), MemoryFileSystem(name=fs.name).find('/')]", chukmem) == "[None, []]"
        assert in_fork("MemoryFileSystem(name='childs-own').fsid", chukmem) != MemoryFileSystem(name="childs-own").fsid
        drop_store("childs-own")

    def test_a_transaction_of_the_parent_is_not_the_childs(self, chukmem: MemoryFileSystem) -> None:
        with chukmem.transaction:
            chukmem.pipe_file("/f", b"content")
            assert in_fork("fs.end_transaction()", chukmem).startswith(f"OSError {errno.ENXIO} ")
        assert chukmem.find("/") == ["/f"]


# ---- capacity


def test_a_full_store_refuses_and_keeps_what_it_has(small: MemoryFileSystem) -> None:
    small.pipe_file("/f", b"x" * 150_000)
    more = b"x" * 150_000
    with fails_with(errno.ENOSPC, "/g"):
        small.pipe_file("/g", more)
    with fails_with(errno.ENOSPC, "/f"):
        small.pipe_file("/f", more * 2)
    with fails_with(errno.ENOSPC, "/g"), small.open("/g", "wb") as file:
        file.write(more)
    with fails_with(errno.ENOSPC, "/f"), small.open("/f", "ab") as file:
        file.write(more)
    with fails_with(errno.ENOSPC, "/g"):
        small.cp_file("/f", "/g")
    assert {path: small.size(path) for path in small.find("/")} == {"/f": 150_000}


def test_a_full_store_refuses_edits_in_place(small: MemoryFileSystem) -> None:
    with small.posix.open_handle("/f", os.O_CREAT | os.O_RDWR) as handle:
        with fails_with(errno.ENOSPC):
            for step in range(100):
                handle.pwrite(b"x" * 10_000, step * 10_000)
        assert CAPACITY - 10_000 <= handle.stat().st_size <= CAPACITY
        handle.truncate(1 << 40)
    assert small.size("/f") == 1 << 40, "a hole takes no space"


def test_space_comes_back(small: MemoryFileSystem) -> None:
    for _ in range(5):
        small.pipe_file("/f", b"x" * CAPACITY)
        small.pipe_file("/f", b"")
        small.pipe({f"/d/{number}": b"x" * 25_000 for number in range(10)})
        small.mv("/d/0", "/d/1")
        small.rm("/d", recursive=True)
        with small.posix.open_handle("/f", os.O_RDWR) as handle:
            small.rm_file("/f")
            handle.pwrite(b"x" * CAPACITY, 0)
        with failing(small.transaction):
            small.pipe_file("/f", b"x" * 100_000)
            small.cp_file("/f", "/g")
    found = small.posix.statvfs()
    assert found.blocks_free == found.blocks == CAPACITY // found.block_size
    small.pipe_file("/f", b"x" * CAPACITY)
    assert small.posix.statvfs().blocks_free == 0


@pytest.mark.parametrize("fails", [True, False])
def test_transactions_balance_their_accounts(small: MemoryFileSystem, fails: bool) -> None:
    empty = small.posix.statvfs()
    small.pipe({"/keep/a": b"x" * 10_000, "/keep/b": b"x" * 20_000})
    for _ in range(3):
        with suppress(RuntimeError), small.transaction:
            small.pipe_file("/new/c", b"x" * 30_000)
            small.cp_file("/new/c", "/d")
            small.rm("/new", recursive=True)
            small.mv("/keep/a", "/keep/b")
            small.pipe_file("/keep/a", b"x" * 5_000)
            with small.posix.open_handle("/keep/b", os.O_RDWR) as handle:
                handle.truncate(0)
                handle.pwrite(b"x" * 60_000, 0)
            small.rm("/d")
            if fails:
                raise RuntimeError
    sizes = {path: small.size(path) for path in small.find("/")}
    assert sizes == ({"/keep/a": 10_000, "/keep/b": 20_000} if fails else {"/keep/a": 5_000, "/keep/b": 60_000})
    small.rm("/keep", recursive=True)
    assert small.posix.statvfs() == empty


def test_capacity_is_that_of_whoever_made_the_store(small: MemoryFileSystem) -> None:
    MemoryFileSystem(name=small.name, capacity=10**9)
    with fails_with(errno.ENOSPC):
        small.pipe_file("/f", b"x" * (CAPACITY + 1))


def test_capacity_is_a_number_of_bytes() -> None:
    with pytest.raises(ValueError, match="capacity"):
        MemoryFileSystem(name="never made", capacity=-1)


# ---- what costs nothing


def test_whole_content_is_kept_by_reference(chukmem: MemoryFileSystem) -> None:
    data = b"x" * 1_000_000
    chukmem.pipe_file("/f", data)
    chukmem.cp_file("/f", "/g")
    assert chukmem.cat_file("/f") is data
    assert chukmem.cat_file("/g") is data
