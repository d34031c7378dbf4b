"""Looking things up: from what is known, while that is fresh, and from the filesystem otherwise."""

from __future__ import annotations

import errno
import threading
from contextlib import suppress

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX, SPECIAL_NAMES, encoded_length
from chuk_fsspec.vfs.node import DirectoryNode, PathNode
from chuk_fsspec.vfs.volume import Volume


def lookup(volume: Volume, directory: DirectoryNode, name: str) -> PathNode | None:
    """The node behind an entry; None if there is none. ENAMETOOLONG."""
    if encoded_length(name) > NAME_MAX:
        raise os_error(errno.ENAMETOOLONG, name)
    if name in SPECIAL_NAMES or "/" in name or "\0" in name:
        return None
    known, node = volume.table.recall(directory, name)
    if not known and (_list_itself(volume, volume.table.child(directory, name)) or _list_instead(volume, directory)):
        known, node = volume.table.recall(directory, name)
    if known:
        return node
    with volume.table.using_entry(directory, name) as names:
        return find(volume, directory, name, names)


def find(volume: Volume, directory: DirectoryNode, name: str, names: list[str]) -> PathNode | None:
    """As ``lookup``, by one who has the claim on the entry; ``names`` lead to the directory."""
    if directory.gone:
        return None
    table = volume.table
    known, node = table.recall(directory, name)
    if known:
        return node
    asked = table.clock
    try:
        attributes = volume.backend.attributes([*names, name])
    except (FileNotFoundError, NotADirectoryError):
        return table.learn_missing(directory, name, asked)
    return table.learn(directory, name, attributes, asked)


def refresh(volume: Volume, node: PathNode) -> PathNode:
    """The node, with attributes that are recent enough. ENOENT if somebody else removed or replaced it."""
    table = volume.table
    if node.gone:
        if node.direct:
            node.size = node.direct[-1].stat().st_size
        return node
    while not table.is_fresh(node):
        if node is table.root:
            _refresh_root(volume)
            return node
        directory, name = node.place
        if _list_itself(volume, node) or _list_instead(volume, directory):
            if node.gone:
                raise os_error(errno.ENOENT, volume.backend.path([*table.names(directory), name]))
            if table.is_fresh(node):
                return node
        with table.using_entry(directory, name) as names:
            # While we waited for the claim, others may have moved it.
            if node.place != (directory, name):
                continue
            if find(volume, directory, name, names) is node:
                return node
            # A file that lost this name may have another one.
            if node.place == (directory, name):
                raise os_error(errno.ENOENT, volume.backend.path([*names, name]))
    return node


def entries(volume: Volume, directory: DirectoryNode, *, waits_for_changes: bool = True) -> list[tuple[str, PathNode]]:
    """All entries of a directory. ENOENT if somebody else removed it; EAGAIN rather than wait for what changes it."""
    if directory.gone:
        return []
    known = volume.table.recall_all(directory)
    if known is not None:
        return known
    with volume.table.using_entry(directory, waits_for_changes=waits_for_changes) as names:
        known = volume.table.recall_all(directory)
        return ask_entries(volume, directory, names, own_uses=1) if known is None else known


def ask_entries(
    volume: Volume, directory: DirectoryNode, names: list[str], *, own_uses: int
) -> list[tuple[str, PathNode]]:
    """All entries as the filesystem has them now, for one who has claimed them, or to remove the directory.

    Args:
        volume: the filesystem.
        directory: what to list.
        names: lead to it.
        own_uses: how many of the claims on its path are the caller's.

    Raises:
        OSError: ENOENT if it is not there and nobody else is at work in it; whatever the filesystem says.
    """
    table = volume.table
    asked = table.clock
    try:
        found = volume.backend.entries(names)
    except FileNotFoundError:
        is_there = directory is table.root
        if not is_there and table.learn_missing(*directory.place, asked, own_uses=own_uses) is not directory:
            raise
        found = {}
    return table.learn_all(directory, found, asked)


def _list_itself(volume: Volume, node: PathNode | None) -> bool:
    """List a directory rather than ask whether it is there, if that tells as much; whether it was done."""
    return isinstance(node, DirectoryNode) and volume.table.tells_of_itself(node) and _listed(volume, node)


def _list_instead(volume: Volume, directory: DirectoryNode) -> bool:
    """List a directory rather than ask for one more of its names, if that pays; whether it was done."""
    if directory.gone or not volume.table.pays_to_list(directory):
        return False
    if directory.usual_size is None:
        # It may be huge, so nobody waits for it.
        threading.Thread(target=_listed, args=(volume, directory), name="vfs-list", daemon=True).start()
        return False
    return _listed(volume, directory)


def _listed(volume: Volume, directory: DirectoryNode) -> bool:
    # Why it cannot be listed is for those to hear who want to list it. What takes long in it keeps nobody else waiting.
    with suppress(OSError):
        entries(volume, directory, waits_for_changes=False)
        return True
    return False


def _refresh_root(volume: Volume) -> None:
    attributes = None
    # Some filesystems know nothing of their root, or may not tell: it is there all the same.
    with suppress(OSError):
        attributes = volume.backend.attributes([])
    volume.table.learn_root(attributes)
