"""Tools that keep changes apart until they are committed."""

from __future__ import annotations

import errno

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.changelists import ARGUMENTS, LISTED, listed
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.outcomes import CHANGED, changed
from chuk_adapters.mcp.session import STAGE, Session
from chuk_adapters.mcp.tool import Arguments, Hints, Result, Tool
from chuk_adapters.mcp.tools.mounting import end_staged_mount
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.staging import StageConflict, StageFileSystem


def begin_stage(call: Call, arguments: Arguments) -> Result:
    """From now on, have all tools of this session work in a stage."""
    session = call.client
    if session.is_shared:
        hint = "this connection has no session of its own, and others would work in the stage too; use stdio"
        raise os_error(errno.ENOTSUP, hint=hint)
    with session.lock:
        if session.find(STAGE) is not None:
            raise os_error(errno.EBUSY, hint="a stage is open; call commit_stage or abort_stage first")
        stage = StageFileSystem(fs=session.base.fs)
        session.begin(STAGE, stage, stage.close)
    return changed("A stage is open: changes are kept apart until commit_stage, and dropped by abort_stage")


def diff_stage(call: Call, arguments: Arguments) -> Result:
    """What was changed in the stage."""
    stage = _stage(call.client)
    return listed(call, "diff_stage", stage.diff(), arguments, stage.text_diff)


def commit_stage(call: Call, arguments: Arguments) -> Result:
    """Carry the changes out, all or none; of some paths, and then the stage goes on."""
    session = call.client
    with session.lock:
        stage = _stage(session)
        paths = [call.path(path, follow=False) for path in arguments.get("paths", ())]
        # What programs have written in the mount and the kernel still holds is to be committed too.
        unmounted = "" if paths else _end_mount(session)
        try:
            done = stage.commit(paths or None)
        except StageConflict as conflict:
            told = "\n".join(f"{path} {what}" for path, what in sorted(conflict.conflicts.items()))
            raise ToolError(
                f"ESTALE: since it was staged, somebody else changed what is to be committed:\n{told}\n"
                f"Nothing was changed, and the stage is still open{unmounted}. commit_stage with other paths takes the "
                "others; abort_stage drops all"
            ) from None
        if not paths:
            session.end(STAGE)
    notice = "The stage goes on with the rest" if paths else f"The stage is over{unmounted}"
    return listed(call, "commit_stage", done, {}, notes=(f"Committed. {notice}",))


def abort_stage(call: Call, arguments: Arguments) -> Result:
    """Drop the changes."""
    session = call.client
    with session.lock:
        stage = _stage(session)
        unmounted = _end_mount(session)
        summary = stage.diff().summary()
        session.end(STAGE)
    return changed(f"Dropped: {summary}. The stage is over{unmounted}")


def _stage(session: Session) -> StageFileSystem:
    stage: StageFileSystem | None = session.find(STAGE)
    if stage is None:
        raise os_error(errno.EINVAL, hint="no stage is open; call begin_stage first")
    return stage


def _end_mount(session: Session) -> str:
    return ", and its mount is taken down" if end_staged_mount(session) else ""


TOOLS = (
    Tool(
        name="begin_stage",
        title="Begin Stage",
        description=(
            "From now on, keep all changes that this session makes apart: its tools see them, nobody else does, until "
            "commit_stage carries them out or abort_stage drops them. diff_stage shows them."
        ),
        properties={},
        required=(),
        run=begin_stage,
        hints=Hints(changes=True, destructive=False, idempotent=False),
        output=CHANGED,
    ),
    Tool(
        name="diff_stage",
        title="Show Staged Changes",
        description=(
            "Show what was changed in the open stage: A added, D removed, M modified, R renamed, P other properties. "
            "text=true compares contents line by line."
        ),
        properties=ARGUMENTS,
        required=(),
        run=diff_stage,
        output=LISTED,
    ),
    Tool(
        name="commit_stage",
        title="Commit Stage",
        description=(
            "Carry the staged changes out, all of them or none, and end the stage. If somebody else changed the same "
            "files meanwhile, nothing is done and they are named. With paths, only what is there and below is "
            "committed, and the stage goes on."
        ),
        properties={"paths": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        required=(),
        run=commit_stage,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=LISTED,
    ),
    Tool(
        name="abort_stage",
        title="Abort Stage",
        description="Drop all changes of the open stage, and end it.",
        properties={},
        required=(),
        run=abort_stage,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=CHANGED,
    ),
)
