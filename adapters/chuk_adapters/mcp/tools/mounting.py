"""Tools that show the workspace as a real directory, in which programs can run."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import dataclass

from chuk_adapters.fuse import Mount, MountOptions, mount
from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.outcomes import CHANGED, changed
from chuk_adapters.mcp.session import STAGE, Session
from chuk_adapters.mcp.shown import allowed_part
from chuk_adapters.mcp.tool import Arguments, Hints, Result, Tool, object_of
from chuk_fsspec.contract.errors import os_error

_MOUNT = "mount"


@dataclass(frozen=True)
class _Mounted:
    live: Mount
    is_staged: bool


def mount_workspace(call: Call, arguments: Arguments) -> Result:
    """Mount what this session sees on a new directory of the machine that the server runs on."""
    session = call.client
    with session.lock:
        mounted: _Mounted | None = session.find(_MOUNT)
        if mounted is not None and mounted.live.is_live:
            raise os_error(errno.EBUSY, hint=f"the workspace is mounted at {mounted.live.path}; unmount it first")
        session.end(_MOUNT)
        point = tempfile.mkdtemp(prefix="chuk-mcp-")
        options = MountOptions(readonly=session.base.read_only, fsname="chuk-fsspec-mcp")
        try:
            live = mount(allowed_part(session.workspace), point, options)
        except BaseException:
            os.rmdir(point)
            raise
        mounted = _Mounted(live, session.find(STAGE) is not None)
        session.begin(_MOUNT, mounted, lambda: _unmount(live))
    what = "the stage" if mounted.is_staged else "the workspace"
    text = f"Mounted {what} at {point}: /a/b is {point}/a/b there. It is unmounted by unmount_workspace, or at the end"
    return Result(text, {"content": text, "path": point})


def unmount_workspace(call: Call, arguments: Arguments) -> Result:
    """Unmount what ``mount_workspace`` mounted."""
    session = call.client
    with session.lock:
        mounted: _Mounted | None = session.find(_MOUNT)
        if mounted is None:
            raise os_error(errno.EINVAL, hint="the workspace is not mounted; call mount_workspace first")
        session.end(_MOUNT)
    return changed(f"Unmounted {mounted.live.path}")


def end_staged_mount(session: Session) -> bool:
    """Unmount a mount that shows a stage which ends now; whether there was one."""
    mounted: _Mounted | None = session.find(_MOUNT)
    if mounted is None or not mounted.is_staged:
        return False
    session.end(_MOUNT)
    return True


def _unmount(live: Mount) -> None:
    live.unmount()
    os.rmdir(live.path)


TOOLS = (
    Tool(
        name="mount_workspace",
        title="Mount Workspace",
        description=(
            "Show the workspace, or the open stage, as a real directory on the machine that this server runs on, and "
            "return its path, so that programs such as compilers and tests can run in it. Both see each other's "
            "changes at once. It ends with unmount_workspace or with the session."
        ),
        properties={},
        required=(),
        run=mount_workspace,
        hints=Hints(changes=False),
        output=object_of({"content": {"type": "string"}, "path": {"type": "string"}}, closed=True),
    ),
    Tool(
        name="unmount_workspace",
        title="Unmount Workspace",
        description="Take away the directory that mount_workspace made; what was written in it stays in the workspace.",
        properties={},
        required=(),
        run=unmount_workspace,
        hints=Hints(changes=False),
        output=CHANGED,
    ),
)
