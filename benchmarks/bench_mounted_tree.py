"""A secured tree of three filesystems on a FUSE mount, beside a mount of bare chukmem, in one run.

    python benchmarks/bench_mounted_tree.py              # three rounds, about three minutes

The tree is ``chuksecure::chukmount`` of two chukmem and one chuklocal on /dev/shm; the work is done in the mount at the
root, in the second chukmem and in the chuklocal. Needs root and /dev/fuse. Each target is served by a process of its
own; the targets take turns. Client and servers share one CPU, since else a figure says more about the place where the
scheduler woke somebody up than about the work. Every figure is wall time of the client; above 1, the tree is ahead of
bare chukmem.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_mount import FIGURES, make_tar
from bench_mount import measure as measure_directory
from measure import Figures, ratio, save, say, table

SERVER = """
import gc, json, signal, sys, fsspec
from chuk_adapters.fuse import mount
fs = fsspec.filesystem(sys.argv[2], **json.loads(sys.argv[3]))
mounted = mount(fs, sys.argv[1])
gc.freeze()
signal.signal(signal.SIGTERM, lambda *_: mounted.unmount())
print("live", flush=True)
mounted.wait()
"""
BARE = "chukmem"
PLACES = {"tree: chukmem at /": "", "tree: chukmem at /data": "data", "tree: chuklocal at /host": "host"}
LIMITS = {"max_files": 10_000_000, "max_total_size": 1 << 40, "max_file_size": 1 << 40, "max_path_depth": 100}


@contextmanager
def served(point: Path, protocol: str, options: dict[str, object]) -> Iterator[None]:
    """Mount a filesystem in a process of its own."""
    import json

    point.mkdir(parents=True)
    command = [sys.executable, "-c", SERVER, str(point), protocol, json.dumps(options)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "live\n", f"{protocol} did not mount"
    yield
    server.send_signal(signal.SIGTERM)
    server.wait(30)


def tree(host: str) -> dict[str, object]:
    """Storage options of the secured tree."""
    mounts = {
        "/": {"protocol": "chukmem", "options": {"name": "root"}},
        "/data": {"protocol": "chukmem", "options": {"name": "data"}},
        "/host": {"protocol": "chuklocal", "options": {"root": host}},
    }
    return {"target_protocol": "chukmount", "target_options": {"mounts": mounts}, "profile": "default", **LIMITS}


def one_round(directory: Path, tar: Path, mib: int, figures: Figures) -> None:
    """Measure every target once."""
    bare = directory / "bare"
    say(f"  {BARE}")
    with served(bare, "chukmem", {}):
        _note(figures, BARE, measure_directory(bare, tar, mib))
    host = tempfile.mkdtemp(prefix="chuk-bench-", dir="/dev/shm")
    try:
        point = directory / "tree"
        with served(point, "chuksecure", tree(host)):
            for target, place in PLACES.items():
                say(f"  {target}")
                _note(figures, target, measure_directory(point / place, tar, mib))
    finally:
        shutil.rmtree(host)


def _note(figures: Figures, target: str, values: dict[str, float]) -> None:
    for name, value in values.items():
        figures[target].setdefault(name, []).append(value)


def report(figures: Figures) -> str:
    rows = []
    for name, (label, lower) in FIGURES.items():
        best: Callable[[list[float]], float] = min if lower else max
        row = [label, f"{best(figures[BARE][name]):,.4g}"]
        row += [f"**{ratio(figures, target, BARE, name, lower_is_better=lower):.2f}**" for target in PLACES]
        rows.append(row)
    return table(["", BARE, *PLACES], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=512, help="size of the large file in MiB (default 512)")
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        say("bench_mounted_tree: skipped, it needs root and /dev/fuse")
        return 0
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figures: Figures = {target: {} for target in (BARE, *PLACES)}
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
    say(f"raw figures: {save('mounted-tree', figures, mib=chosen.mib).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
