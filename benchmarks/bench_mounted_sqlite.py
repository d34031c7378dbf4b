"""A mounted chuksqlite beside a mounted chukmem, in one run.

    python benchmarks/bench_mounted_sqlite.py            # three rounds, about two minutes

The database is on /dev/shm. Needs root and /dev/fuse. Each target is served by a process of its own; the targets take
turns, and share one CPU with their client. Every figure is wall time of the client; above 1, chuksqlite is ahead.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench_mount import FIGURES, make_tar
from bench_mount import measure as measure_directory
from bench_mounted_tree import served
from measure import Figures, ratio, save, say, table

BARE, OURS = "chukmem", "chuksqlite"


def one_round(directory: Path, tar: Path, mib: int, figures: Figures) -> None:
    """Measure both once."""
    with tempfile.TemporaryDirectory(prefix="chuk-bench-", dir="/dev/shm") as shm:
        for target, options in ((BARE, {}), (OURS, {"database": str(Path(shm, "w.db"))})):
            say(f"  {target}")
            point = directory / target
            with served(point, target, options):
                for name, value in measure_directory(point, tar, mib).items():
                    figures[target].setdefault(name, []).append(value)


def report(figures: Figures) -> str:
    rows = []
    for name, (label, lower) in FIGURES.items():
        best: Callable[[list[float]], float] = min if lower else max
        values = [f"{best(figures[target][name]):,.4g}" for target in (BARE, OURS)]
        rows.append([label, *values, f"**{ratio(figures, OURS, BARE, name, lower_is_better=lower):.2f}**"])
    return table(["", BARE, OURS, ": chukmem"], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=256, help="size of the large file in MiB (default 256)")
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        say("bench_mounted_sqlite: skipped, it needs root and /dev/fuse")
        return 0
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figures: Figures = {target: {} for target in (BARE, OURS)}
    with tempfile.TemporaryDirectory(prefix="chuk-bench-") as scratch:
        tar = Path("/dev/shm", f"chuk-bench-{os.getpid()}.tar")  # noqa: S108 - reading it must cost the same for all
        make_tar(tar)
        try:
            for number in range(chosen.rounds):
                say(f"round {number + 1} of {chosen.rounds}")
                one_round(Path(scratch, str(number)), tar, chosen.mib, figures)
        finally:
            tar.unlink()
    say(report(figures))
    say(f"raw figures: {save('mounted-sqlite', figures, mib=chosen.mib).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
