"""chuks3 and chukgcs beside s3fs, gcsfs and rclone: the work of the client, against one server.

    python benchmarks/bench_buckets.py               # both services
    python benchmarks/bench_buckets.py s3            # on moto
    python benchmarks/bench_buckets.py gcs           # on the server of our tests
    python benchmarks/bench_buckets.py s3 --rounds 1 --large 64 --huge 0

CPU time of the client, for the server is slower than any of them; where the machine has two processors, client and
server have one each, as two machines would. Of small objects, the targets take turns of 20 operations, so that whatever
else the machine does meets them all alike, and each works as a program does that uses one of them. Lists and moves are
by wall time too, beside rclone, whose process is measured whole. `peak` is how much memory a process of its own needs
at most, above what it had before, to send and to fetch one file, to and from a server that keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bucket_servers import BUCKET, SERVICES, Service, patterns, rclone
from measure import Figures, ratio, save, say, table

SMALL = os.urandom(1024)
BLOCK = os.urandom(1 << 20)
TOGETHER = 200
TURN = 20

Targets = dict[str, tuple[Any, str]]


def cpu_of(work: Callable[[], object]) -> float:
    """Seconds of CPU time of this process, all its threads included."""
    start = time.process_time()
    work()
    return max(time.process_time() - start, 1e-9)


def small(targets: Targets, count: int) -> Iterator[tuple[str, str, float]]:
    """Target, figure and operations a second, of small objects one at a time."""
    operations: dict[str, Callable[[Any, str], object]] = {
        "put 1 KiB": lambda fs, path: fs.pipe_file(path, SMALL),
        "get 1 KiB": lambda fs, path: fs.cat_file(path),
        "info": lambda fs, path: fs.info(path),
    }
    for name, operation in operations.items():
        seconds: dict[str, list[float]] = defaultdict(list)
        for _ in range(count // TURN):
            for target, (fs, root) in targets.items():
                for number in range(TURN):
                    path = f"{root}/small/{number}"
                    seconds[target].append(cpu_of(lambda: operation(fs, path)))  # noqa: B023 - it is called at once
        for target, values in seconds.items():
            yield target, name, 1 / statistics.median(values[count // 10 :])


def together(targets: Targets) -> Iterator[tuple[str, str, float]]:
    """The same of many small objects in one call."""
    for target, (fs, root) in targets.items():
        paths = [f"{root}/together/{number}" for number in range(TOGETHER)]
        yield target, "put 200 together", TOGETHER / cpu_of(lambda: fs.pipe(dict.fromkeys(paths, SMALL)))  # noqa: B023
        yield target, "get 200 together", TOGETHER / cpu_of(lambda: fs.cat(paths))  # noqa: B023


def large(targets: Targets, mebibytes: int) -> Iterator[tuple[str, str, float]]:
    """MiB a second of CPU time, there and back."""
    for target, (fs, root) in targets.items():
        seconds = cpu_of(lambda: send_and_fetch(fs, f"{root}/large", mebibytes))  # noqa: B023
        yield target, f"{mebibytes} MiB there and back, MiB", mebibytes / seconds


def send_and_fetch(fs: Any, path: str, mebibytes: int) -> None:
    """Write a file block by block, and download it."""
    with fs.open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(BLOCK)
    with tempfile.TemporaryDirectory() as directory:
        fs.get_file(path, f"{directory}/f")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of CPU time of this process."""
    start = time.perf_counter()
    cpu = cpu_of(work)
    return time.perf_counter() - start, cpu


def move(fs: Any, source: str, target: str, *, is_peer: bool) -> None:
    """Move a directory; by two steps with the SDK's filesystem, whose ``mv`` fails where no key marks the directory."""
    if is_peer:
        fs.copy(source, target, recursive=True)
        fs.rm(source, recursive=True)
    else:
        fs.mv(source, target, recursive=True)


def trees(service: Service, targets: Targets, url: str, keys: int, moved: int) -> Iterator[tuple[str, str, float]]:
    """Keys and objects a second, by wall and by CPU time: a long list, and a directory that is moved."""
    remote = service.remote(url)
    works: dict[str, dict[str, Callable[[], tuple[float, float]]]] = {
        f"list {keys:,} keys": {"rclone": lambda: rclone("lsf", "-R", "--fast-list", f"{remote}/many")},
        f"move {moved:,} objects": {
            "rclone": lambda: rclone("move", "--fast-list", f"{remote}/from-rclone", f"{remote}/to-rclone")
        },
    }
    lists, moves = works
    for target, (fs, root) in targets.items():
        works[lists][target] = lambda fs=fs, root=root: timed(lambda: fs.find(f"{root}/many"))  # type: ignore[misc]
        works[moves][target] = lambda fs=fs, root=root, target=target: timed(  # type: ignore[misc]
            lambda: move(fs, f"{root}/from-{target}", f"{root}/to-{target}", is_peer=target == service.peer)
        )
    for name, by_target in works.items():
        for target, work in by_target.items():
            wall, cpu = work()
            amount = keys if name == lists else moved
            yield target, f"{name}, wall", amount / wall
            yield target, f"{name}, CPU", amount / cpu


