"""What wrappers and mounts cost, beside bare chukmem, through the fsspec API in one run.

    python benchmarks/bench_composition.py                  # 10,000 files, five rounds, about a minute
    python benchmarks/bench_composition.py --target chuksecure --files 1000

Every figure is operations per second of CPU time, each target in a fresh process, taking turns. The second table is the
price of a quota: creating files through ``chuksecure`` beside what is there already.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from typing import Any

from measure import Figures, rate, ratio, save, say, table

PER_DIRECTORY = 100
SAMPLE = 40_000
KIB = os.urandom(1024)
MOUNTS = 10
NO_LIMITS = {
    "max_files": 10_000_000,
    "max_total_size": 1 << 40,
    "max_file_size": 1 << 40,
    "max_path_depth": 100,
}
SECURE = {"profile": "default", **NO_LIMITS}
FIGURES = ("read", "info", "exists", "ls", "create")
AIMS = {"chukstream": 0.7, "chukreadonly": 0.7, "chuksecure": 0.5, "chukmount": 0.7}
QUOTA_AT = (1_000, 100_000)


def over_memory(**options: Any) -> dict[str, Any]:
    return {"target_protocol": "chukmem", **options}


def mounts(_: str = "") -> dict[str, Any]:
    """A root and nine more mounts, all chukmem."""
    points = ["/", *(f"/m{number}" for number in range(1, MOUNTS))]
    return {point: {"protocol": "chukmem", "options": {"name": f"bench{point}"}} for point in points}


TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "chukmem": ("chukmem", {}),
    "chukstream": ("chukstream", over_memory()),
    "chukreadonly": ("chukreadonly", over_memory()),
    "chuksecure": ("chuksecure", over_memory(**SECURE)),
    "chukmount": ("chukmount", {"mounts": mounts()}),
    "chuksecure::chukmount": (
        "chuksecure",
        {"target_protocol": "chukmount", "target_options": {"mounts": mounts()}, **SECURE},
    ),
    "chukaudit": ("chukaudit", over_memory()),
}


def writable(target: str, fs: Any) -> Any:
    """Where the files of a target are made: below what refuses to take any."""
    import fsspec

    return fsspec.filesystem("chukmem") if target == "chukreadonly" else fs


def paths_of(target: str, files: int) -> list[list[str]]:
    """Paths, a list for each directory; those of a mounted tree are spread over its mounts."""
    heads = ["", *(f"/m{number}" for number in range(1, MOUNTS))] if "chukmount" in target else [""]
    directories = [f"{heads[number % len(heads)]}/t/d{number:05d}" for number in range(max(files // PER_DIRECTORY, 1))]
    return [[f"{directory}/f{number:02d}" for number in range(PER_DIRECTORY)] for directory in directories]


def run(target: str, files: int) -> dict[str, float]:
    """All figures of one target, in this process."""
    import fsspec

    protocol, options = TARGETS[target]
    if target == "chukaudit":
        options = {**options, "log": os.path.join(os.environ["CHUK_BENCH_SCRATCH"], f"audit-{os.getpid()}.jsonl")}
    fs = fsspec.filesystem(protocol, **options)
    groups = paths_of(target, files)
    maker = writable(target, fs)
    for group in groups:
        for path in group:
            maker.pipe_file(path, bytes(bytearray(KIB)))
    chance = random.Random(1)  # the same for all targets
    some = [chance.choice(chance.choice(groups)) for _ in range(SAMPLE)]
    few = [chance.choice(groups)[0].rpartition("/")[0] for _ in range(SAMPLE // 100)]
    figures = {"read": rate(fs.cat_file, some)}
    figures["info"] = rate(fs.info, some[: SAMPLE // 4])
    figures["exists"] = rate(fs.exists, some[: SAMPLE // 4])
    figures["ls"] = rate(lambda path: fs.ls(path, detail=True), few)
    figures["create"] = rate(lambda number: maker.pipe_file(f"/t/d00000/new{number}", KIB), range(4000))
    return figures


def run_quota(files: int) -> dict[str, float]:
    """Creating, replacing and removing under a quota, with so many files there."""
    import fsspec

    inner = fsspec.filesystem("chukmem", name="quota")
    for number in range(files):
        inner.pipe_file(f"/t/d{number // PER_DIRECTORY}/f{number}", b"x")
    fs = fsspec.filesystem("chuksecure", fs=inner, **SECURE)
    fs.pipe_file("/t/d0/first", b"x")  # the store is counted once, when it is first needed
    count = range(4000)
    return {
        "create": rate(lambda number: fs.pipe_file(f"/t/d0/new{number}", KIB), count),
        "replace": rate(lambda number: fs.pipe_file(f"/t/d0/new{number}", b"y"), count),
        "rm": rate(lambda number: fs.rm_file(f"/t/d0/new{number}"), count),
    }


def measure(*arguments: str) -> dict[str, float]:
    """One target in a fresh process."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def report(figures: Figures) -> str:
    rows = []
    for target, values in figures.items():
        row = [target]
        for figure in FIGURES:
            row.append(f"{sorted(values[figure])[len(values[figure]) // 2]:,.4g}")
            row.append(f"**{ratio(figures, target, 'chukmem', figure):.2f}**")
        rows.append([*row, str(AIMS.get(target, ""))])
    header = ["", *(part for figure in FIGURES for part in (f"{figure} /s", ": bare")), "aim of read"]
    return table(header, rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--target", action="append", choices=[target for target in TARGETS if target != "chukmem"])
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        result = run_quota(chosen.files) if chosen.worker == "quota" else run(chosen.worker, chosen.files)
        sys.stdout.write(json.dumps(result))
        return 0
    import tempfile

    targets = ["chukmem", *(chosen.target or [target for target in TARGETS if target != "chukmem"])]
    figures: Figures = {target: {} for target in targets}
    quota: Figures = {f"{files:,} files": {} for files in QUOTA_AT}
    with tempfile.TemporaryDirectory(prefix="chuk-bench-") as scratch:
        os.environ["CHUK_BENCH_SCRATCH"] = scratch
        for number in range(chosen.rounds):
            say(f"round {number + 1} of {chosen.rounds}")
            for target in targets:
                for name, value in measure("--worker", target, "--files", str(chosen.files)).items():
                    figures[target].setdefault(name, []).append(value)
            if "chuksecure" in targets:
                for files in QUOTA_AT:
                    for name, value in measure("--worker", "quota", "--files", str(files)).items():
                        quota[f"{files:,} files"].setdefault(name, []).append(value)
    say(report(figures))
    if "chuksecure" in targets:
        few, many = quota
        rows = [[name, f"{ratio(quota, many, few, name):.2f}"] for name in ("create", "replace", "rm")]
        say("\n" + table(["under a quota", f"{many} : {few}"], rows))
    say(f"raw figures: {save('composition', {**figures, **quota}, files=chosen.files).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
