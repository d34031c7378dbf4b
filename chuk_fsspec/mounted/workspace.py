"""Workspace files: a tree of mounts written down in TOML.

Tables ``[mounts."/path"]`` have the keys of ``MountConfig``. ``${workspace}`` in a text is the directory of the file;
references to the environment are looked up when the mounts are opened. ``[[wrappers]]`` are put over the whole tree.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import fsspec
from fsspec import AbstractFileSystem

from chuk_fsspec.mounted.config import MountConfig, Wrapper
from chuk_fsspec.mounted.reading import check_keys, configs_of, plain, wrappers_of
from chuk_fsspec.mounted.references import resolved

PROTOCOL = "chukmount"
"""The protocol of the tree."""

_KEYS = ("mounts", "wrappers")
_DIRECTORY = "${workspace}"


@dataclass(frozen=True)
class Workspace:
    """What a workspace file says.

    Attributes:
        mounts: what is mounted where.
        wrappers: what is put over the whole tree, the outermost first.
    """

    mounts: dict[str, MountConfig]
    wrappers: tuple[Wrapper, ...]


def read_workspace(path: str | os.PathLike[str]) -> Workspace:
    """Read a workspace file.

    Args:
        path: a TOML file of this machine.

    Raises:
        OSError: if it cannot be read.
        ValueError: for what is no TOML, and for unknown keys, naming the nearest right one.
        ImportError: on Python 3.10 without the package tomli.
    """
    file = Path(path)
    try:
        content = _parse(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file.name} is not TOML: {error}") from error
    content = _placed(content, str(file.resolve().parent))
    check_keys(content, _KEYS, file.name)
    if not content.get("mounts"):
        raise ValueError(f'{file.name}: nothing is mounted; begin with a table [mounts."/"]')
    return Workspace(
        mounts=configs_of(content["mounts"], "mounts"),
        wrappers=wrappers_of(content.get("wrappers", ()), "wrappers"),
    )


def open_workspace(path: str | os.PathLike[str]) -> AbstractFileSystem:
    """The tree of a workspace file, with the wrappers that it puts over the whole tree.

    Args:
        path: a TOML file of this machine.

    Returns:
        A ``MountedFileSystem``, or the outermost of the wrappers.

    Raises:
        OSError: of the file and of the filesystems.
        ValueError: as ``read_workspace``, and for environment variables that are not set.
    """
    workspace = read_workspace(path)
    protocol = PROTOCOL
    options: dict[str, Any] = {"mounts": plain(workspace.mounts)}
    for number, wrapper in reversed(list(enumerate(workspace.wrappers))):
        own = resolved(dict(wrapper.options), f"wrappers[{number}].options")
        protocol, options = wrapper.protocol, {**own, "target_protocol": protocol, "target_options": options}
    return fsspec.filesystem(protocol, **options)


def _parse(text: str) -> dict[str, Any]:
    try:
        toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    except ImportError as error:
        raise ImportError("workspace files need Python 3.11, or: pip install tomli") from error
    content: dict[str, Any] = toml.loads(text)
    return content


def _placed(value: Any, directory: str) -> Any:
    if isinstance(value, str):
        return value.replace(_DIRECTORY, directory)
    if isinstance(value, dict):
        return {key: _placed(one, directory) for key, one in value.items()}
    if isinstance(value, list):
        return [_placed(one, directory) for one in value]
    return value
