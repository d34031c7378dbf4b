"""Snapshots beside git, restic, borg and the original chuk-virtual-fs: 10,000 files of 1 KiB, of which 1 % change.

    python benchmarks/bench_snapshot_peers.py                                   # three rounds, some minutes
    python benchmarks/bench_snapshot_peers.py --original /tmp/original/bin/python --files 1000 --rounds 1

Wall time, targets in turn, each on a copy of the same files: the first snapshot, one after 1 % of the files changed,
and bringing everything back into an empty directory, all in /dev/shm. What is not installed is left out, and said.
``--original`` is the Python of an environment that has chuk-virtual-fs; there, as with native snapshots, the files are
in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from fsspec import filesystem
from measure import Figures, ratio, save, say, table

from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

FIGURES = ("first", "after 1 %", "restore")
PER_DIRECTORY = 100
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a shared disk would be what is measured
PAUSE = 0.1
"""Seconds after changes, so that no tool has to read again what was written in the same tick of the clock."""

ORIGINAL = """
import asyncio, json, os, sys, time
from chuk_virtual_fs import AsyncVirtualFileSystem
from chuk_virtual_fs.snapshot_manager import AsyncSnapshotManager

async def main(count):
    async with AsyncVirtualFileSystem(provider="memory") as fs:
        paths = [f"/d{number // 100}/f{number}" for number in range(count)]
        for number in range(0, count, 100):
            await fs.mkdir(f"/d{number // 100}")
        for path in paths:
            assert await fs.write_file(path, os.urandom(768).hex()[:1024])
        manager, figures = AsyncSnapshotManager(fs), {}
        for figure, name in (("first", "one"), ("after 1 %", "two")):
            begin = time.perf_counter()
            await manager.create_snapshot(name)
            figures[figure] = time.perf_counter() - begin
            for path in paths[::100]:
                await fs.write_file(path, "changed")
        for path in paths:
            await fs.rm(path)
        begin = time.perf_counter()
        await manager.restore_snapshot("two")
        figures["restore"] = time.perf_counter() - begin
        print(json.dumps(figures))

