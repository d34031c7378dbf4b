"""A mounted chuks3 beside ``rclone mount`` and fsspec's own ``fsspec.fuse`` over s3fs, all far from their server.

    python benchmarks/bench_slow_mount.py                   # 50 ms, 20 MB/s a connection; half an hour
    python benchmarks/bench_slow_mount.py --target chuks3 --rounds 1 --mib 16

Needs root, /dev/fuse and rclone. The server is moto, behind a proxy (``far_away.py``) that lets every request wait.
Each target is mounted by a process of its own; the targets take turns. Every figure is wall seconds of the client, with
the requests that were made for it; ratios are medians over the rounds, above 1 the mount of chuks3 is ahead. What a
target cannot do is left out.

Names are believed for a second by ours and for five minutes by rclone, unless they are told otherwise, so each is
measured with the other's time too.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
from bench_mount import drop_caches
from bucket_servers import KEYS, REGION
from measure import Figures, ratio, save, say, table

BUCKET = "bench"
OWN, OWN_LONG = "chuks3", "chuks3, 5 minutes"
STALLED = 12
STALL = 15.0
PATIENCE = 300
"""Seconds that a program may take."""
AGE = 1.2
"""Seconds after which nobody believes what was heard before, unless longer than its default."""

CHUK = """
import signal, sys, fsspec
from chuk_adapters.fuse import MountOptions, mount
fs = fsspec.filesystem("chuks3", bucket_name=sys.argv[2], endpoint_url=sys.argv[3], key="AKIATEST", secret="secret",
                       region="us-east-1")
mounted = mount(fs, sys.argv[1], MountOptions(cache_timeout=float(sys.argv[4]) if sys.argv[4:] else None))
signal.signal(signal.SIGTERM, lambda *_: mounted.unmount())
mounted.wait()
"""
PLAIN = """
import sys, fsspec, mfusepy
sys.modules["fuse"] = mfusepy
from fsspec.fuse import run
fs = fsspec.filesystem("s3", endpoint_url=sys.argv[3], key="AKIATEST", secret="secret",
                       client_kwargs={"region_name": "us-east-1"})
run(fs, sys.argv[2], sys.argv[1], foreground=True, threads=False)
"""
RCLONE = ["rclone", "mount", f"far:{BUCKET}", "{point}", "--config", "/dev/null", "--vfs-cache-mode"]

TARGETS: dict[str, list[str]] = {
    OWN: [sys.executable, "-c", CHUK, "{point}", BUCKET, "{url}"],
    OWN_LONG: [sys.executable, "-c", CHUK, "{point}", BUCKET, "{url}", "300"],
    "rclone, 1 second": [*RCLONE, "off", "--dir-cache-time", "1s"],
    "rclone": [*RCLONE, "off"],
    "rclone, full cache": [*RCLONE, "full", "--cache-dir", "{cache}"],
    "fsspec.fuse, s3fs": [sys.executable, "-c", PLAIN, "{point}", BUCKET, "{url}"],
}

ALIKE = {OWN: "rclone, 1 second", OWN_LONG: "rclone"}
"""Ours, and who believes names for as long."""


@contextmanager
def far_away(url: str, log: Path, latency: float, rate: float) -> Iterator[str]:
    """The URL of a server, seen from far away."""
    with program("far_away.py", str(urlsplit(url).port), str(log), str(latency), str(rate), str(STALL)) as far:
        yield far


@contextmanager
def program(name: str, *arguments: str) -> Iterator[str]:
    """The URL that a server prints which lies beside this file."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextmanager
def mounted(target: str, url: str, scratch: Path) -> Iterator[Path]:
    """Mount a target in a process of its own."""
    point, cache = scratch / "mnt", scratch / "cache"
    point.mkdir(parents=True)
    there = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": url, "ACCESS_KEY_ID": "AKIATEST", "REGION": "us-east-1"}
    environment = {f"RCLONE_CONFIG_FAR_{name}": value for name, value in there.items()}
    environment |= {"RCLONE_CONFIG_FAR_SECRET_ACCESS_KEY": "secret"}
    command = [part.format(point=point, url=url, cache=cache) if "{" in part[:1] else part for part in TARGETS[target]]
    # rclone refuses to work where the SDK of Amazon is told of certificates.
    environment = {**os.environ, **environment}
    environment.pop("AWS_CA_BUNDLE", None)
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        while not os.path.ismount(point):
            assert server.poll() is None, f"{target} did not mount"
            time.sleep(0.05)
        try:
            yield point
        finally:
            subprocess.run(["umount", "-l", str(point)], check=False)
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def fill(url: str, mib: int, scratch: Path) -> None:
    """What is there before anything is measured."""
    fs = fsspec.filesystem("chuks3", endpoint_url=url, region=REGION, **KEYS)
    if fs.exists(f"/{BUCKET}"):
        fs.rm(f"/{BUCKET}", recursive=True)
    fs.mkdir(f"/{BUCKET}")
    top = f"/{BUCKET}"
    small = os.urandom(1000)
    for count in (200, 1000):
        fs.pipe({f"{top}/list{count}/{number:04d}": small for number in range(count)})
    fs.pipe({f"{top}/tree/{number % 20:02d}/{number}": small for number in range(200)})
    fs.pipe({f"{top}/other/{number}": small for number in range(100)})
    fs.pipe({f"{top}/late/stall{number}": small for number in range(STALLED)})
    fs.pipe_file(f"{top}/big", os.urandom(mib << 20))
    repository = scratch / "repository"
    repository.mkdir()
    for number in range(200):
        (repository / f"file{number}").write_bytes(small + b"%d" % number)
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-C", str(repository)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "config", "core.fileMode", "false"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    shutil.rmtree(repository / ".git" / "hooks")
    fs.put(str(repository), f"{top}/", recursive=True)


