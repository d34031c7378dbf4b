"""Tools for points in time to look at and to go back to."""

from __future__ import annotations

import errno
import shutil
import tempfile
from datetime import datetime, timezone

from chuk_adapters.mcp.call import Call, CallProgress
from chuk_adapters.mcp.changelists import ARGUMENTS, LISTED, listed
from chuk_adapters.mcp.outcomes import CHANGED, DRY_RUN, changed
from chuk_adapters.mcp.pages import OFFSET, PAGED, Page
from chuk_adapters.mcp.session import STAGE, Session
from chuk_adapters.mcp.shown import allowed_part
from chuk_adapters.mcp.tool import TEXT, Arguments, Hints, Result, Tool
from chuk_adapters.mcp.workspace import outermost
from chuk_fsspec.contract.changes import Changes, unified_text
from chuk_fsspec.contract.display import printable
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.snapshots import Snapshot, snapshots_of
from chuk_fsspec.wrappers.snapshots import SnapshotFileSystem

_STORE = "temporary snapshot store"
_NOW = "now"


def create_snapshot(call: Call, arguments: Arguments) -> Result:
    """Take a snapshot of all allowed directories."""
    _refuse_in_stage(call.client)
    history = _history(call.client)
    taken = history.create_snapshot(arguments.get("name"), arguments["description"], CallProgress(call, "read"))
    lasting = "" if call.client.find(_STORE) is None else " It ends with this session."
    return changed(f"Successfully created snapshot {printable(taken.name)}.{lasting}")


def list_snapshots(call: Call, arguments: Arguments) -> Result:
    """All snapshots, newest first."""
    page = Page(arguments["offset"], call.limits.entries, call.limits.characters)
    for snapshot in reversed(_history(call.client).list_snapshots()):
        if not page.add(_line(snapshot)):
            break
    return page.result("list_snapshots", "There are no snapshots")


def diff_snapshots(call: Call, arguments: Arguments) -> Result:
    """What changed from one snapshot to another, or to now."""
    history = _history(call.client)
    before, after = arguments["before"], arguments["after"]
    changes = _allowed(call, history.diff(before, after))

    def text_of(path: str) -> str:
        change = changes.at(path)
        source = path if change is None or change.source is None else change.source
        return unified_text(path, _content(call, history, before, source), _content(call, history, after, path))

    return listed(call, "diff_snapshots", changes, arguments, text_of)


def restore_snapshot(call: Call, arguments: Arguments) -> Result:
    """Make the allowed directories, or some paths, what they were."""
    _refuse_in_stage(call.client)
    name, base = arguments["name"], call.client.base
    history = _history(call.client)
    paths = [call.path(path, follow=False) for path in arguments.get("paths", ())]
    if not paths and base.allowed != ("/",):
        paths = list(base.allowed)
    if arguments["dryRun"]:
        changes = _allowed(call, history.diff(_NOW, name).below(paths or ["/"]))
        return listed(call, "restore_snapshot", changes, {})
    history.restore(name, paths or None, CallProgress(call, "written"))
    what = ", ".join(arguments.get("paths", ())) or "everything"
    text = f"Successfully restored {what} as of {printable(name)}"
    return Result(text, {"content": text, "summary": ""})


def delete_snapshot(call: Call, arguments: Arguments) -> Result:
    """Forget a snapshot."""
    _history(call.client).delete_snapshot(arguments["name"])
    return changed(f"Successfully deleted snapshot {printable(arguments['name'])}")


def _history(session: Session) -> SnapshotFileSystem:
    """The workspace with its snapshots: its own where it takes them itself, or in a store."""
    base = session.base
    if snapshots_of(base.fs) is not None:
        return SnapshotFileSystem(base.fs)
    with session.lock:
        store = base.snapshots or session.find(_STORE) or _temporary_store(session)
    directories = outermost(base.allowed)
    if len(directories) == 1:
        return SnapshotFileSystem(base.fs, store=store, root=directories[0])
    return SnapshotFileSystem(allowed_part(base), store=store)


def _temporary_store(session: Session) -> str:
    path = tempfile.mkdtemp(prefix="chuk-mcp-snapshots-")
    session.begin(_STORE, f"file://{path}", lambda: shutil.rmtree(path, ignore_errors=True))
    return f"file://{path}"


def _refuse_in_stage(session: Session) -> None:
    if session.find(STAGE) is not None:
        raise os_error(errno.EBUSY, hint="snapshots are of what is committed; call commit_stage or abort_stage first")


def _allowed(call: Call, changes: Changes) -> Changes:
    return changes if call.workspace.allowed == ("/",) else changes.below(call.workspace.allowed)


def _content(call: Call, history: SnapshotFileSystem, name: str, path: str) -> bytes | None:
    """The content of a file at a moment; None if it is no file then. ToolError for one that is too large."""
    fs = history if name == _NOW else history.at(name)
    if not fs.isfile(path):
        return None
    if fs.info(path)["size"] > call.limits.file_size:
        raise os_error(errno.EFBIG, path, hint="leave text out, or ask for other paths")
    content: bytes = fs.cat_file(path)
    return content


def _line(snapshot: Snapshot) -> str:
    moment = datetime.fromtimestamp(snapshot.created_ns / 1e9, timezone.utc).isoformat(timespec="seconds")
    return "  ".join(filter(None, (printable(snapshot.name), moment, printable(snapshot.description))))


TOOLS = (
    Tool(
        name="create_snapshot",
        title="Create Snapshot",
        description=(
            "Take a snapshot of all allowed directories, to compare with or to go back to later. Take one before a "
            "large change. Without a name it is named by the time."
        ),
        properties={"name": TEXT, "description": {"type": "string", "default": ""}},
        required=(),
        run=create_snapshot,
        hints=Hints(changes=True, destructive=False, idempotent=False),
        output=CHANGED,
    ),
    Tool(
        name="list_snapshots",
        title="List Snapshots",
        description="List all snapshots with their times and descriptions, newest first.",
        properties={"offset": OFFSET},
        required=(),
        run=list_snapshots,
        output=PAGED,
    ),
    Tool(
        name="diff_snapshots",
        title="Compare Snapshots",
        description=(
            "Show what changed from a snapshot to another one, or to now: A added, D removed, M modified, R renamed, "
            "P other properties. text=true compares contents line by line."
        ),
        properties={"before": TEXT, "after": {"type": "string", "default": _NOW}, **ARGUMENTS},
        required=("before",),
        run=diff_snapshots,
        output=LISTED,
    ),
    Tool(
        name="restore_snapshot",
        title="Restore Snapshot",
        description=(
            "Make all allowed directories what they were when a snapshot was taken, or only some paths. What was made "
            "later is gone: take another snapshot first to be able to come back. dryRun=true only shows what would "
            "change."
        ),
        properties={
            "name": TEXT,
            "paths": {"type": "array", "items": {"type": "string"}, "description": "Only these, and what is below"},
            "dryRun": DRY_RUN,
        },
        required=("name",),
        run=restore_snapshot,
        hints=Hints(changes=True, destructive=True, idempotent=True),
        output=LISTED,
    ),
    Tool(
        name="delete_snapshot",
        title="Delete Snapshot",
        description="Forget a snapshot and give back the space that only it needs.",
        properties={"name": TEXT},
        required=("name",),
        run=delete_snapshot,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=CHANGED,
    ),
)
