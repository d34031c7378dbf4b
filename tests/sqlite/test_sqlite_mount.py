"""A mounted chuksqlite: API, mount and other processes at work on one file, and real programs on the mount."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import mount
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.fuse.mount_serving import served
from tests.fuse.test_mount_tools import PATIENCE, needs, python, run
from tests.sqlite.sqlite_checker import problems
from tests.sqlite.sqlite_other import other_process

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="these are the tools and system calls of Linux"),
]

ATTRIBUTES_ARE_BELIEVED_FOR = 1.0
"""Seconds, where another process may change them."""


@pytest.fixture
def fs(database: str) -> SqliteFileSystem:
    return SqliteFileSystem(database=database)


@pytest.fixture
def point(fs: SqliteFileSystem, database: str, tmp_path: Path) -> Iterator[Path]:
    """Where the database is mounted; in the end its tables must be in order."""
    target = tmp_path / "mnt"
    target.mkdir()
    with mount(fs, target):
        yield target
    assert problems(database, in_use=True) == []


def within_the_timeout(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + ATTRIBUTES_ARE_BELIEVED_FOR + 30  # the machine may be busy
    while not condition():
        assert time.monotonic() < end, "it is not seen"
        time.sleep(0.02)


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in directory.iterdir()}


# ---- who sees what


def test_api_and_mount_of_one_process_see_each_other_at_once(fs: SqliteFileSystem, point: Path) -> None:
    assert not (point / "f").exists()
    for size in (10, 100_000, 0, 70_000, 3):
        data = os.urandom(size)
        fs.pipe_file("/f", data)
        assert (point / "f").stat().st_size == size
        assert (point / "f").read_bytes() == data
        data = os.urandom(size // 2)
        (point / "f").write_bytes(data)
        assert fs.cat_file("/f") == data
    (point / "d").mkdir()
    (point / "f").rename(point / "d/g")
    assert fs.find("/") == ["/d/g"]
    fs.mv("/d", "/e")
    assert os.listdir(point) == ["e"]
    fs.rm("/e", recursive=True)
    assert os.listdir(point) == []


def test_what_another_process_does_is_seen_within_the_timeout(fs: SqliteFileSystem, point: Path, database: str) -> None:
    (point / "f").write_bytes(b"here")
    with other_process(database) as other:
        assert other.call("fs.cat_file", "/f") == b"here"
        for data in (b"from the other one, longer", b"short", os.urandom(200_000)):
            other.call("fs.pipe_file", "/f", data)
            within_the_timeout(lambda data=data: (point / "f").read_bytes() == data)  # type: ignore[misc]
        other.call("fs.pipe_file", "/d/new", b"new")
        within_the_timeout((point / "d/new").exists)
        other.call("fs.mv", "/d", "/moved")
        within_the_timeout(lambda: sorted(os.listdir(point)) == ["f", "moved"] and not (point / "d").exists())
        with (point / "f").open("rb") as file:
            other.call("fs.rm", "/f")
            within_the_timeout(lambda: not (point / "f").exists())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        (point / "moved/new").write_bytes(b"mount")
        assert other.call("fs.cat_file", "/moved/new") == b"mount"


def test_of_two_mounts_of_two_processes_one_makes_a_file(
    fs: SqliteFileSystem, point: Path, database: str, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    with served("sqlite", Path(database), second):
        make = (
            "import sys\n"
            "for n in range(100):\n"
            "    try:\n"
            "        with open(f'{n}', 'x') as file: file.write(sys.argv[1])\n"
            "        print(n)\n"
            "    except FileExistsError: pass\n"
        )
        makers = [
            subprocess.Popen([sys.executable, "-c", make, who], cwd=where, stdout=subprocess.PIPE, text=True)
            for who, where in (("one", point), ("two", second))
        ]
        made = [maker.communicate(timeout=PATIENCE)[0].split() for maker in makers]
        assert sorted(made[0] + made[1], key=int) == [str(number) for number in range(100)]
        wanted = dict.fromkeys(made[0], "one") | dict.fromkeys(made[1], "two")
        assert {name: fs.cat_file(f"/{name}").decode() for name in wanted} == wanted
        for side in (point, second):
            within_the_timeout(lambda side=side: contents(side) == wanted)  # type: ignore[misc]


# ---- programs


@needs("git")
def test_git(point: Path, fs: SqliteFileSystem) -> None:
    project = point / "project"
    project.mkdir()
    run(project, "git", "init", "--quiet", "--initial-branch=main")
    for number in range(50):
        (project / f"{number}.txt").write_text(f"{number}\n" * 100)
    run(project, "git", "add", ".")
    run(project, "git", "commit", "--quiet", "--message=first")
    fs.pipe_file("/project/0.txt", b"changed\n")
    assert run(project, "git", "status", "--short") == " M 0.txt\n"
    run(project, "git", "commit", "--quiet", "--all", "--message=second")
    run(project, "git", "gc", "--quiet")
    run(point, "git", "clone", "--quiet", "project", "clone")
    run(point / "clone", "git", "fsck", "--strict")
    assert run(point / "clone", "git", "log", "--format=%s") == "second\nfirst\n"


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_sqlite_in_two_processes(point: Path, journal: str) -> None:
    insert = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect('db', timeout=60, isolation_level=None)\n"
        "for number in range(30):\n"
        "    db.execute('INSERT INTO t VALUES (?, ?)', (sys.argv[1], number))\n"
    )
    make = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect('db')\n"
        "print(db.execute(f'PRAGMA journal_mode={sys.argv[1]}').fetchone()[0])\n"
        "db.execute('CREATE TABLE t (who, number, PRIMARY KEY (who, number))')\n"
    )
    assert python(point, make, journal).strip() == journal
    writers = [subprocess.Popen([sys.executable, "-c", insert, who], cwd=point) for who in ("a", "b")]
    assert [writer.wait(PATIENCE) for writer in writers] == [0, 0]
    count = (
        "import sqlite3\n"
        "db = sqlite3.connect('db')\n"
        "print(db.execute('SELECT count(*) FROM t').fetchone()[0])\n"
        "print(db.execute('PRAGMA integrity_check').fetchone()[0])\n"
    )
    assert python(point, count).split() == ["60", "ok"]


def test_pytest(point: Path) -> None:
    (point / "test_it.py").write_text("def test_it(tmp_path):\n    assert tmp_path.exists()\n")
    assert "1 passed" in run(point, sys.executable, "-m", "pytest", "--rootdir=.", "--basetemp=temporary")


@needs("tar")
def test_untar(point: Path, fs: SqliteFileSystem, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for number in range(100):
        (source / f"{number % 7}").mkdir(parents=True, exist_ok=True)
        (source / f"{number % 7}" / f"{number}").write_bytes(bytes([number]) * number * 100)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(source, "source")
    run(point, "tar", "xf", str(tmp_path / "a.tar"))
    run(tmp_path, "diff", "--recursive", "source", str(point / "source"))
    assert len(fs.find("/source")) == 100


# ---- killed


@pytest.mark.parametrize("when", [0.05, 0.3])
def test_a_killed_mount_leaves_whole_files(database: str, tmp_path: Path, when: float) -> None:
    target = tmp_path / "killed"
    write = (
        "import os, sys\n"
        "n = 0\n"
        "while True:\n"
        "    with open('new', 'wb') as file: file.write(b'%08d' % n * 5000)\n"
        "    os.replace('new', f'{n % 5}')\n"
        "    print(n, flush=True)\n"
        "    n += 1\n"
    )
    with (
        served("sqlite", Path(database), target) as server,
        subprocess.Popen(
            [sys.executable, "-c", write], cwd=target, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as writer,
    ):
        time.sleep(when)
        server.kill()
        said, _ = writer.communicate(timeout=PATIENCE)
    subprocess.run(["umount", "-l", str(target)], check=False, capture_output=True)
    fs = SqliteFileSystem(database=database)
    acknowledged = [int(line) for line in said.split()]
    for name in range(5):
        written = [number for number in acknowledged if number % 5 == name]
        if not written:
            continue
        data = fs.cat_file(f"/{name}")
        assert int(data[:8]) >= written[-1], "what was done is lost"
        assert data == data[:8] * 5000, "it is torn"
    assert problems(database, in_use=True) == []
