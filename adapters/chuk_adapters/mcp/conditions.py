"""Changes that are made to what the client has seen, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fsspec import AbstractFileSystem

from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.tool import Schema
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.conditions import condition_of
from chuk_fsspec.contract.errors import PreconditionFailed

IF_MATCH: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "Only if the file still has this etag, as get_file_info shows it and as writes return it",
}


def conditions(fs: AbstractFileSystem, path: str, if_match: str | None, *, dry_run: bool = False) -> dict[str, Any]:
    """The argument that makes a change of a file depend on its etag; where that cannot be kept, it is looked at now.

    Args:
        fs: where; whoever asks holds the lock of the path.
        path: absolute normal path.
        if_match: the etag; None for no condition.
        dry_run: no change follows, so that it is looked at now in any case.

    Raises:
        PreconditionFailed: if the file has another one already.
        ToolError: where files have no etags.
    """
    condition = condition_of(if_match)
    if condition is None:
        return {}
    if capabilities_of(fs).conditional_write and not dry_run:
        return {"if_match": if_match}
    found = etag_of(fs, path)
    if found is None and fs.exists(path):
        raise ToolError(f"ENOTSUP: files have no etags here, so ifMatch cannot be kept for {path}; leave it out")
    condition.require(path, found)
    return {}


_STATE = ("type", "etag", "ETag", "size", "mtime", "LastModified", "ino")


def state_of(info: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of an info is another one when the content of the file is, as far as the filesystem tells."""
    return tuple(info.get(name) for name in _STATE)


def etag_of(fs: AbstractFileSystem, path: str) -> str | None:
    """The etag of a file; None where there is none, or no file."""
    try:
        return etag_in(fs.info(path))
    except FileNotFoundError:
        return None


def etag_in(info: Mapping[str, Any]) -> str | None:
    """The etag of an info; None where the filesystem has none."""
    etag = info.get("etag")
    return etag if isinstance(etag, str) else None


def etag_written(fs: AbstractFileSystem, path: str, returned: object) -> str | None:
    """The etag of what was just written; never that of what somebody else has written since.

    Args:
        fs: where.
        path: absolute normal path.
        returned: by the call that wrote it.
    """
    if isinstance(returned, str):
        return returned
    return None if capabilities_of(fs).conditional_write else etag_of(fs, path)


@contextmanager
def kept(path: str) -> Iterator[None]:
    """For a block that makes a change on a condition: have a failure of that told to the client.

    Args:
        path: of the file.

    Raises:
        ToolError: with the etag that was asked for, and the one that was found.
    """
    try:
        yield
    except PreconditionFailed as error:
        if error.expected is None:
            raise ToolError(f"EEXIST: file already exists, '{path}'; nothing was changed") from None
        there = f"its etag is {error.found!r}" if error.found is not None else "it is not there"
        raise ToolError(
            f"ESTALE: {path} was changed meanwhile: ifMatch is {error.expected!r}, and {there}; nothing was changed. "
            "Read it again and decide anew"
        ) from None
