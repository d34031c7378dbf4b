"""chukmem through the fsspec API beside fsspec's ``memory`` and the limit of plain Python, in one run.

    python benchmarks/bench_memory.py                       # 10,000 files, three rounds, under a minute
    python benchmarks/bench_memory.py --files 1000 --files 1000000 --target chukmem

Files hold 1 KiB, 100 a directory. Every figure is operations per second of CPU time, each target in a fresh process,
taking turns. "nested dicts" does the least that a tree of files can do and has no fsspec around it: the limit to hold
against.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from measure import Figures, rate, ratio, save, say, table

PER_DIRECTORY = 100
KIB = os.urandom(1024)
SAMPLE = 20_000
FIGURES = ("fill", "create", "overwrite", "read", "info", "ls", "find", "rename", "rm")
SLOW = {"memory": ("rename", "rm")}
"""fsspec's memory takes minutes for these at 10,000 files."""


class Target(Protocol):
    """What is measured; paths are absolute."""

    def mkdir(self, path: str) -> object: ...
    def pipe_file(self, path: str, value: bytes) -> object: ...
    def cat_file(self, path: str) -> object: ...
    def info(self, path: str) -> object: ...
    def ls(self, path: str, detail: bool) -> object: ...
    def find(self, path: str) -> Any: ...
    def mv(self, path1: str, path2: str, recursive: bool) -> object: ...
    def rm(self, path: str, recursive: bool) -> object: ...


class Node:
    """A file or directory of ``NestedDicts``."""

    __slots__ = ("content", "mtime")

    def __init__(self, content: Any) -> None:
        self.content, self.mtime = content, time.time()


class NestedDicts:
    """The least that keeps files in a tree."""

    def __init__(self) -> None:
        self.root = Node({})

    def node(self, path: str) -> Node:
        node = self.root
        for name in path.split("/")[1:]:
            node = node.content[name]
        return node

    def place(self, path: str) -> tuple[dict[str, Node], str]:
        parent, _, name = path.rpartition("/")
        return (self.node(parent) if parent else self.root).content, name

    def mkdir(self, path: str) -> None:
        entries, name = self.place(path)
        entries[name] = Node({})

    def pipe_file(self, path: str, value: bytes) -> None:
        entries, name = self.place(path)
        entries[name] = Node(value)

    def cat_file(self, path: str) -> bytes:
        content: bytes = self.node(path).content
        return content

    def info(self, path: str) -> dict[str, Any]:
        node = self.node(path)
        return {"name": path, "size": len(node.content), "type": "file", "mtime": node.mtime}

    def ls(self, path: str, detail: bool) -> list[dict[str, Any]]:
        return [
            {"name": f"{path}/{name}", "size": len(node.content), "type": "file", "mtime": node.mtime}
            for name, node in self.node(path).content.items()
        ]

    def find(self, path: str) -> list[str]:
        found, pending = [], [(path, self.node(path))]
        while pending:
            above, node = pending.pop()
            for name, child in node.content.items():
                below = f"{above}/{name}"
                if isinstance(child.content, dict):
                    pending.append((below, child))
                else:
                    found.append(below)
        return sorted(found)

    def mv(self, path1: str, path2: str, recursive: bool) -> None:
        entries, name = self.place(path1)
        target, new_name = self.place(path2)
        target[new_name] = entries.pop(name)

    def rm(self, path: str, recursive: bool) -> None:
        entries, name = self.place(path)
        del entries[name]


def open_target(name: str) -> Target:
    if name == "nested dicts":
        return NestedDicts()
    import fsspec

    fs: Target = fsspec.filesystem(name, skip_instance_cache=True)
    return fs


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run(name: str, files: int) -> dict[str, float]:
    """All figures of one target, in this process."""
    fs = open_target(name)
    directories = [f"/t/d{number:05d}" for number in range(max(files // PER_DIRECTORY, 1))]
    paths = [f"{directory}/f{number:02d}" for directory in directories for number in range(PER_DIRECTORY)]
    chance = random.Random(1)  # the same for all targets
    some = [chance.choice(paths) for _ in range(SAMPLE)]
    some_directories = [chance.choice(directories) for _ in range(SAMPLE // 20)]
    fs.mkdir("/t")
    before = resident_bytes()
    figures = {}
    start = time.process_time()
    for directory in directories:
        fs.mkdir(directory)
        for path in (f"{directory}/f{number:02d}" for number in range(PER_DIRECTORY)):
            fs.pipe_file(path, bytes(bytearray(KIB)))
    figures["fill"] = len(paths) / (time.process_time() - start)
    figures["bytes_per_file"] = (resident_bytes() - before) / len(paths)
    fs.mkdir("/x")
    figures["create"] = rate(lambda number: fs.pipe_file(f"/x/f{number:04d}", KIB), range(2000))
    figures["overwrite"] = rate(lambda path: fs.pipe_file(path, KIB), some[:4000])
    figures["read"] = rate(fs.cat_file, some)
    few = name == "memory"  # whose info and ls look at every file
    figures["info"] = rate(fs.info, some[:200] if few else some)
    figures["ls"] = rate(lambda path: fs.ls(path, detail=True), some_directories[:100] if few else some_directories)
    figures["find"] = rate(fs.find, ["/t"])
    for figure, work in (
        ("rename", lambda _: fs.mv("/t", "/u", recursive=True)),
        ("rm", lambda _: fs.rm("/u", recursive=True)),
    ):
        if figure not in SLOW.get(name, ()):
            figures[figure] = rate(work, [None])
    return figures


def measure(name: str, files: int) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, __file__, "--worker", name, "--files", str(files)]
    done = subprocess.run(command, check=True, capture_output=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def report(figures: Figures, targets: list[str]) -> str:
    rows = []
    for figure in (*FIGURES, "bytes_per_file"):
        row = [figure]
        for target in targets:
            values = figures[target].get(figure)
            row.append(f"{sorted(values)[len(values) // 2]:,.4g}" if values else "-")
        row += [f"{ratio(figures, 'chukmem', peer, figure):.2f}" for peer in targets if peer != "chukmem"]
        rows.append(row)
    return table(["", *targets, *(f"chukmem : {peer}" for peer in targets if peer != "chukmem")], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--target", action="append", choices=["nested dicts", "memory", "chukmem"])
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        sys.stdout.write(json.dumps(run(chosen.worker, chosen.files[0])))
        return 0
    targets = chosen.target or ["nested dicts", "memory", "chukmem"]
    for files in chosen.files or [10_000]:
        figures: Figures = {target: {} for target in targets}
        for number in range(chosen.rounds):
            for target in targets:
                say(f"{files:,} files, round {number + 1} of {chosen.rounds}: {target}")
                for name, value in measure(target, files).items():
                    figures[target].setdefault(name, []).append(value)
        say(report(figures, targets))
        say(f"raw figures: {save(f'memory-{files}', figures, files=files).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
