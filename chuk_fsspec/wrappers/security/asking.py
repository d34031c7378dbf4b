"""Which effects an operation has on which of its paths, and whether it makes them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from chuk_fsspec.contract.operations import Effect, Operation
from chuk_fsspec.contract.posix import RENAME_EXCHANGE

_MAKES_LAST = frozenset(
    (
        "copy",
        "cp_file",
        "link",
        "makedirs",
        "mkdir",
        "mknod",
        "mv",
        "pipe",
        "pipe_file",
        "put",
        "rename",
        "symlink",
        "touch",
    )
)
"""What makes its last path, where that is not there."""
_WRITING_FLAGS = os.O_CREAT | os.O_TRUNC | os.O_APPEND


def effects(operation: Operation, options: Mapping[str, Any]) -> Iterator[tuple[tuple[Effect, ...], bool]]:
    """For each path of a call: the effects on it, and whether it is made where it is not there.

    Args:
        operation: what is asked.
        options: the arguments by name.
    """
    if operation.raised_by and operation.raised_by in options:
        yield _opening(options[operation.raised_by])
        return
    makes = operation.name in _MAKES_LAST and not options.get("flags", 0) & RENAME_EXCHANGE
    for parameter in operation.paths:
        effect = operation.effect_on(parameter)
        yield (effect,), makes and parameter == operation.paths[-1]


def _opening(mode: str | int) -> tuple[tuple[Effect, ...], bool]:
    """The effects of opening in a mode, or with open(2) flags: what is read and written needs both."""
    if isinstance(mode, int):
        access = mode & os.O_ACCMODE
        reads, makes = access != os.O_WRONLY, bool(mode & os.O_CREAT)
        writes = access != os.O_RDONLY or bool(mode & _WRITING_FLAGS)
    else:
        makes = mode[0] != "r"
        reads, writes = mode[0] == "r" or ("+" in mode and mode[0] == "a"), mode != "rb"
    return tuple([effect for effect, has in ((Effect.READ, reads), (Effect.WRITE, writes)) if has]), makes
