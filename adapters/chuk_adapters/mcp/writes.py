"""Changes of files."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.conditions import conditions, etag_in, etag_written, kept, state_of
from chuk_adapters.mcp.contents import file_info
from chuk_adapters.mcp.failures import ToolError, spoken
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.conditions import ANY
from chuk_fsspec.contract.errors import PreconditionFailed, os_error
from chuk_fsspec.contract.posix import RENAME_NOREPLACE


def require_parent(call: Call, path: str) -> None:
    """Refuse a path whose directory is not there, where directories have to be. ToolError."""
    if capabilities_of(call.fs).directories:
        with spoken("open", path):
            if call.fs.info(posixpath.dirname(path))["type"] != "directory":
                raise os_error(errno.ENOTDIR, path)


def require_no_directory(call: Call, path: str) -> None:
    """Refuse a path where something other than a file is. ToolError."""
    with spoken("open", path):
        kind = call.fs.info(path)["type"] if call.fs.exists(path) else "file"
        if kind == "directory":
            raise os_error(errno.EISDIR, path)
        if kind != "file":
            raise os_error(errno.EINVAL, path, hint="not a regular file")


def encoded(text: str) -> bytes:
    """A text in UTF-8. ToolError for half a surrogate pair, which no file can hold."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolError(f"The text cannot be written as UTF-8: {error.reason} at character {error.start}") from None


@contextmanager
def held(call: Call, *paths: str) -> Iterator[None]:
    """For a block that looks at files and changes them: no other call of this server does so meanwhile.

    Args:
        call: on whose behalf.
        paths: as ``Call.path`` returned them.

    Raises:
        ToolError: where others hold one of them for too long.
    """
    with ExitStack() as locks:
        for path in sorted(set(paths)):
            locks.enter_context(call.workspace.locks.held(path, call.limits.seconds))
        yield


def update(call: Call, path: str, change: Callable[[bytes], bytes], if_match: str | None = None) -> str | None:
    """Change what a file holds. Nobody else's change is lost: after one that came between, all is done again.

    Args:
        call: on whose behalf.
        path: as ``Call.path`` returned it.
        change: from the content to the new one; may be called several times.
        if_match: the etag that the file has to have, so that nothing is done again; None for any.

    Returns:
        The etag of the new content, where the filesystem has etags.

    Raises:
        ToolError: for another etag and a file that is too large; of the filesystem, and what ``change`` raises.
    """
    conditional = capabilities_of(call.fs).conditional_write
    with held(call, path), spoken("open", path), kept(path):
        while True:
            call.check()
            info = file_info(call, path)
            if info["size"] > call.limits.file_size:
                raise ToolError(f"EFBIG: file too large, '{path}' has more than {call.limits.file_size} bytes")
            old: bytes = call.fs.cat_file(path)
            new = change(old)
            if new == old and if_match is None:
                return etag_in(info)
            if not conditional and state_of(file_info(call, path)) != state_of(info):
                continue
            expected = info["etag"] if if_match is None and conditional else if_match
            try:
                written = call.fs.pipe_file(path, new, **conditions(call.fs, path, expected))
            except PreconditionFailed:
                if if_match is not None:
                    raise
                continue
            return etag_written(call.fs, path, written)


def move_new(call: Call, source: str, target: str, **asked: Any) -> None:
    """Move to a name that nothing has, in one step where the filesystem can.

    Args:
        call: on whose behalf.
        source: as ``Call.path`` returned it.
        target: likewise.
        asked: as ``conditions`` gives it for the source.

    Raises:
        OSError: EEXIST, and others of the filesystem.
    """
    if call.fs.lexists(target):
        raise FileExistsError(target)
    if asked:
        call.fs.mv(source, target, if_none_match=ANY, **asked)
        return
    if capabilities_of(call.fs).rename_flags:
        try:
            call.fs.posix.rename(source, target, RENAME_NOREPLACE)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return
    call.fs.mv(source, target, recursive=True)


def make_parents(call: Call, path: str) -> None:
    """Make the directories above a path that are missing. ToolError."""
    parent = posixpath.dirname(path)
    with spoken("mkdir", parent):
        call.fs.makedirs(parent, exist_ok=True)
