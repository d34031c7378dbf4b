"""A directory is swapped for a link to a secret one, over and over, while others read and write through the rules."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from chuk_fsspec.testing.checks import same_filesystem
from chuk_fsspec.wrappers.security import SecureFileSystem, SecurityViolation

SECONDS = float(os.environ.get("CHUK_SWAP_SECONDS", "1.5"))
SECRET, HARMLESS = b"secret", b"harmless"
RULES = {
    "denied": {"denied_paths": ["/secret"]},
    "hidden": {"hidden_paths": ["/secret"]},
    "not allowed": {"allowed_paths": ["/pub"]},
}

READS: list[Callable[[Any], Any]] = [
    lambda fs: fs.cat_file("/pub/d/f"),
    lambda fs: fs.open("/pub/d/f").read(),
    lambda fs: fs.cat_ranges(["/pub/d/f"], None, None)[0],
    lambda fs: fs.posix.open_handle("/pub/d/f").pread(9, 0),
    lambda fs: fs.head("/pub/d/f"),
    lambda fs: fs.find("/pub/d"),
    lambda fs: [info["name"] for info in fs.ls("/pub/d")],
    lambda fs: fs.info("/pub/d/only-secret"),
    lambda fs: fs.exists("/pub/d/only-secret"),
    lambda fs: fs.glob("/pub/*/only*"),
]
WRITES: list[Callable[[Any], Any]] = [
    lambda fs: fs.pipe_file("/pub/d/f", HARMLESS),
    lambda fs: fs.pipe_file("/pub/d/new", b"x"),
    lambda fs: fs.open("/pub/d/f", "ab").close(),
    lambda fs: fs.rm_file("/pub/d/new"),
    lambda fs: fs.mkdir("/pub/d/sub"),
    lambda fs: fs.rmdir("/pub/d/sub"),
    lambda fs: fs.posix.link("/pub/d/f", "/pub/second"),
    lambda fs: fs.mv("/pub/d/only-secret", "/pub/stolen"),
    lambda fs: fs.rm("/pub/second"),
    lambda fs: fs.posix.chmod("/pub/d/f", 0o600),
    lambda fs: fs.posix.open_handle("/pub/d/f", os.O_WRONLY).pwrite(HARMLESS, 0),
]


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_a_swap_lets_nothing_through(rules: dict[str, Any], chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/pub/d/f": HARMLESS, "/secret/f": SECRET, "/secret/only-secret": SECRET})
    chukmem.posix.symlink("/secret", "/pub/link")
    fs = SecureFileSystem(
        target_protocol="chukmem", target_options={"name": chukmem.name}, profile=rules, max_total_size=10**6
    )
    canary = secret_state(chukmem)
    stop = threading.Event()
    leaks: list[Any] = []
    outcomes: Counter[str] = Counter()

    def swap() -> None:
        while not stop.is_set():
            chukmem.posix.rename("/pub/d", "/pub/link", RENAME_EXCHANGE)

    def use(actions: list[Callable[[Any], Any]]) -> None:
        mine = same_filesystem(fs)
        while not stop.is_set():
            for action in actions:
                try:
                    result = action(mine)
                except SecurityViolation:
                    outcomes["refused"] += 1
                    continue
                except OSError as error:
                    outcomes[type(error).__name__] += 1
                    continue
                outcomes["done"] += 1
                if SECRET in repr(result).encode():
                    leaks.append(result)
                if result is True:
                    leaks.append("exists")

    users = [threading.Thread(target=use, args=(actions,)) for actions in (READS, READS, WRITES)]
    swapper = threading.Thread(target=swap)
    for thread in (*users, swapper):
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in (*users, swapper):
        thread.join()
    assert leaks == []
    assert secret_state(chukmem) == canary
    assert not chukmem.exists("/pub/stolen")
    assert outcomes["done"], outcomes
    assert outcomes["refused"] + outcomes["FileNotFoundError"], outcomes


def secret_state(fs: MemoryFileSystem) -> dict[str, Any]:
    """All that can be seen of the secret directory, from outside."""
    return {path: (fs.posix.lstat(path), fs.isfile(path) and fs.cat_file(path)) for path in fs.find("/secret")}