asyncio.run(main(int(sys.argv[1])))
"""


class Tool:
    """One way of keeping snapshots of a directory."""

    def __init__(self, directory: Path, store: Path) -> None:
        self.directory, self.store = directory, store

    def prepare(self) -> None:
        """Make the store."""

    def take(self, name: str) -> None:
        """Take a snapshot."""
        raise NotImplementedError

    def restore(self, name: str) -> None:
        """Bring everything back into the directory, which is empty."""
        raise NotImplementedError


class Command(Tool):
    """A program."""

    environment: ClassVar[dict[str, str]] = {}

    def run(self, *command: str) -> None:
        """Run it in the directory."""
        environment = {**os.environ, **self.environment, "HOME": str(self.store)}
        subprocess.run(command, cwd=self.directory, env=environment, check=True, stdout=subprocess.DEVNULL)


class Git(Command):
    """git, its repository beside the directory."""

    def git(self, *arguments: str) -> None:
        """One command."""
        self.run("git", f"--git-dir={self.store}/git", f"--work-tree={self.directory}", *arguments)

    def prepare(self) -> None:
        self.git("init", "-q")
        for key in ("user.name", "user.email"):
            self.git("config", key, "bench")

    def take(self, name: str) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", name)

    def restore(self, name: str) -> None:
        self.git("checkout", "-q", "-f", "HEAD", "--", ".")


class Restic(Command):
    """restic, which encrypts and compresses."""

    environment: ClassVar[dict[str, str]] = {"RESTIC_PASSWORD": "bench"}

    def restic(self, *arguments: str) -> None:
        """One command."""
        self.run("restic", "-q", "-r", f"{self.store}/restic", "--cache-dir", f"{self.store}/cache", *arguments)

    def prepare(self) -> None:
        self.restic("init")

    def take(self, name: str) -> None:
        self.restic("backup", "--tag", name, ".")

    def restore(self, name: str) -> None:
        self.restic("restore", "latest", "--tag", name, "--target", ".")


class Borg(Command):
    """borg without encryption."""

    environment: ClassVar[dict[str, str]] = {"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}

    def prepare(self) -> None:
        self.run("borg", "init", "-e", "none", f"{self.store}/borg")

    def take(self, name: str) -> None:
        self.run("borg", "create", f"{self.store}/borg::{name}", ".")

    def restore(self, name: str) -> None:
        self.run("borg", "extract", f"{self.store}/borg::{name}")


class Stored(Tool):
    """chuksnap over chuklocal, with a store beside it."""

    def prepare(self) -> None:
        inner = filesystem("chuklocal", root=str(self.directory), skip_instance_cache=True)
        self.fs = SnapshotFileSystem(inner, store=f"file://{self.store}/chuksnap")

    def take(self, name: str) -> None:
        self.fs.create_snapshot(name)

    def restore(self, name: str) -> None:
        self.fs.restore(name)


TOOLS: dict[str, type[Tool]] = {"chuksnap": Stored, "git": Git, "restic": Restic, "borg": Borg}


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def fill(directory: Path, count: int) -> list[Path]:
    """Files of 1 KiB, the same each time."""
    choose = random.Random(1)
    paths = [directory / f"d{number // PER_DIRECTORY}" / f"f{number}" for number in range(count)]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(choose.randbytes(1024))
    return paths


def measure_tool(kind: type[Tool], count: int) -> dict[str, float]:
    """The figures of one tool on a directory of this machine."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as place:
        directory, store = Path(place, "files"), Path(place, "store")
        directory.mkdir()
        store.mkdir()
        paths = fill(directory, count)
        tool = kind(directory, store)
        tool.prepare()
        time.sleep(PAUSE)
        figures = {"first": timed(lambda: tool.take("one"))}
        for path in paths[::100]:
            path.write_bytes(b"changed" * 150)
        time.sleep(PAUSE)
        figures["after 1 %"] = timed(lambda: tool.take("two"))
        for entry in directory.iterdir():
            shutil.rmtree(entry)
        figures["restore"] = timed(lambda: tool.restore("two"))
        assert [path.stat().st_size for path in paths] == [1050, *[1024] * 99] * (count // 100)
        return figures


def measure_native(protocol: str, count: int) -> dict[str, float]:
    """The figures of a filesystem that takes snapshots of itself."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as place:
        options: dict[str, Any] = {"name": place} if protocol == "chukmem" else {"database": f"{place}/w.db"}
        fs = SnapshotFileSystem(filesystem(protocol, **options))
        choose = random.Random(1)
        fs.pipe({f"/d{number // PER_DIRECTORY}/f{number}": choose.randbytes(1024) for number in range(count)})
        figures = {"first": timed(lambda: fs.create_snapshot("one"))}
        fs.pipe({f"/d{number // PER_DIRECTORY}/f{number}": b"changed" * 150 for number in range(0, count, 100)})
        figures["after 1 %"] = timed(lambda: fs.create_snapshot("two"))
        fs.rm(fs.ls("/", detail=False), recursive=True)
        figures["restore"] = timed(lambda: fs.restore("two"))
        assert len(fs.find("/")) == count
        return figures


def measure_original(python: str, count: int) -> dict[str, float]:
    """The figures of chuk-virtual-fs."""
    done = subprocess.run([python, "-c", ORIGINAL, str(count)], check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def targets(original: str, count: int) -> dict[str, Callable[[], dict[str, float]]]:
    """What can be measured here."""
    found: dict[str, Callable[[], dict[str, float]]] = {}
    for protocol in ("chukmem", "chuksqlite"):
        if filesystem(
            protocol, **({"database": ":memory:"} if protocol == "chuksqlite" else {})
        ).capabilities.snapshots:
            found[protocol] = lambda protocol=protocol: measure_native(protocol, count)  # type: ignore[misc]
        else:
            say(f"{protocol} takes no snapshots of itself here; left out")
    for name, kind in TOOLS.items():
        if name == "chuksnap" or shutil.which(name):
            found[name] = lambda kind=kind: measure_tool(kind, count)  # type: ignore[misc]
        else:
            say(f"{name} is not installed; left out")
    if original:
        found["chuk-virtual-fs"] = lambda: measure_original(original, count)
    else:
        say("chuk-virtual-fs is left out; --original names a Python that has it")
    return found


def main() -> None:
    """Measure, print the tables, and keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="a multiple of 100 (default: 10,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--original", default="", metavar="PYTHON", help="a Python that has chuk-virtual-fs")
    args = parser.parse_args()
    if args.files < 100 or args.files % 100:
        parser.error("--files must be a multiple of 100")
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    works = targets(args.original, args.files)
    for number in range(args.rounds):
        for name, work in works.items():
            for figure, seconds in work().items():
                measured[name][figure].append(seconds)
            say(f"round {number + 1}: {name} " + ", ".join(f"{one} {measured[name][one][-1]:.4f} s" for one in FIGURES))
    figures: Figures = {name: dict(own) for name, own in measured.items()}
    rows = [
        [name, *(f"{sorted(own[one])[len(own[one]) // 2]:.4f}" for one in FIGURES)] for name, own in figures.items()
    ]
    say("\nseconds, median\n\n" + table(["", *FIGURES], rows))
    ours = [name for name in ("chukmem", "chuksqlite", "chuksnap") if name in figures]
    peers = [name for name in figures if name not in ours]
    for target in ours:
        ratios = [
            [peer, *(f"{ratio(figures, target, peer, one, lower_is_better=True):.1f}" for one in FIGURES)]
            for peer in peers
        ]
        say(f"\n{target}, times faster than\n\n" + table(["", *FIGURES], ratios))
    say(f"\nraw figures: {save(f'snapshot-peers-{args.files}', figures, files=args.files)}")


if __name__ == "__main__":
    sys.exit(main())
