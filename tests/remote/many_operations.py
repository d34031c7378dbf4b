"""A thousand operations on a filesystem while its network fails, and what has to be true of them.

Several workers have files of their own. Each knows what may be at a path: what it wrote last, and, after an error, what
was there before. Everything that is read has to be one of the contents that may be there, whole.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from tests.remote.faults import FaultProxy, Plan

WORKERS = 10
NAMES = 6

PATIENT = 60.0
"""Seconds for one attempt. One that is given up on a busy machine may be carried out later, over what came after it."""


def seconds_for(count: int) -> float:
    """Within which so many operations are over, unless one hangs."""
    return max(100.0, count / 5)


def content(rng: random.Random, part_size: int) -> bytes:
    """Content that differs from all others; now and then in two parts."""
    size = rng.choice([0, 10, 1000, 1000, 20_000])
    if rng.random() < 0.04:
        size = part_size + 17
    return rng.randbytes(8) + rng.randbytes(1) * size


@dataclass
class Worker:
    """One of those who work at once.

    Attributes:
        fs: the filesystem.
        root: a directory for it alone.
        rng: chooses what it does.
        part_size: of the filesystem's uploads, in bytes.
        may_be: what may be at each path; None for nothing.
        failed: how many operations ended with an error.
    """

    fs: Any
    root: str
    rng: random.Random
    part_size: int
    may_be: dict[str, set[bytes | None]] = field(default_factory=dict)
    failed: int = 0

    async def work(self, count: int) -> None:
        """Carry out so many operations."""
        acts = [self.write] * 4 + [self.create, self.read, self.read, self.read, self.copy, self.move, self.remove]
        for _ in range(count):
            path = f"{self.root}/d{self.rng.randrange(2)}/f{self.rng.randrange(NAMES)}"
            await self.rng.choice(acts)(path)

    async def write(self, path: str) -> None:
        """Make or replace a file."""
        data = content(self.rng, self.part_size)
        await self._change(self.fs._pipe_file(path, data), {path: data})

    async def create(self, path: str) -> None:
        """Make a file where there is none; a refusal is only right if there may be one."""
        data = content(self.rng, self.part_size)
        before = self._before(path)
        try:
            await self.fs._pipe_file(path, data, mode="create")
        except FileExistsError:
            assert before != {None}, f"{path}: refused, and nothing was there"
            self.may_be[path] = before - {None}
        except OSError:
            self._undecided({path: data})
        else:
            assert None in before, f"{path}: made over what was there"
            self.may_be[path] = {data}

    async def read(self, path: str) -> None:
        """Read a file, or a part of it."""
        start = self.rng.choice([0, 0, 3])
        try:
            found = await self.fs._cat_file(path, start=start)
        except FileNotFoundError:
            assert None in self._before(path), f"{path}: gone"
            self.may_be[path] = {None}
        except OSError:
            self.failed += 1
        else:
            same: set[bytes | None] = {one for one in self._before(path) if one is not None and one[start:] == found}
            assert same, f"{path}: {len(found)} bytes that nobody wrote"
            self.may_be[path] = same

    async def copy(self, path: str) -> None:
        """Copy a file over another one."""
        await self._from_to(self.fs._cp_file, path, removes=False)

    async def move(self, path: str) -> None:
        """Move a file over another one."""
        await self._from_to(self.fs._mv, path, removes=True)

    async def remove(self, path: str) -> None:
        """Remove a file."""
        await self._change(self.fs._rm_file(path), {path: None})

    async def check(self) -> None:
        """Read all files, when the network is well again."""
        for path in sorted(self.may_be):
            failed = self.failed
            await self.read(path)
            assert self.failed == failed, f"{path}: cannot be read"
        for path in await self.fs._find(self.root):
            assert self._before(path) != {None}, f"{path}: nobody wrote it"

    async def _from_to(self, act: Any, path: str, *, removes: bool) -> None:
        target = f"{self.root}/d{self.rng.randrange(2)}/f{self.rng.randrange(NAMES)}"
        if target == path:
            return
        source, there = self._before(path), self._before(target)
        try:
            await act(path, target)
        except FileNotFoundError:
            assert None in source, f"{path}: gone"
            # An attempt whose reply was lost may have moved it before.
            self.may_be[target] = there | (source if removes else set()) - {None}
            self.may_be[path] = {None}
        except OSError:
            self.failed += 1
            self.may_be[target] = there | (source - {None})
            self.may_be[path] = source | {None} if removes else source
        else:
            self.may_be[target] = source - {None}
            self.may_be[path] = {None} if removes else source - {None}

    async def _change(self, act: Any, made: dict[str, bytes | None]) -> None:
        try:
            await act
        except FileNotFoundError:
            for path, data in made.items():
                assert None in self._before(path) or data is None, f"{path}: gone"
                self.may_be[path] = self._before(path) | {None}
        except OSError:
            self._undecided(made)
        else:
            self.may_be |= {path: {data} for path, data in made.items()}

    def _undecided(self, made: dict[str, bytes | None]) -> None:
        self.failed += 1
        for path, data in made.items():
            self.may_be[path] = self._before(path) | {data}

    def _before(self, path: str) -> set[bytes | None]:
        return self.may_be.get(path, {None})


async def survive(fs: Any, proxy: FaultProxy, seed: int, count: int, part_size: int) -> None:
    """Have all workers work at once while the network fails, and check what there is when it is well again.

    Args:
        fs: the filesystem, which asks its service through the proxy.
        proxy: lets one of seven requests fail.
        seed: of what they do, and of what fails.
        count: operations of all together, of which nearly all have to succeed.
        part_size: of the filesystem's uploads, in bytes.
    """
    workers = [Worker(fs, f"/root/w{n}", random.Random(f"{seed} {n}"), part_size) for n in range(WORKERS)]
    proxy.plan = Plan(seed=seed, rate=0.15, stall=0.1)
    await asyncio.gather(*(worker.work(count // WORKERS) for worker in workers))
    proxy.plan = None
    for worker in workers:
        await worker.check()
    assert sum(worker.failed for worker in workers) < count / 20
