"""What all instances on one store have in common, found by what it belongs to: fsspec makes an instance per thread."""

from __future__ import annotations

import os
import threading
import weakref
from functools import lru_cache
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import tokenize

from chuk_fsspec.wrappers.security.ledger import Ledger
from chuk_fsspec.wrappers.security.policy import Policy
from chuk_fsspec.wrappers.security.rules import Settings
from chuk_fsspec.wrappers.security.violations import ViolationLog

_ledgers: weakref.WeakValueDictionary[str, Ledger] = weakref.WeakValueDictionary()
_logs: weakref.WeakValueDictionary[tuple[str, Settings, int], ViolationLog] = weakref.WeakValueDictionary()
_lock = threading.RLock()

policy_of = lru_cache(maxsize=64)(Policy)
"""The compiled rules of some settings, with all that they have decided so far."""


def store_of(fs: AbstractFileSystem) -> str:
    """A name for the files that a filesystem shows, the same for every instance that shows them.

    Args:
        fs: any filesystem. Without an ``fsid``, one that fsspec keeps in its cache of instances is named by its class
            and arguments; any other shows files of its own.
    """
    try:
        return str(fs.fsid)
    except NotImplementedError:
        pass
    is_shared = getattr(type(fs), "_cache", {}).get(getattr(fs, "_fs_token", None)) is fs
    return tokenize(type(fs), fs.storage_args, fs.storage_options) if is_shared else f"instance-{id(fs)}"


def ledger_of(store: str, *, by_path: bool) -> Ledger:
    """The ledger of a store (``Ledger`` explains ``by_path``)."""
    with _lock:
        ledger = _ledgers.get(store)
        if ledger is None:
            ledger = _ledgers[store] = Ledger(by_path=by_path)
        return ledger


def log_of(store: str, settings: Settings, kept: int) -> ViolationLog:
    """The log of all instances with the same settings on a store, which keeps this many refusals."""
    with _lock:
        log = _logs.get((store, settings, kept))
        if log is None:
            log = _logs[store, settings, kept] = ViolationLog(kept)
        return log


def _renew(*_: Any) -> None:
    """In a child after a fork, nobody holds a lock, and nobody tells this process what the other one changes."""
    global _lock  # noqa: PLW0603 - the child is a process of its own
    _lock = threading.RLock()
    for ledger in list(_ledgers.values()):
        ledger.renew()
    for log in list(_logs.values()):
        log.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
