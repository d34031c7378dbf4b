"""What a mounted filesystem is made of, brought into plain values before fsspec looks at it.

fsspec tells filesystems apart by the text of their arguments, and hands one out again if it seems to be asked for
again. The text of a filesystem object does not say all about it, and that of a file's name not what the file holds. So
all ways to say what is mounted become one dict of plain values first. Where an object has to stay, nothing is shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.config import apply_config

from chuk_fsspec.mounted.config import MountConfig
from chuk_fsspec.mounted.reading import config_of, configs_of, plain
from chuk_fsspec.mounted.workspace import read_workspace


class PlainArguments(type(AbstractFileSystem)):  # type: ignore[misc]
    """Makes a mounted filesystem from any of its arguments."""

    def __call__(
        cls,
        mounts: Mapping[str, Any] | None = None,
        workspace: Any = None,
        fs: Any = None,
        target_protocol: str | None = None,
        target_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Read the arguments, then open the filesystem or find the one that is open already.

        Raises:
            ValueError: for what cannot be read, and for two filesystems at the root.
        """
        given = {
            "mounts": mounts,
            "workspace": workspace,
            "fs": fs,
            "target_protocol": target_protocol,
            "target_options": target_options,
        }
        options = apply_config(cls, {**options, **{key: value for key, value in given.items() if value is not None}})
        configs = _gathered(options)
        if any(config.filesystem is not None for config in configs.values()):
            options["skip_instance_cache"] = True
        return super().__call__(mounts=plain(configs), **options)


def _gathered(options: dict[str, Any]) -> dict[str, MountConfig]:
    """Take what is mounted out of the options. What is given directly goes before what a workspace file says."""
    configs: dict[str, MountConfig] = {}
    workspace, mounts = options.pop("workspace", None), options.pop("mounts", None)
    if workspace:
        read = read_workspace(workspace)
        if read.wrappers:
            raise ValueError("the workspace has wrappers over the whole tree: open it with open_workspace")
        configs |= read.mounts
    configs |= configs_of(mounts or {})
    fs, protocol = options.pop("fs", None), options.pop("target_protocol", None)
    target_options = options.pop("target_options", None)
    if fs is not None or protocol is not None:
        if "/" in configs or (fs is not None and protocol is not None):
            raise ValueError("two filesystems at the root: give one of fs, target_protocol and mounts['/']")
        root = fs if fs is not None else {"protocol": protocol, "options": target_options or {}}
        configs["/"] = config_of(root, "fs" if fs is not None else "target_protocol")
    return configs
