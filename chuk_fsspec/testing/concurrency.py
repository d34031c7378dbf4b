"""Many threads at once: nothing is lost, torn or made twice."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import pairwise

from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import failing, files_below, in_threads, names_below, same_filesystem
from chuk_fsspec.testing.needs import needs

THREADS = 8


@needs("shared_between_threads")
class Concurrency:
    """Eight threads, each with the instance that fsspec gives it."""

    def test_threads_share_one_state(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"content")
        assert in_threads(2, lambda _: same_filesystem(fs).cat_file(f"{root}/f")) == [b"content"] * 2

    def test_one_instance_may_be_used_by_all(self, fs: AbstractFileSystem, root: str) -> None:
        def write(number: int) -> None:
            for step in range(50):
                fs.pipe_file(f"{root}/{number}-{step}", b"%d" % step)

        in_threads(THREADS, write)
        assert len(files_below(fs, root)) == THREADS * 50

    def test_files_of_their_own(self, fs: AbstractFileSystem, root: str) -> None:
        def write(number: int) -> None:
            own = same_filesystem(fs)
            for step in range(50):
                own.pipe_file(f"{root}/shared/{number}/{step}", b"%d" % number * step)
                assert own.cat_file(f"{root}/shared/{number}/{step}") == b"%d" % number * step
                own.mv(f"{root}/shared/{number}/{step}", f"{root}/moved/{number}-{step}")

        in_threads(THREADS, write)
        expected = {f"moved/{number}-{step}": b"%d" % number * step for number in range(THREADS) for step in range(50)}
        assert files_below(fs, root) == expected

    def test_readers_see_whole_versions(self, fs: AbstractFileSystem, root: str) -> None:
        path, size = f"{root}/f", 100_000
        fs.pipe_file(path, b"\0" * size)

        def work(number: int) -> None:
            own = same_filesystem(fs)
            for step in range(60):
                if number % 2:
                    version = bytes([number * 16 + step % 16]) * size
                    if step % 2:
                        own.pipe_file(path, version)
                    else:
                        with own.open(path, "wb") as file:
                            file.write(version[: size // 2])
                            file.write(version[size // 2 :])
                elif step % 3:
                    assert len(set(own.cat_file(path))) == 1
                else:
                    with own.open(path, "rb") as file:
                        assert len({*file.read(size // 2), *file.read()}) == 1
                assert own.size(path) == size

        in_threads(THREADS, work)

    @needs("exclusive_create")
    def test_exactly_one_thread_creates(self, fs: AbstractFileSystem, root: str) -> None:
        def create(number: int) -> list[bool]:
            own, won = same_filesystem(fs), [False] * 40
            for step in range(40):
                with suppress(FileExistsError):
                    if step % 2:
                        own.pipe_file(f"{root}/{step}", b"%d" % number, mode="create")
                    else:
                        with own.open(f"{root}/{step}", "xb") as file:
                            file.write(b"%d" % number)
                    won[step] = True
            return won

        results = in_threads(THREADS, create)
        for step in range(40):
            winners = [number for number in range(THREADS) if results[number][step]]
            assert len(winners) == 1
            assert fs.cat_file(f"{root}/{step}") == b"%d" % winners[0]

    @needs("directories")
    def test_exactly_one_thread_makes_a_directory(self, fs: AbstractFileSystem, root: str) -> None:
        def make(_: int) -> int:
            own, made = same_filesystem(fs), 0
            for step in range(40):
                own.makedirs(f"{root}/deep/{step}/below", exist_ok=True)
                with suppress(FileExistsError):
                    own.mkdir(f"{root}/{step}")
                    made += 1
            return made

        assert sum(in_threads(THREADS, make)) == 40

    @needs("append")
    def test_no_append_is_lost(self, fs: AbstractFileSystem, root: str) -> None:
        def append(number: int) -> None:
            own = same_filesystem(fs)
            for step in range(40):
                with own.open(f"{root}/log", "ab") as file:
                    file.write(b"%d " % number)
                    file.write(b"%d\n" % step)

        in_threads(THREADS, append)
        lines = [tuple(map(int, line.split())) for line in fs.cat_file(f"{root}/log").splitlines()]
        assert sorted(lines) == [(number, step) for number in range(THREADS) for step in range(40)]
        for number in range(THREADS):
            assert [step for owner, step in lines if owner == number] == list(range(40))

    @needs("random_write")
    def test_no_write_in_place_is_lost(self, fs: AbstractFileSystem, root: str) -> None:
        fs.touch(f"{root}/f")
        fs.touch(f"{root}/log")

        def write(number: int) -> None:
            own = same_filesystem(fs)
            flags = os.O_WRONLY | os.O_APPEND
            with own.posix.open_handle(f"{root}/f", os.O_RDWR) as f, own.posix.open_handle(f"{root}/log", flags) as log:
                for step in range(number, 400, THREADS):
                    f.pwrite(b"%04d" % step * 100, step * 400)
                    log.pwrite(b"%04d" % step, 0)

        in_threads(THREADS, write)
        assert fs.cat_file(f"{root}/f") == b"".join(b"%04d" % step * 100 for step in range(400))
        log = fs.cat_file(f"{root}/log")
        assert sorted(log[i : i + 4] for i in range(0, len(log), 4)) == [b"%04d" % step for step in range(400)]

    @needs("rename", "replace")
    def test_a_replaced_name_is_never_missing(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"-1")

        def work(number: int) -> None:
            own = same_filesystem(fs)
            for step in range(100):
                if number % 2:
                    own.pipe_file(f"{root}/new-{number}", b"%d" % step)
                    own.mv(f"{root}/new-{number}", f"{root}/f")
                else:
                    assert -1 <= int(own.cat_file(f"{root}/f")) < 100
                    assert f"{root}/f" in own.ls(root, detail=False)

        in_threads(THREADS, work)
        assert names_below(fs, root) == ["f"]

    @needs("rename", "directories")
    def test_a_moving_tree_is_always_whole(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/0/d/e/{name}": b"content" for name in "abc"})

        def work(number: int) -> None:
            own = same_filesystem(fs)
            if number == 0:
                for step in range(200):
                    own.mv(f"{root}/{step}", f"{root}/{step + 1}")
                return
            for step in range(200):
                with suppress(FileNotFoundError):
                    assert own.cat_file(f"{root}/{step}/d/e/a") == b"content"
                    assert len(own.ls(f"{root}/{step}/d/e")) == 3

        in_threads(THREADS, work)
        assert files_below(fs, f"{root}/200") == {f"d/e/{name}": b"content" for name in "abc"}

    @needs("rename", "directories", "attributes")
    def test_crossing_moves_make_no_loop(self, fs: AbstractFileSystem, root: str) -> None:
        fs.makedirs(f"{root}/a")
        fs.makedirs(f"{root}/b")

        def cross(number: int) -> None:
            own = same_filesystem(fs)
            one, other = ("a", "b") if number % 2 else ("b", "a")
            for _ in range(50):
                for source, target in ((one, f"{other}/{one}"), (f"{other}/{one}", one)):
                    with suppress(OSError):
                        own.posix.rename(f"{root}/{source}", f"{root}/{target}")

        in_threads(THREADS, cross)
        names = names_below(fs, root)
        assert {name.rpartition("/")[2] for name in names} == {"a", "b"}
        assert len(names) == 2

    @needs("transactions", "directories")
    def test_transactions_side_by_side(self, fs: AbstractFileSystem, root: str) -> None:
        def work(number: int) -> None:
            own, home = same_filesystem(fs), f"{root}/{number}"
            own.pipe_file(f"{home}/count", b"0")
            for step in range(1, 21):
                with own.transaction:
                    own.pipe_file(f"{home}/{step}/f", b"%d" % step)
                    own.rm_file(f"{home}/count")
                    own.pipe_file(f"{home}/count", b"%d" % step)
                with failing(own.transaction):
                    own.rm(home, recursive=True)
                    own.pipe_file(f"{home}/count", b"lost")
                    own.mkdir(f"{root}/lost-{number}")
                assert own.cat_file(f"{home}/count") == b"%d" % step

        in_threads(THREADS, work)
        expected = {f"{number}/{step}/f": b"%d" % step for number in range(THREADS) for step in range(1, 21)}
        assert files_below(fs, root) == expected | {f"{number}/count": b"20" for number in range(THREADS)}
        assert sorted(fs.ls(root, detail=False)) == [f"{root}/{number}" for number in range(THREADS)]

    def test_listing_while_others_write(self, fs: AbstractFileSystem, root: str) -> None:
        fs.pipe({f"{root}/stays/{number}": b"" for number in range(20)})

        def work(number: int) -> None:
            own = same_filesystem(fs)
            for step in range(40):
                if number % 2:
                    own.pipe_file(f"{root}/stays/{number}-{step}", b"")
                    own.pipe_file(f"{root}/goes/{number}/{step}", b"")
                    own.rm(f"{root}/goes/{number}", recursive=True)
                    own.rm_file(f"{root}/stays/{number}-{step}")
                else:
                    for names in (own.ls(f"{root}/stays", detail=False), own.find(f"{root}/stays")):
                        assert set(names) >= {f"{root}/stays/{n}" for n in range(20)}
                        assert all(one < next_one for one, next_one in pairwise(sorted(names)))
                    own.find(root, detail=True)
                    list(own.walk(root))

        in_threads(THREADS, work)
        assert len(fs.ls(f"{root}/stays")) == 20
