"""What native snapshots cost at any number of files, and what reads and writes cost beside a hundred of them.

    python benchmarks/bench_snapshots.py                                # chukmem, 100 and 10,000 files, half a minute
    python benchmarks/bench_snapshots.py --files 100 --files 1000000 --rounds 1
    python benchmarks/bench_snapshots.py --target chuksqlite --files 100 --files 10000 --files 200000

Files hold 1 KiB, 100 a directory. Between two snapshots one file is replaced, one is made, one moved and one removed.
Times are medians in milliseconds of wall time; rates are operations per second of CPU time, and the ratio is of after a
hundred snapshots to before the first one. Each target runs in a fresh process, taking turns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fsspec
from measure import Figures, rate, save, say, table

PER_DIRECTORY = 100
KIB = os.urandom(1024)
SNAPSHOTS = 100
SAMPLE = 4_000
CHANGED = 0.01
TARGETS = ("chukmem", "chuksqlite")
TIMES = ("take", "restore", "restore and look", "open the past", "delete")
RATES = ("read", "info", "overwrite", "create", "rename")


def milliseconds(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """The median of how long each item takes."""
    times = []
    for item in items:
        start = time.perf_counter()
        work(item)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def open_target(name: str, place: str) -> Any:
    options = {"database": str(Path(place) / "bench.db")} if name == "chuksqlite" else {}
    return fsspec.filesystem(name, skip_instance_cache=True, **options)


def rates(fs: Any, paths: list[str], turn: str) -> dict[str, float]:
    chance = random.Random(1)
    some = [chance.choice(paths) for _ in range(SAMPLE)]
    fs.mkdir(f"/{turn}")
    made = [f"/{turn}/{number}" for number in range(SAMPLE)]
    return {
        "read": rate(fs.cat_file, some),
        "info": rate(fs.info, some),
        "overwrite": rate(lambda path: fs.pipe_file(path, KIB), some),
        "create": rate(lambda path: fs.pipe_file(path, KIB), made),
        "rename": rate(lambda path: fs.mv(path, path + "-moved"), made),
    }


def change_a_little(fs: Any, paths: list[str], number: int) -> None:
    fs.pipe_file(paths[number % len(paths)], b"%d" % number)
    fs.pipe_file(f"/made{number}", b"new")
    if number:
        fs.mv(f"/made{number - 1}", f"/moved{number - 1}")
    if number > 1:
        fs.rm_file(f"/moved{number - 2}")


def run(name: str, files: int, place: str) -> dict[str, float]:
    """All figures of one target, in this process."""
    fs = open_target(name, place)
    directories = [f"/t/d{number:05d}" for number in range(max(files // PER_DIRECTORY, 1))]
    paths = [f"{directory}/f{number:02d}" for directory in directories for number in range(PER_DIRECTORY)]
    for start in range(0, len(paths), PER_DIRECTORY):
        fs.makedirs(directories[start // PER_DIRECTORY])
        with fs.transaction:
            fs.pipe({path: bytes(bytearray(KIB)) for path in paths[start : start + PER_DIRECTORY]})
    figures: dict[str, float] = {}
    rates(fs, paths, "warm")
    before = rates(fs, paths, "before")
    takes = []
    for number in range(SNAPSHOTS):
        change_a_little(fs, paths, number)
        takes.append(milliseconds(fs.snapshots.create, [f"s{number}"]))
    figures["take"] = statistics.median(takes)
    after = rates(fs, paths, "after")
    for figure, value in after.items():
        figures[figure] = value
        figures[f"{figure} ratio"] = value / before[figure]
    changed = paths[:: int(1 / CHANGED)]
    restores, looks = [], []
    for number in range(5):
        for path in changed:
            fs.pipe_file(path, b"%d" % number)
        start = time.perf_counter()
        fs.snapshots.restore("s99")
        restores.append(time.perf_counter() - start)
        for path in changed:
            fs.info(path)
        looks.append(time.perf_counter() - start)
    figures["restore"] = statistics.median(restores) * 1000
    figures["restore and look"] = statistics.median(looks) * 1000
    figures["open the past"] = milliseconds(lambda number: fs.snapshots.at(f"s{number}").info("/"), range(SNAPSHOTS))
    figures["delete"] = milliseconds(fs.snapshots.delete, [f"s{number}" for number in range(SNAPSHOTS)])
    return figures


def measure(name: str, files: int) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, "--worker", name, "--files", str(files)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def report(figures: Figures) -> str:
    def middle(values: list[float]) -> str:
        return f"{statistics.median(values):,.4g}"

    rows = [[f"{figure}, ms", *(middle(of[figure]) for of in figures.values())] for figure in TIMES]
    for figure in RATES:
        rows.append([f"{figure}, /s", *(middle(of[figure]) for of in figures.values())])
        rows.append([f"{figure}, after : before", *(middle(of[f"{figure} ratio"]) for of in figures.values())])
    return table(["", *figures], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--target", action="append", choices=TARGETS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        with tempfile.TemporaryDirectory() as place:
            sys.stdout.write(json.dumps(run(chosen.worker, chosen.files[0], place)))
        return 0
    figures: Figures = {}
    targets, sizes = chosen.target or ["chukmem"], chosen.files or [100, 10_000]
    for number in range(chosen.rounds):
        for target in targets:
            for files in sizes:
                say(f"round {number + 1} of {chosen.rounds}: {target}, {files:,} files")
                of = figures.setdefault(f"{target}, {files:,} files", {})
                for name, value in measure(target, files).items():
                    of.setdefault(name, []).append(value)
    say(report(figures))
    name = "-".join(["snapshots", *targets, *map(str, sizes)])
    say(f"raw figures: {save(name, figures, snapshots=SNAPSHOTS).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
