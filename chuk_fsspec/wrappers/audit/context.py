"""Who does it, and during which run: what instances say by default, and what a block of code says for itself."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NAME_MAX = 256
"""Most characters of an actor or a session."""

_overrides: ContextVar[tuple[str, str]] = ContextVar("chuk_fsspec_audit", default=("", ""))


_process_session = 0, ""


@contextmanager
def audit_context(actor: str = "", session: str = "") -> Iterator[None]:
    """Inside the block, operations of this thread or asyncio task are recorded as somebody else's.

    Args:
        actor: who does it; empty to leave it as it is.
        session: during which run; empty to leave it as it is.

    Raises:
        ValueError: for a name that is too long.
    """
    outer_actor, outer_session = _overrides.get()
    token = _overrides.set((check_name("actor", actor) or outer_actor, check_name("session", session) or outer_session))
    try:
        yield
    finally:
        _overrides.reset(token)


def identity(actor: str, session: str) -> tuple[str, str]:
    """Actor and session of an operation that happens now, where the instance says these."""
    own_actor, own_session = _overrides.get()
    return own_actor or actor, own_session or session


def check_name(what: str, name: str) -> str:
    """Return an actor or a session if it can be recorded. ValueError."""
    if len(name) > NAME_MAX:
        raise ValueError(f"{what} must be text of at most {NAME_MAX} characters")
    return name


def user_name() -> str:
    """The name of the user whose process this is; "unknown" where users have no names (Emscripten)."""
    try:
        return getpass.getuser()[:NAME_MAX]
    except (ImportError, KeyError, OSError):
        return "unknown"


def process_session() -> str:
    """The name of the run that this process is, where nobody named it; a child has another than its parent."""
    global _process_session  # noqa: PLW0603 - one run for each process
    if _process_session[0] != os.getpid():
        _process_session = os.getpid(), os.urandom(8).hex()
    return _process_session[1]
