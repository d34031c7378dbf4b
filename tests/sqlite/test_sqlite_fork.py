"""Processes that fork, and are spawned, with chuksqlite files open."""

from __future__ import annotations

import multiprocessing
import os
import textwrap
import time

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.ecosystem import warm_python
from tests.sqlite.sqlite_checker import problems

if not hasattr(os, "fork"):
    pytest.skip("this system cannot fork", allow_module_level=True)

# Forks are made in a process of its own, which has no threads but those of the test.
HEAD = """
    import errno, gc, os, sys, threading, time
    from chuk_fsspec.backends.sqlite import SqliteFileSystem

    fs = SqliteFileSystem(database=sys.argv[1], journal_mode=sys.argv[2], chunk_size=4096, busy_timeout=20)

    def in_child(work, leave=os._exit):
        child = os.fork()
        if not child:
            try:
                work()
            except BaseException as error:
                print(repr(error), flush=True)
                os._exit(1)
            leave(0)
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(params=["wal", "delete"])
def journal(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(database: str, journal: str, code: str) -> str:
    """Run a piece of Python that forks; what it prints."""
    return warm_python.run(textwrap.dedent(HEAD) + textwrap.dedent(code), database, journal)


def reopened(database: str, journal: str) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, journal_mode=journal, skip_instance_cache=True)


def test_parent_and_children_write_on(database: str, journal: str) -> None:
    code = """
        fs.pipe_file("/before", b"x")
        children = [os.fork() for _ in range(2)]
        who = "".join("p" if child else "c" for child in children)
        for step in range(50):
            fs.pipe_file(f"/{who}/{step}", b"x" * 200 * step)
        if 0 in children:
            os._exit(0)
        print(sorted(os.waitpid(child, 0)[1] for child in children))
    """
    # The first child forks as well, and waits for nobody.
    assert "[0, 0]" in run(database, journal, code.replace("children = [os.fork() for _ in range(2)]", FORK_TWICE))
    fs = reopened(database, journal)
    assert {name: len(fs.ls(f"/{name}")) for name in ("pp", "pc", "cp")} == {"pp": 50, "pc": 50, "cp": 50}
    assert problems(database) == []


FORK_TWICE = "first = os.fork(); children = [first, os.fork() if first else 1]"


def test_threads_that_write_while_another_forks(database: str, journal: str) -> None:
    code = """
        def work(thread):
            for step in range(60):
                fs.pipe_file(f"/{thread}-{step}", b"x" * 100 * step)

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(3)]
        [thread.start() for thread in threads]
        for number in range(10):
            in_child(lambda: fs.pipe_file(f"/child-{number}", fs.cat_file(fs.find("/")[0])))
        [thread.join() for thread in threads]
    """
    run(database, journal, code)
    assert len(reopened(database, journal).find("/")) == 3 * 60 + 10
    assert problems(database) == []


def test_a_child_writes_on_when_its_parent_is_gone(database: str, journal: str) -> None:
    code = """
        parent = os.getpid()
        end, begin = os.pipe()
        if not os.fork():
            os.close(1), os.close(2)
            fs.pipe_file("/first", b"x")
            os.write(begin, b"x")
            while os.getppid() == parent:
                fs.pipe_file("/meanwhile", b"x" * 50_000)
                time.sleep(0.005)
            for step in range(50):
                fs.pipe_file(f"/{step}", b"x" * 100 * step)
            fs.pipe_file("/last", b"x")
            os._exit(0)
        os.read(end, 1)
        fs.pipe_file("/parent", b"x")
    """
    run(database, journal, code)
    fs = reopened(database, journal)
    while not fs.exists("/last"):
        time.sleep(0.005)
    assert len(fs.find("/")) == 50 + 4
    assert problems(database, in_use=True) == []


def test_what_the_parent_has_open_is_not_the_childs_to_remove(database: str, journal: str) -> None:
    code = """
        data = os.urandom(100_000)
        handle = fs.posix.open_handle("/f", os.O_CREAT | os.O_RDWR)
        handle.pwrite(data, 0)
        fs.rm_file("/f")
        fs.pipe_file("/read", data)
        reader = fs.open("/read", "rb")
        fs.pipe_file("/read", b"")
        writer = fs.open("/written", "wb")
        writer.write(data * 300)

        def work():
            global reader, writer
            assert handle.pread(100_000, 0) == data
            handle.close()
            reader.close()
            writer.discard()
            writer.close()
            del reader, writer
            gc.collect()
            fs.pipe_file("/child", b"x")
            fs.pipe_file("/child", b"y")

        in_child(work)
        assert handle.pread(100_000, 0) == data
        handle.close()
        assert reader.read() == data
        reader.close()
        writer.close()
        assert fs.cat_file("/written") == data * 300
    """
    run(database, journal, code)
    assert sorted(reopened(database, journal).find("/")) == ["/child", "/read", "/written"]
    assert problems(database, in_use=journal != "wal") == []


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_a_child_in_the_middle_of_a_transaction_is_told_and_does_no_harm(
    database: str, journal: str, leave: str
) -> None:
    code = f"""
        fs.pipe_file("/before", b"x")

        def work():
            def open_again():
                SqliteFileSystem(database=sys.argv[1], journal_mode=sys.argv[2], skip_instance_cache=True)

            looks = lambda: fs.ls("/"), lambda: fs.cat_file("/before")
            for call in (*looks, lambda: fs.pipe_file("/c", b""), open_again):
                try:
                    call()
                except OSError as error:
                    assert error.errno == errno.ENXIO
                else:
                    raise AssertionError("the child is in a transaction of its parent")

        fs.start_transaction()
        fs.mkdir("/d")
        fs.posix.open_handle("/d/large", os.O_CREAT | os.O_RDWR).pwrite(b"x" * 40_000_000, 0)
        child = os.fork()
        if not child:
            try:
                work()
            except BaseException as error:
                print(repr(error), flush=True)
                os._exit(1)
            {leave}(0)
        assert os.waitpid(child, 0)[1] == 0
        fs.mv("/d", "/e")
        fs.end_transaction()
        fs.pipe_file("/after", b"x")
    """
    run(database, journal, code)
    fs = reopened(database, journal)
    assert sorted(fs.find("/")) == ["/after", "/before", "/e/large"]
    assert fs.cat_file("/e/large") == b"x" * 40_000_000
    assert problems(database) == []


def test_a_database_in_memory_stays_with_the_parent(database: str) -> None:
    code = """
        fs = SqliteFileSystem(database=":memory:")
        fs.pipe_file("/f", b"x")

        def work():
            def look():
                for call in (fs.ls, fs.cat_file, fs.info, lambda path: fs.pipe_file(path, b"")):
                    try:
                        call("/f")
                    except OSError as error:
                        assert error.errno == errno.ENXIO
                        refused.append(error)
            refused = []
            look()
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
            assert len(refused) == 8, refused
            fresh = SqliteFileSystem(database=":memory:", skip_instance_cache=True)
            assert fresh.ls("/") == []
            fresh.pipe_file("/child", b"x")

        in_child(work)
        assert fs.find("/") == ["/f"]
        assert fs.cat_file("/f") == b"x"
    """
    run(database, "wal", code)


def write_some(fs: SqliteFileSystem, who: int) -> int:
    for step in range(20):
        fs.pipe_file(f"/{who}/{step}", b"x" * 500 * step)
    return len(fs.ls(f"/{who}"))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(database: str, method: str) -> None:
    fs = SqliteFileSystem(database=database)
    fs.pipe_file("/before", b"x")
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap(write_some, [(fs, who) for who in range(4)]) == [20] * 4
    assert len(fs.find("/")) == 4 * 20 + 1
    assert problems(database) == []
