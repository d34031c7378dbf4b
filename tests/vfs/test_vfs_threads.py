"""Many threads at once on one VFS, as the workers of a door: nobody waits for ever, and nothing is lost or mixed up."""

from __future__ import annotations

import errno
import itertools
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vfs.vfs_kinds import World, lent

PATIENCE = 60.0
EXPECTED = {errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EINVAL}


@pytest.fixture(params=["objects", "objects-cached", "renaming", "local", "direct", "whole"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with lent(request.param, tmp_path) as world:
        yield world


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Let threads meet at more places than they do by themselves."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def run(*jobs: Callable[[], None]) -> None:
    """Run each job in a thread of its own; raises what any of them raised."""
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    if errors:
        raise errors[0]


def test_random_work_by_many(world):
    """Contents are tokens of one length, written at once: whatever happens, a file holds one of them or nothing."""
    numbers = itertools.count()
    paths = [f"/{a}/{b}" for a in "xyz" for b in "ab"] + ["/a", "/x/s/a"]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(150):
            path, other = rng.choice(paths), rng.choice(paths)
            operation = rng.choice(["make", "edit", "read", "unlink", "rename", "rename", "mkdir", "rmdir", "names"])
            try:
                if operation == "make":
                    world.make(path, b"%08d" % next(numbers))
                elif operation == "edit":
                    handle = world.open(path, os.O_RDWR)
                    handle.pwrite(b"%08d" % next(numbers), 0)
                    assert len(handle.pread(20, 0)) == 8
                    handle.close()
                elif operation == "read":
                    assert len(world.read(path)) in (0, 8)
                elif operation == "names":
                    world.names(rng.choice(["", "/x", "/y"]))
                elif operation in {"mkdir", "rmdir"}:
                    getattr(world, operation)(rng.choice(["/x", "/y", "/z", "/x/s", path]))
                elif rng.random() < 0.3:
                    world.rename(*rng.sample(["/x", "/y", "/z", "/x/s"], 2))
                else:
                    getattr(world, operation)(*([path, other] if operation == "rename" else [path]))
            except OSError as error:
                if error.errno not in EXPECTED:
                    raise

    run(*(lambda seed=seed: work(seed) for seed in range(6)))
    world.vfs.sync()
    fresh = world.another_vfs()
    old = world.vfs
    seen = contents(world, "")
    world.vfs = fresh
    stored = contents(world, "")
    world.vfs = old
    assert {path: content for path, content in seen.items() if content is not None} == {
        path: content for path, content in stored.items() if content is not None
    }
    assert set(map(len, filter(None, stored.values()))) <= {8}


def contents(world: World, directory: str) -> dict[str, bytes | None]:
    """The content of every file below a directory; None for directories."""
    found: dict[str, bytes | None] = {}
    for name in world.names(directory):
        path = f"{directory}/{name}"
        if world.find(path).is_file:
            found[path] = world.read(path)
        else:
            found[path] = None
            found.update(contents(world, path))
    return found


def test_everybody_appends_to_one_file(world):
    world.create("/log")

    def append(letter: str) -> None:
        for number in range(20):
            handle = world.open("/log", os.O_WRONLY | os.O_APPEND)
            handle.pwrite(b"%s%02d\n" % (letter.encode(), number), 0)
            handle.close()

    run(*(lambda letter=letter: append(letter) for letter in "abcd"))
    lines = world.stored("/log").splitlines()
    assert sorted(lines) == sorted(b"%c%02d" % (ord(letter), number) for letter in "abcd" for number in range(20))
    for letter in b"abcd":
        own = [line for line in lines if line[0] == letter]
        assert own == sorted(own)


def test_one_of_many_creates_a_file(world):
    won: list[int] = []

    def create(number: int) -> None:
        try:
            world.create("/f")
        except FileExistsError:
            return
        won.append(number)

    for _ in range(5):
        won.clear()
        run(*(lambda number=number: create(number) for number in range(6)))
        assert len(won) == 1
        world.unlink("/f")


def test_files_are_edited_while_their_directory_moves(world):
    world.mkdir("/d")
    nodes = [world.make(f"/d/{number}", b"") for number in range(4)]
    moving = True

    def edit(number: int) -> None:
        handle = world.vfs.open(nodes[number], os.O_RDWR)
        for count in range(15):
            handle.pwrite(b"%d%03d" % (number, count), 0)
            handle.flush()
            assert world.vfs.getattr(nodes[number]).size == 4
        handle.close()

    def move() -> None:
        places = itertools.cycle(["/d", "/e"])
        place = next(places)
        while moving:
            new = next(places)
            world.rename(place, new)
            place = new

    def edit_all() -> None:
        nonlocal moving
        try:
            run(*(lambda number=number: edit(number) for number in range(4)))
        finally:
            moving = False

    run(edit_all, move)
    (directory,) = world.names()
    assert world.names(f"/{directory}") == ["0", "1", "2", "3"]
    for number in range(4):
        assert world.stored(f"/{directory}/{number}") == b"%d014" % number
    assert not world.exists("/d" if directory == "e" else "/e")


def test_a_directory_in_constant_use_can_be_renamed(tmp_path):
    with lent("objects-cached", tmp_path) as world:
        world.store("/d/f", os.urandom(1 << 20))
        world.fs.delays = {"d/f": 0.02, "e/f": 0.02}
        node = world.find("/d/f")
        reading = True

        def read() -> None:
            handle = world.vfs.open(node, os.O_RDONLY)
            while reading:
                assert len(handle.pread(10, random.randrange(1 << 19))) == 10
            handle.close()

        def rename() -> None:
            nonlocal reading
            try:
                time.sleep(0.1)
                world.rename("/d", "/e")
            finally:
                reading = False

        run(read, read, read, read, rename)
        assert list(world.fs.objects) == ["e/f"]


def test_many_who_look_for_one_name_ask_once(tmp_path):
    with lent("objects-cached", tmp_path) as world:
        world.store("/f", b"x")
        ask = world.fs.info

        def slow_info(path: str) -> object:
            time.sleep(0.05)
            return ask(path)

        world.fs.info = slow_info

        def look() -> None:
            assert world.find("/f").size == 1

        run(*[look] * 8)
        assert world.fs.calls["info"] == 1


def test_renames_against_each_other(world):
    world.mkdir("/a")
    world.mkdir("/b")
    world.make("/a/f", b"x")

    def shuffle(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(30):
            source, target = rng.sample(["/a", "/b", "/a/c", "/b/c", "/a/f", "/b/f"], 2)
            try:
                world.rename(source, target)
            except OSError as error:
                if error.errno not in EXPECTED:
                    raise

    run(*(lambda seed=seed: shuffle(seed) for seed in range(4)))
    files = [content for content in contents(world, "").values() if content is not None]
    assert files == [b"x"]
