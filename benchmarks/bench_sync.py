"""``chuk-fsspec sync`` of a directory beside ``cp -a`` and ``rclone sync``, as whole processes.

    python benchmarks/bench_sync.py                  # 10,000 files of 1 KiB, half a minute
    python benchmarks/bench_sync.py --rounds 5 --into /dev/shm

`first` copies everything, `again` finds nothing to do, `1 %` copies one file in a hundred. ``cp -a`` knows no
difference, and copies everything each time. The targets take turns. Wall and CPU time, of the program and what it
started. Python has compiled its modules before, as pip does it.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from measure import Figures, ratio, save, say, table

PER_DIRECTORY = 100
SIZE = 1024
PHASES = ("first", "again", "1 %")
OURS = "chuksqlite"


def commands(source: Path, place: Path) -> dict[str, list[str]]:
    """What is run for each target, in a directory that ``cp`` finds made."""
    (place / "cp").mkdir()
    sync = [sys.executable, "-m", "chuk_fsspec", "sync", str(source)]
    found = {
        OURS: [*sync, f"chuksqlite:///tree::file://{place}/w.db"],
        "chuklocal": [*sync, f"{place}/chuklocal"],
        "cp -a": ["cp", "-a", f"{source}/.", f"{place}/cp"],
    }
    if shutil.which("rclone"):
        found["rclone"] = ["rclone", "--quiet", "sync", str(source), f"{place}/rclone"]
    else:
        say("rclone is not installed; left out")
    return found


def plant(source: Path, count: int) -> None:
    """Make the files."""
    for number in range(count):
        path = source / f"d{number // PER_DIRECTORY}" / f"f{number % PER_DIRECTORY}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SIZE))


def change(source: Path, count: int) -> None:
    """Write one file in a hundred anew."""
    for number in range(0, count, 100):
        (source / f"d{number // PER_DIRECTORY}" / f"f{number % PER_DIRECTORY}").write_bytes(os.urandom(SIZE))


def environment(cache: Path) -> dict[str, str]:
    """What the commands run in, with a directory for compiled modules that they find filled."""
    own = {"RCLONE_CONFIG": os.devnull, "PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    found = {**os.environ, **own}
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "source")
        plant(source, 1)
        for command in commands(source, Path(place)).values():
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=found)
    return found


def measured(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds of wall and CPU time of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_turn(runs: dict[str, list[str]], env: dict[str, str], note: Callable[[str, float, float], None]) -> None:
    """Run each, and note what it took."""
    for name, command in runs.items():
        note(name, *measured(command, env))


def main() -> None:
    """Measure, print the tables, and keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000, help="a multiple of 100 (default: 10,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--into", default=None, metavar="DIR", help="where to work (default: that of temporary files)")
    args = parser.parse_args()
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    cache = tempfile.TemporaryDirectory()
    env = environment(Path(cache.name))
    for number in range(args.rounds):
        with tempfile.TemporaryDirectory(dir=args.into) as place:
            source = Path(place, "source")
            plant(source, args.files)
            runs = commands(source, Path(place))
            for phase in PHASES:
                if phase == "1 %":
                    change(source, args.files)

                def note(name: str, wall: float, cpu: float, phase: str = phase) -> None:
                    figures[name][f"{phase}, wall"].append(wall)
                    figures[name][f"{phase}, CPU"].append(cpu)

                in_turn(runs, env, note)
        say(f"round {number + 1} of {args.rounds}")
    report({name: dict(own) for name, own in figures.items()}, args.files)


def report(figures: Figures, count: int) -> None:
    """Print seconds and ratios."""
    names = [f"{phase}, {clock}" for phase in PHASES for clock in ("wall", "CPU")]
    rows = [[name, *(f"{statistics.median(own[one]):.2f}" for one in names)] for name, own in figures.items()]
    say("\nseconds, median\n\n" + table(["", *names], rows))
    peers = [name for name in figures if name not in (OURS, "chuklocal")]
    for target in (OURS, "chuklocal"):
        ratios = [
            [peer, *(f"{ratio(figures, target, peer, one, lower_is_better=True):.2f}" for one in names)]
            for peer in peers
        ]
        say(f"\n{target}, times faster than\n\n" + table(["", *names], ratios))
    say(f"\nraw figures: {save(f'sync-{count}', figures, files=count).name}")


if __name__ == "__main__":
    sys.exit(main())
