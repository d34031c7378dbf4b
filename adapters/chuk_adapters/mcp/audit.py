"""An audit trail: every call of a tool on record, in a log whose lines vouch for one another (``chukaudit``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from chuk_adapters.mcp.workspace import Record
from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.contract.paths import PATH_MAX
from chuk_fsspec.wrappers.audit.context import NAME_MAX, process_session, user_name
from chuk_fsspec.wrappers.audit.log import LogOptions, open_log
from chuk_fsspec.wrappers.audit.moment import in_utc
from chuk_fsspec.wrappers.audit.record import ALLOWED, FAILED, REFUSED, Entry

_CONTENTS = frozenset({"content", "edits"})
"""Arguments of which the details tell the length alone."""
_PATHS = frozenset({"path", "source", "destination"})
"""Arguments that stand in a field of their own, and not in the details."""

_EFFECTS = {"delete_file": Effect.DELETE, "delete_snapshot": Effect.DELETE, "move_file": Effect.RENAME}
_REFUSALS = frozenset({"EACCES", "EPERM", "EROFS"})
_CODE = re.compile(r"E[A-Z0-9]+(?=: )")
_DENIED = ("Access denied", "MCP error -32602: Tool")
_SHOWN = 1_000


class Trail:
    """Writes the records of one server. Safe to use from several threads.

    Args:
        path: a local path that ends in ``.jsonl`` or ``.db``; ``chuk-fsspec audit verify`` checks it.
        actor: who uses the server, if a client does not say its name; empty for the user of this process.

    Raises:
        ValueError: for another ending, and for a file that is no log.
        OSError: if it cannot be written.
    """

    def __init__(self, path: str, actor: str = "") -> None:
        self._log = open_log(path, LogOptions())
        self._actor = actor or user_name()

    def check_ready(self) -> None:
        """Refuse a call that could not be recorded, before anything is done. OSError."""
        self._log.check_ready()

    def add(self, record: Record) -> None:
        """Record a call that is over.

        Args:
            record: what it was.

        Raises:
            OSError: if it cannot be recorded.
        """
        arguments = record.arguments
        began = datetime.now(timezone.utc) - timedelta(seconds=record.seconds)
        entry = Entry(
            time=in_utc(began),
            actor=(record.client or self._actor)[:NAME_MAX],
            session=process_session(),
            operation=f"mcp.{record.tool[:NAME_MAX]}",
            effect=_EFFECTS.get(record.tool, Effect.WRITE if record.changes else Effect.READ).value,
            decision=_decision(record.error),
            duration=round(record.seconds, 6),
            path=_text(arguments.get("path", arguments.get("source"))),
            path2=_text(arguments.get("destination")),
            error=_error(record.error),
            detail=details(arguments),
        )
        self._log.add([entry])


def details(arguments: Mapping[str, object]) -> dict[str, str | int | bool]:
    """The arguments of a call that may be shown: no content of files, and nothing that is too long."""
    found: dict[str, str | int | bool] = {}
    for name, value in arguments.items():
        if name in _CONTENTS:
            found[f"{name} length"] = len(value) if isinstance(value, (str, list)) else 0
        elif name not in _PATHS:
            found[name[:NAME_MAX]] = value if isinstance(value, int) else str(value)[:_SHOWN]
    return found


def _decision(error: str) -> str:
    if not error:
        return ALLOWED
    return REFUSED if _error(error) in _REFUSALS or error.startswith(_DENIED) else FAILED


def _error(error: str) -> str | None:
    if not error:
        return None
    code = _CODE.match(error)
    return code[0] if code else "ToolError"


def _text(value: object) -> str | None:
    return value[:PATH_MAX] if isinstance(value, str) else None