def peak(service: str, target: str, url: str, mebibytes: int) -> float:
    """MiB that a process of its own needs at most for a large file."""
    command = [sys.executable, __file__, service, "--peak-of", target, "--url", url, "--huge", str(mebibytes)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout))


def tell_peak(service: str, target: str, url: str, mebibytes: int) -> None:
    """Print what ``peak`` asks for."""
    fs, root = SERVICES[service].targets[target](url)
    fs.pipe_file(f"{root}/warm", BLOCK)
    if service == "s3":
        fs.sign(f"{root}/warm")  # makes the client for large files, with obstore too
    before = peak_so_far()
    with fs.open(f"{root}/peak", "wb") as file:
        for _ in range(mebibytes):
            file.write(BLOCK)
    fs.get_file(f"{root}/pattern/{mebibytes << 20}", os.devnull)
    say(json.dumps(max(peak_so_far() - before, 1)))


def peak_so_far() -> float:
    """MiB of memory that this process has had at most; getrusage(2) would count those of the one that started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


@contextmanager
def apart(service: Service) -> Iterator[str]:
    """The URL of a service with one processor, where this process has the others."""
    all_of_them = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, all_of_them[-1:])
    with service.serve() as url:
        os.sched_setaffinity(0, all_of_them[:-1] or all_of_them)
        yield url


def run(name: str, args: argparse.Namespace) -> Figures:
    """All figures of a service."""
    service, figures = SERVICES[name], defaultdict(lambda: defaultdict(list))  # type: Service, Figures
    with apart(service) as url:
        targets = {target: opened(url) for target, opened in service.targets.items()}
        fs, root = targets[list(targets)[-1]]
        fs.buckets.create(BUCKET)
        fs.pipe({f"{root}/many/{number % 100}/{number}": b"" for number in range(args.keys)})
        for target in (*targets, "rclone"):
            fs.pipe({f"{root}/from-{target}/{number}": b"x" for number in range(args.moved)})
        say(f"{args.keys} keys are there")
        for number in range(args.rounds):
            measured = [small(targets, args.count), together(targets)]
            if args.large:
                measured.append(large(targets, args.large))
            if number == 0:
                measured.append(trees(service, targets, url, args.keys, args.moved))
            for figures_of in measured:
                for target, figure, value in figures_of:
                    figures[target][figure].append(value)
            say(f"round {number + 1} of {args.rounds}")
    if args.huge:
        with patterns() as url:
            for target in (target for target in targets if target != service.peer):
                figures[target]["peak of memory, MiB"].append(peak(name, target, url, args.huge))
    return figures


def main() -> None:
    """Measure, print a table, and keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service", choices=SERVICES, nargs="?", help="one of them; both without it")
    parser.add_argument("--rounds", type=int, default=3, help="how many times the targets take turns")
    parser.add_argument("--count", type=int, default=200, help="operations on small objects")
    parser.add_argument("--keys", type=int, default=10_000, help="keys to list")
    parser.add_argument("--moved", type=int, default=1000, help="objects to move")
    parser.add_argument("--large", type=int, default=256, help="MiB of the large file; 0 for none")
    parser.add_argument("--huge", type=int, default=2048, help="MiB of the file that shows memory; 0 for none")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peak_of:
        tell_peak(args.service, args.peak_of, args.url, args.huge)
        return
    for service in [args.service] if args.service else SERVICES:
        show(service, run(service, args), args)


def show(service: str, figures: Figures, args: argparse.Namespace) -> None:
    """Print a table, and keep the raw figures."""
    peer, *others = SERVICES[service].targets
    rows = []
    for name in dict.fromkeys(name for by_name in figures.values() for name in by_name):
        row = [name]
        for target in (peer, *others, "rclone"):
            values = figures[target].get(name)
            shown = f"{statistics.median(values):,.0f}" if values else ""
            if values and target != peer and figures[peer].get(name):
                shown += f" ({ratio(figures, target, peer, name):.2f})"
            row.append(shown)
        rows.append(row)
    say(table(["a second", peer, *(f"{target} (ratio)" for target in (*others, "rclone"))], rows))
    load = os.getloadavg()[1]
    asked = {name: value for name, value in vars(args).items() if isinstance(value, int)}
    say(f"raw figures: {save(service, figures, load=load, **asked)}")


if __name__ == "__main__":
    main()
