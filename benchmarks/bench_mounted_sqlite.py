"""A mounted chuksqlite beside a mounted chukmem, in one run.

    python benchmarks/bench_mounted_sqlite.py            # three rounds, about two minutes

The database is on /dev/shm. Needs root and /dev/fuse. Each target is served by a process of its own; the targets take
turns, and share one CPU with their client. Every figure is wall time of the client; above 1, chuksqlite is ahead.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench_mount import FIGURES
from measure import Figures, ratio, table
from mounted import BARE, Measure, run, served

OURS = "chuksqlite"


def one_round(directory: Path, measure: Measure) -> None:
    """Measure both once."""
    with tempfile.TemporaryDirectory(prefix="chuk-bench-", dir="/dev/shm") as shm:
        for target, options in ((BARE, {}), (OURS, {"database": str(Path(shm, "w.db"))})):
            point = directory / target
            with served(point, target, options):
                measure(target, point)


def report(figures: Figures) -> str:
    rows = []
    for name, (label, lower) in FIGURES.items():
        best: Callable[[list[float]], float] = min if lower else max
        values = [f"{best(figures[target][name]):,.4g}" for target in (BARE, OURS)]
        rows.append([label, *values, f"**{ratio(figures, OURS, BARE, name, lower_is_better=lower):.2f}**"])
    return table(["", BARE, OURS, ": chukmem"], rows)


if __name__ == "__main__":
    sys.exit(run("mounted-sqlite", __doc__, [OURS], one_round, report, mib=256))
