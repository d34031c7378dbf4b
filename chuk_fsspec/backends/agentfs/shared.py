"""One store for all filesystem objects of a process that read the same file."""

from __future__ import annotations

import os
import threading
import weakref

from chuk_fsspec.backends.agentfs.store import AgentStore
from chuk_fsspec.engine.shared import SharedState

_states: weakref.WeakValueDictionary[str, SharedState] = weakref.WeakValueDictionary()
_states_lock = threading.RLock()


def shared_state(path: str) -> SharedState:
    """What all views of the database at a path have in common; it is opened if nobody has it open.

    Raises:
        NotAgentFSError: if it is not an AgentFS database.
        OSError: if it cannot be read.
    """
    with _states_lock:
        state = _states.get(path)
        if state is None:
            state = _states[path] = SharedState(AgentStore(path))
        return state


def _renew_lock() -> None:
    global _states_lock  # noqa: PLW0603 - after a fork, a thread that the child does not have may hold it
    _states_lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
