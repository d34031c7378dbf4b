"""Mounts beside a mount of bare chukmem: each served by a process of its own, all measured in turn."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench_mount import make_tar
from bench_mount import measure as measure_directory
from measure import Figures, save, say

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

Measure = Callable[[str, Path], None]
"""Measures a directory for a target, and notes what comes out."""


@contextmanager
def served(point: Path, protocol: str, options: Mapping[str, object]) -> Iterator[None]:
    """Mount a filesystem in a process of its own."""
    point.mkdir(parents=True)
    command = [sys.executable, "-c", SERVER, str(point), protocol, json.dumps(dict(options))]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "live\n", f"{protocol} did not mount"
    yield
    server.send_signal(signal.SIGTERM)
    server.wait(30)


def run(
    name: str,
    about: str | None,
    targets: Sequence[str],
    one_round: Callable[[Path, Measure], None],
    report: Callable[[Figures], str],
    *,
    mib: int,
) -> int:
    """The command line of such a benchmark.

    Args:
        name: of the file with the raw figures; the script is called after it.
        about: what the script does.
        targets: what is measured beside ``BARE``.
        one_round: mounts every target below a directory, and has it measured.
        report: what is shown in the end.
        mib: size of the large file unless told otherwise.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=mib, help=f"size of the large file in MiB (default {mib})")
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        say(f"bench_{name.replace('-', '_')}: skipped, it needs root and /dev/fuse")
        return 0
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figures: Figures = {target: {} for target in (BARE, *targets)}
    with tempfile.TemporaryDirectory(prefix="chuk-bench-") as scratch:
        tar = Path("/dev/shm", f"chuk-bench-{os.getpid()}.tar")  # noqa: S108 - reading it must cost the same for all
        make_tar(tar)

        def measure(target: str, directory: Path) -> None:
            say(f"  {target}")
            for figure, value in measure_directory(directory, tar, chosen.mib).items():
                figures[target].setdefault(figure, []).append(value)

        try:
            for number in range(chosen.rounds):
                say(f"round {number + 1} of {chosen.rounds}")
                one_round(Path(scratch, str(number)), measure)
        finally:
            tar.unlink()
    say(report(figures))
    say(f"raw figures: {save(name, figures, mib=chosen.mib).name}")
    return 0
