"""A mounted chukmem beside ``bindfs -s`` over /dev/shm, in one run.

    python benchmarks/bench_mount.py                 # three rounds, about three minutes
    python benchmarks/bench_mount.py --rounds 1 --mib 256

Needs root, /dev/fuse and bindfs. Each target is mounted by a process of its own; the targets take turns. Every figure
is wall time of the client. Ratios are medians over the rounds; above 1, the mount is ahead of bindfs.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import Figures, best_chunk, ratio, save, say, table

FILES = 5000
SERVER = """
import gc, signal, sys, fsspec
from chuk_adapters.fuse import MountOptions, mount
options = dict(pair.split("=") for pair in sys.argv[2:])
fs = fsspec.filesystem("chukmem")
mounted = mount(fs, sys.argv[1], MountOptions(
    transport=options.get("transport", "auto"),
    allow_other=options.get("allow_other") == "1",
    writeback=options.get("writeback") == "1",
))
gc.freeze()
signal.signal(signal.SIGTERM, lambda *_: mounted.unmount())
print("live", flush=True)
mounted.wait()
"""

TARGETS = {
    "bindfs -s": None,
    "kernel": [],
    "kernel, allow_other": ["allow_other=1"],
    "kernel, writeback": ["writeback=1"],
    "fusepy": ["transport=fusepy"],
}

# figure -> (how it reads, is less better)
FIGURES = {
    "create": ("create 1 KiB /s", False),
    "stat_cold": ("stat, cold /s", False),
    "missing": ("missing name /s", False),
    "read_cold": ("open + read 1 KiB, cold /s", False),
    "read_warm": ("open + read 1 KiB, warm /s", False),
    "rename": ("rename /s", False),
    "unlink": ("unlink /s", False),
    "write_big": ("write large file MB/s", False),
    "read_big": ("read large file, cold MB/s", False),
    "write_4k": ("write in 4 KiB MB/s", False),
    "untar": ("untar 5,000 files s", True),
    "list": ("ls -l of 5,000, cold s", True),
}


@contextmanager
def mounted(target: str, options: list[str] | None, directory: Path) -> Iterator[Path]:
    """Mount a target in a process of its own."""
    point = directory / target.replace(" ", "").replace(",", "-")
    point.mkdir()
    if options is None:
        source = Path(tempfile.mkdtemp(prefix="chuk-bench-", dir="/dev/shm"))
        subprocess.run(["bindfs", "-s", str(source), str(point)], check=True)
        yield point
        subprocess.run(["umount", str(point)], check=True)
        shutil.rmtree(source)
        return
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(point), *options], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "live\n", f"{target} did not mount"
    yield point
    server.send_signal(signal.SIGTERM)
    server.wait(30)


def drop_caches() -> None:
    """Make the kernel forget names and attributes, so that the next access asks the filesystem."""
    Path("/proc/sys/vm/drop_caches").write_text("2\n")


def small_files(work: Path) -> dict[str, float]:
    """Rates of single operations on 1 KiB files."""
    names = [f"{work}/file{number:05d}" for number in range(FILES)]
    data = os.urandom(1024)

    def create(name: str) -> None:
        fd = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        os.write(fd, data)
        os.close(fd)

    def read(name: str) -> None:
        fd = os.open(name, os.O_RDONLY)
        os.read(fd, 1024)
        os.close(fd)

    figures = {"create": best_chunk(create, names)}
    drop_caches()
    figures["stat_cold"] = best_chunk(os.stat, names)
    figures["missing"] = best_chunk(lambda name: os.path.exists(name + "x"), names)
    drop_caches()
    figures["read_cold"] = best_chunk(read, names)
    figures["read_warm"] = best_chunk(read, names)
    drop_caches()
    figures["list"] = seconds(["ls", "-l", str(work)])
    os.listdir(work)
    for name in names:
        os.stat(name)
    figures["rename"] = best_chunk(lambda name: os.rename(name, name + "r"), names)
    figures["unlink"] = best_chunk(lambda name: os.unlink(name + "r"), names)
    return figures


def seconds(command: list[str]) -> float:
    """Wall seconds of a command."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def big_files(work: Path, mib: int) -> dict[str, float]:
    """Throughput in MB/s."""
    big, small = work / "big", work / "small"
    megabytes = mib * 1.048576
    write = seconds(["dd", "if=/dev/zero", f"of={big}", "bs=1M", f"count={mib}", "conv=fsync"])
    fd = os.open(big, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
    read = seconds(["dd", f"if={big}", "of=/dev/null", "bs=1M"])
    write_4k = seconds(["dd", "if=/dev/zero", f"of={small}", "bs=4k", "count=16384", "conv=fsync"])
    big.unlink()
    small.unlink()
    return {"write_big": megabytes / write, "read_big": megabytes / read, "write_4k": 64 * 1.048576 / write_4k}


def make_tar(path: Path) -> None:
    """5,000 files of 1 to 6 KB in 100 directories."""
    with tarfile.open(path, "w") as tar:
        for directory in range(100):
            entry = tarfile.TarInfo(f"d{directory:03d}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
            for number in range(50):
                entry = tarfile.TarInfo(f"d{directory:03d}/f{number:02d}")
                entry.size = 1000 + number * 100
                tar.addfile(entry, io.BytesIO(os.urandom(entry.size)))


def measure(point: Path, tar: Path, mib: int) -> dict[str, float]:
    """All figures of one mounted target."""
    work = point / "work"
    work.mkdir()
    figures = small_files(work) | big_files(work, mib)
    figures["untar"] = min(untar(work / str(number), tar) for number in range(2))
    shutil.rmtree(work)
    return figures


def untar(target: Path, tar: Path) -> float:
    """Seconds to unpack the archive."""
    target.mkdir()
    return seconds(["tar", "-xf", str(tar), "-C", str(target)])


def report(figures: Figures) -> str:
    """Best figures, and ratios to bindfs."""
    others = [target for target in figures if target != "bindfs -s"]
    rows = []
    for name, (label, lower) in FIGURES.items():
        best: Callable[[list[float]], float] = min if lower else max
        row = [label, f"{best(figures['bindfs -s'][name]):,.4g}"]
        for target in others:
            row.append(f"{best(figures[target][name]):,.4g}")
            row.append(f"**{ratio(figures, target, 'bindfs -s', name, lower_is_better=lower):.2f}**")
        rows.append(row)
    header = ["", "bindfs -s", *(part for target in others for part in (target, "ratio"))]
    return table(header, rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024, help="size of the large file in MiB (default 1024)")
    parser.add_argument("--target", action="append", choices=[t for t in TARGETS if t != "bindfs -s"])
    chosen = parser.parse_args()
    missing = [
        what
        for what, there in (
            ("root", os.geteuid() == 0),
            ("/dev/fuse", Path("/dev/fuse").exists()),
            ("bindfs", shutil.which("bindfs")),
        )
        if not there
    ]
    if missing:
        say(f"bench_mount: skipped, it needs {' and '.join(missing)}")
        return 0
    targets = {t: o for t, o in TARGETS.items() if o is None or not chosen.target or t in chosen.target}
    figures: Figures = {target: {} for target in targets}
    with tempfile.TemporaryDirectory(prefix="chuk-bench-") as scratch:
        tar = Path("/dev/shm", f"chuk-bench-{os.getpid()}.tar")  # noqa: S108 - reading it must cost the same for all
        make_tar(tar)
        try:
            for number in range(chosen.rounds):
                directory = Path(scratch, str(number))
                directory.mkdir()
                for target, options in targets.items():
                    say(f"round {number + 1} of {chosen.rounds}: {target}")
                    with mounted(target, options, directory) as point:
                        for name, value in measure(point, tar, chosen.mib).items():
                            figures[target].setdefault(name, []).append(value)
        finally:
            tar.unlink()
    say(report(figures))
    say(f"raw figures: {save('mount', figures, mib=chosen.mib).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
