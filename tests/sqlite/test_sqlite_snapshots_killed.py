"""Programs that are killed while they take, restore and delete snapshots: each of those is done, or is not."""

from __future__ import annotations

import gc
import json
import os
import random
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check
from tests.ecosystem.warm_python import WarmProcess
from tests.sqlite.sqlite_checker import problems

# Before and after each step it says what everything is going to be: the files, and those of each snapshot.
WORKER = """
    import json, os, random, sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem
    from tests.sqlite.test_sqlite_snapshots_killed import CHUNK, files_of, shown

    fs = SqliteFileSystem(**eval(sys.argv[1]))
    choose = random.Random(int(sys.argv[2]))
    live = files_of(fs)
    kept = {one.name: files_of(fs.snapshots.at(one.name)) for one in fs.snapshots.taken()}
    taken = int(sys.argv[3])

    def say(word):
        line = json.dumps([word, shown(live), {name: shown(files) for name, files in kept.items()}])
        os.write(1, (line + "\\n").encode())

    say("done")
    while True:
        path = f"/d{choose.randrange(3)}/{choose.randrange(4)}"
        how = choose.randrange(10)
        data = choose.randbytes(choose.choice([1, 3000, CHUNK + 1, 20 * CHUNK + 5]))
        if how < 2:
            live[path] = data
            say("try")
            fs.pipe_file(path, data)
        elif how < 5 and live:
            path = choose.choice(sorted(live))
            offset = choose.randrange(len(live[path]) + 1)
            live[path] = live[path][:offset] + data + live[path][offset + len(data):]
            say("try")
            with fs.posix.open_handle(path, os.O_RDWR) as handle:
                handle.pwrite(data, offset)
        elif how == 5 and live:
            path = choose.choice(sorted(live))
            del live[path]
            say("try")
            fs.rm_file(path)
        elif how == 6 and fs.exists("/d1"):
            live = {path: data for path, data in live.items() if not path.startswith("/d1/")}
            say("try")
            fs.rm("/d1", recursive=True)
        elif how == 7 and len(kept) < 5:
            taken += 1
            name = f"{os.getpid()}-{taken}"
            kept[name] = dict(live)
            say("try")
            fs.snapshots.create(name)
        elif how == 8 and kept:
            name = choose.choice(sorted(kept))
            live = dict(kept[name])
            say("try")
            fs.snapshots.restore(name)
        elif how == 9 and kept:
            name = choose.choice(sorted(kept))
            del kept[name]
            say("try")
            fs.snapshots.delete(name)
        say("done")
"""
CHUNK = 4096


def files_of(fs: Any) -> dict[str, bytes]:
    """The content of each file."""
    return {path: fs.cat_file(path) for path in fs.find("/")}


def shown(files: dict[str, bytes]) -> dict[str, list[int]]:
    """What stands for them in a line."""
    return {path: [len(data), zlib.crc32(data)] for path, data in sorted(files.items())}


def everything(fs: SqliteFileSystem) -> list[Any]:
    """All files, and those of each snapshot."""
    snapshots = {one.name: shown(files_of(fs.snapshots.at(one.name))) for one in fs.snapshots.taken()}
    return [shown(files_of(fs)), snapshots]


def kill_programs(tmp_path: Path, kills: int, longest: float, **options: Any) -> None:
    database = str(tmp_path / "w.db")
    wanted = {"database": database, "chunk_size": CHUNK, **options}
    choose = random.Random(kills)
    for number in range(kills):
        program = WarmProcess(WORKER, repr(wanted), str(number), str(number * 1000))
        first = program.stdout.readline()
        time.sleep(choose.random() * longest)
        program.kill()
        said, _ = program.communicate()
        lines = [json.loads(line) for line in (first + said).splitlines(keepends=True) if line.endswith("\n")]
        done = [what for word, *what in lines if word == "done"][-1]
        allowed = [done] if lines[-1][0] == "done" else [done, lines[-1][1:]]
        fs = SqliteFileSystem(**wanted, skip_instance_cache=True)
        assert everything(fs) in allowed, number
        del fs
        gc.collect()
        report = check(database)
        assert report.ok, report.problems
        assert problems(database, in_use=wanted.get("journal_mode") == "delete") == [], number
    fs = SqliteFileSystem(**wanted, skip_instance_cache=True)
    files = files_of(fs)
    for one in fs.snapshots.taken():
        fs.snapshots.delete(one.name)
    assert files_of(fs) == files
    del fs
    gc.collect()
    assert problems(database, in_use=wanted.get("journal_mode") == "delete") == []


@pytest.mark.parametrize("options", [{}, {"deduplicate": True}, {"journal_mode": "delete"}], ids=str)
def test_a_killed_program_leaves_each_snapshot_as_it_was(tmp_path: Path, options: dict[str, Any]) -> None:
    kill_programs(tmp_path, 8, 0.2, **options)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("deduplicate", [False, True])
def test_hundreds_of_killed_programs_leave_each_snapshot_as_it_was(tmp_path: Path, deduplicate: bool) -> None:
    kill_programs(tmp_path, int(os.environ.get("CHUK_TEST_KILLS", "300")), 0.3, deduplicate=deduplicate)