def measure(point: Path, mib: int, requests: Callable[[], int]) -> Iterator[tuple[str, float, int]]:
    """The figures of one mounted target: name, seconds, requests."""
    source = Path(tempfile.mkdtemp(dir="/dev/shm"))
    for number in range(100):
        (source / str(number)).write_bytes(os.urandom(1000))

    def figure(name: str, work: Callable[[], object]) -> Iterator[tuple[str, float, int]]:
        time.sleep(AGE)
        drop_caches()
        before, start = requests(), time.perf_counter()
        try:
            work()
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{name}: {error}")
        else:
            yield name, time.perf_counter() - start, requests() - before

    def run(*command: str) -> Callable[[], object]:
        return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    big = point / "big"
    yield from figure("ls -l of 200", run("ls", "-l", str(point / "list200")))
    yield from figure("ls -l of 1,000", run("ls", "-l", str(point / "list1000")))
    yield from figure("find in 20 directories", run("find", str(point / "tree"), "-size", "+1k"))
    yield from figure("stat of 20 files", lambda: [os.stat(point / "other" / str(number)) for number in range(20)])
    yield from figure(f"cat {mib} MiB", run("cat", str(big)))
    yield from figure("4 KiB at 20 places", lambda: read_at(big, 20))
    yield from figure("the end of a file", lambda: read_footer(big))
    yield from figure("cat of 20 small files", run("cat", *(str(point / "other" / str(20 + n)) for n in range(20))))
    yield from figure("cp 100 small files in", run("cp", "-r", str(source), str(point / "copied")))
    status = run("git", "-c", "safe.directory=*", "-C", str(point / "repository"), "status", "--porcelain")
    yield from figure("git status of 200", status)
    yield from figure("git status again", status)
    yield from figure("stat during cat", lambda: stat_beside(["cat", str(big)], [point / "other" / str(60)]))
    stalled = [str(point / "late" / f"stall{number}") for number in range(STALLED)]
    script = " & ".join(f"cat {name}" for name in stalled)
    beside = [point / "other" / str(number) for number in range(70, 75)]
    yield from figure(
        f"stat while {STALLED} reads stall", lambda: stat_beside(["sh", "-c", script + " & wait"], beside)
    )
    shutil.rmtree(source)


def read_at(path: Path, count: int) -> None:
    """Single pages of a file."""
    size = path.stat().st_size
    chosen = random.Random(1)
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for _ in range(count):
            os.pread(file.fileno(), 4096, chosen.randrange(size // 4096) * 4096)


def read_footer(path: Path) -> None:
    """What a reader of Parquet does first: how long the end is, then the end, then the begin."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        file.read()
        file.seek(-(48 << 10), os.SEEK_END)
        file.read()
        file.seek(0)
        file.read(4)


def stat_beside(command: list[str], paths: list[Path]) -> None:
    """Look at files while a program works on the mount; only the looking is to be waited for."""
    program = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    time.sleep(0.5)
    for path in paths:
        os.stat(path)
    os.killpg(program.pid, signal.SIGTERM)


def report(figures: Figures) -> str:
    """Seconds and requests of each target, and ratios of ours to those who believe names for as long."""
    pairs = [(own, peer) for own, peer in ALIKE.items() if own in figures and peer in figures]
    names = dict.fromkeys(name for target in figures.values() for name in target if not name.endswith(", requests"))
    rows = []
    for name in names:
        row = [name]
        for target in figures:
            taken = figures[target].get(name)
            asked = figures[target].get(f"{name}, requests")
            row.append(f"{statistics.median(taken):.2f} s, {statistics.median(asked):.0f}" if taken and asked else "-")
        row += [f"**{ratio(figures, own, peer, name, lower_is_better=True):.2f}**" for own, peer in pairs]
        rows.append(row)
    return table(["seconds, requests", *figures, *(f"{own} : {peer}" for own, peer in pairs)], rows)


def main() -> int:
    """Measure, print a table, and keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=100, help="size of the large file in MiB")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds that each request waits")
    parser.add_argument("--rate", type=float, default=20e6, help="bytes a second of one connection; 0 for no limit")
    parser.add_argument("--target", action="append", choices=list(TARGETS))
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not Path("/dev/fuse").exists() or shutil.which("rclone") is None:
        say("bench_slow_mount: skipped, it needs root, /dev/fuse and rclone")
        return 0
    figures: Figures = {target: {} for target in chosen.target or TARGETS}
    with tempfile.TemporaryDirectory(prefix="chuk-bench-") as directory, program("s3_server.py") as server:
        scratch = Path(directory)
        log = scratch / "requests"
        log.touch()
        with far_away(server, log, chosen.latency, chosen.rate) as url:
            for number in range(chosen.rounds):
                for target in figures:
                    place = scratch / f"{number}-{target.replace(' ', '').replace(',', '')}"
                    place.mkdir()
                    fill(server, chosen.mib, place)
                    with mounted(target, url, place) as point:
                        for name, taken, asked in measure(point, chosen.mib, lambda: log.read_bytes().count(b"\n")):
                            say(f"round {number + 1}, {target}: {name}: {taken:.2f} s, {asked} requests")
                            figures[target].setdefault(name, []).append(taken)
                            figures[target].setdefault(f"{name}, requests", []).append(asked)
    say(report(figures))
    about = {"mebibytes": chosen.mib, "latency": chosen.latency, "bytes_a_second": chosen.rate}
    say(f"raw figures: {save('slow-mount', figures, **about).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
