"""A secured tree of three filesystems on a FUSE mount, beside a mount of bare chukmem, in one run.

    python benchmarks/bench_mounted_tree.py              # three rounds, about three minutes

The tree is ``chuksecure::chukmount`` of two chukmem and one chuklocal on /dev/shm; the work is done in the mount at the
root, in the second chukmem and in the chuklocal. Needs root and /dev/fuse. Each target is served by a process of its
own; the targets take turns. Client and servers share one CPU, since else a figure says more about the place where the
scheduler woke somebody up than about the work. Every figure is wall time of the client; above 1, the tree is ahead of
bare chukmem.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench_mount import FIGURES
from measure import Figures, ratio, table
from mounted import BARE, Measure, run, served

PLACES = {"tree: chukmem at /": "", "tree: chukmem at /data": "data", "tree: chuklocal at /host": "host"}
LIMITS = {"max_files": 10_000_000, "max_total_size": 1 << 40, "max_file_size": 1 << 40, "max_path_depth": 100}


def tree(host: str) -> dict[str, object]:
    """Storage options of the secured tree."""
    mounts = {
        "/": {"protocol": "chukmem", "options": {"name": "root"}},
        "/data": {"protocol": "chukmem", "options": {"name": "data"}},
        "/host": {"protocol": "chuklocal", "options": {"root": host}},
    }
    return {"target_protocol": "chukmount", "target_options": {"mounts": mounts}, "profile": "default", **LIMITS}


def one_round(directory: Path, measure: Measure) -> None:
    """Measure every target once."""
    bare = directory / "bare"
    with served(bare, BARE, {}):
        measure(BARE, bare)
    host = tempfile.mkdtemp(prefix="chuk-bench-", dir="/dev/shm")
    try:
        point = directory / "tree"
        with served(point, "chuksecure", tree(host)):
            for target, place in PLACES.items():
                measure(target, point / place)
    finally:
        shutil.rmtree(host)


def report(figures: Figures) -> str:
    rows = []
    for name, (label, lower) in FIGURES.items():
        best: Callable[[list[float]], float] = min if lower else max
        row = [label, f"{best(figures[BARE][name]):,.4g}"]
        row += [f"**{ratio(figures, target, BARE, name, lower_is_better=lower):.2f}**" for target in PLACES]
        rows.append(row)
    return table(["", BARE, *PLACES], rows)


if __name__ == "__main__":
    sys.exit(run("mounted-tree", __doc__, list(PLACES), one_round, report, mib=512))
