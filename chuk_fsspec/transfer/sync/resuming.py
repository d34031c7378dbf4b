"""Large files copied so that an interrupted copy goes on where it ended."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress

from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.forwarding.publishing import open_steady
from chuk_fsspec.forwarding.publishing.leftovers import upload_name
from chuk_fsspec.transfer.copying import Copier, Ends, changed_meanwhile
from chuk_fsspec.transfer.nodes import BLOCK

RESUMED_FROM = 16 << 20
"""Bytes of a file from which on it is worth to go on with an interrupted copy."""

_PRIVATE = 0o600


def can_resume(can: Capabilities) -> bool:
    """Whether a filesystem can hold half a file beside its place, and put it there when it is whole."""
    return can.random_write and can.rename and can.replace and can.attributes


def copy_resumably(ends: Ends, copier: Copier, source: str, found: Attributes, target: str) -> None:
    """Copy a file that replaces what is at the target when it is whole.

    What an interrupted copy of the same state of the file had written lies beside the target under a name of its own,
    and is not copied again. It is removed by whoever writes there a week later.

    Args:
        ends: both filesystems.
        copier: gives the copy its attributes, and is told of bytes.
        source: path of the file.
        found: what is known of it; its size among that.
        target: path of the copy.

    Raises:
        OSError: EBUSY if the file changes while it is read; whatever the filesystems say.
    """
    fs = ends.target
    directory, name = split(target)
    part = join(directory, upload_name(name, _token(source, found)))
    with fs.posix.open_handle(part, os.O_WRONLY | os.O_CREAT, _PRIVATE) as handle:
        position = min(handle.stat().st_size, found.size) // BLOCK * BLOCK
        copier.callback.relative_update(position)
        with open_steady(ends.source, source) as file:
            file.seek(position)
            while data := file.read(BLOCK):
                position += handle.pwrite(data, position)
                copier.callback.relative_update(len(data))
        handle.truncate(position)
    if position != found.size or attributes_of(ends.source.info(source)).version != found.version:
        with suppress(FileNotFoundError):
            fs.rm_file(part)
        raise changed_meanwhile(source)
    copier.dress(source, found, part)
    fs.posix.rename(part, target)


def _token(source: str, found: Attributes) -> str:
    state = f"{source} {found.version}"
    return hashlib.sha256(state.encode("utf-8", "surrogateescape")).hexdigest()[:32]
