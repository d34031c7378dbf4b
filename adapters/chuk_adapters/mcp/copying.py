"""Copying a directory with all that it holds, so that it is there as a whole or not at all."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from fsspec import AbstractFileSystem

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.contents import file_info
from chuk_adapters.mcp.listing import Entry, below
from chuk_adapters.mcp.writes import move_new
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.paths import join, split

_SHOWN = 50
"""Characters of the name that the place of a copy has until it is whole."""


@dataclass
class Count:
    """What a directory holds, or what was copied of it.

    Attributes:
        files: regular files, and links where they can be kept.
        directories: the directory itself left out.
        bytes: of content.
        others: special files, and links that cannot be kept; they are left out of copies.
    """

    files: int = 0
    directories: int = 0
    bytes: int = 0
    others: int = 0

    def add(self, entry: Entry, can_link: bool) -> None:
        """Count one more."""
        self.directories += entry.is_directory
        is_kept = entry.kind == "file" or (entry.kind == "link" and can_link)
        self.files += is_kept
        self.others += not is_kept and not entry.is_directory
        self.bytes += entry.size if entry.kind == "file" else 0

    def __str__(self) -> str:
        special = f", {self.others} special files left out" if self.others else ""
        return f"{self.files} files, {self.directories} directories, {self.bytes} bytes{special}"


def count_of(call: Call, path: str) -> Count:
    """How much there is below a directory."""
    count = Count()
    can_link = capabilities_of(call.fs).symlinks
    for entry in below(call, path, lambda entry: True):
        count.add(entry, can_link)
    return count


def copy_tree(call: Call, source: str, target: str) -> Count:
    """Copy a directory to a place where nothing is; symbolic links in it are copied as links.

    Args:
        call: for whom; a call that is cancelled leaves nothing behind.
        source: absolute normal path of a directory.
        target: absolute normal path outside of it, in a directory that is there.

    Returns:
        What was copied.

    Raises:
        OSError: of the filesystem; nothing is there then.
    """
    fs = call.fs
    if not capabilities_of(fs).rename:
        return _copy(call, source, target)
    parent, name = split(target)
    place = join(parent, f".{name[:_SHOWN]}.{secrets.token_hex(8)}.tmp")
    count = _copy(call, source, place)
    try:
        call.check()
        move_new(call, place, target)
    except BaseException:
        fs.rm(place, recursive=True)
        raise
    return count


def _copy(call: Call, source: str, place: str) -> Count:
    """Make a directory with all that another one holds; what was made is removed again if that fails."""
    fs, count = call.fs, Count()
    can_link = capabilities_of(fs).symlinks
    with ExitStack() as undoing:
        fs.mkdir(place)
        undoing.callback(_remove_empty, fs, place)
        for entry in below(call, source, lambda entry: True):
            target = place + entry.path[len(source) :]
            if entry.is_directory:
                fs.makedirs(target, exist_ok=True)
                undoing.callback(_remove_empty, fs, target)
            elif entry.kind == "link" and can_link:
                fs.posix.symlink(fs.posix.readlink(entry.path), target)
                undoing.callback(fs.rm_file, target)
            elif entry.kind == "file":
                file_info(call, entry.path)
                fs.cp_file(entry.path, target)
                undoing.callback(fs.rm_file, target)
            count.add(entry, can_link)
            call.progress(count.files, None, f"{count.files} files copied")
        undoing.pop_all()
    return count


def _remove_empty(fs: AbstractFileSystem, directory: str) -> None:
    """Remove a directory, unless somebody has put something into it, or it was never there but for its files."""
    with suppress(OSError):
        fs.rmdir(directory)
