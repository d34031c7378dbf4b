"""What is to be mounted, as plain values: told from code, a dict or a workspace file, and opened later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from chuk_fsspec.mounted.references import resolved, without_secrets

READ_ONLY = "chukreadonly"
"""The protocol of the wrapper that refuses every change."""

SOURCES = ("protocol", "url", "filesystem")
"""The keys of which exactly one says what is mounted."""


@dataclass(frozen=True)
class Wrapper:
    """A filesystem that is put over another one.

    Attributes:
        protocol: its fsspec protocol.
        options: its storage options.
    """

    protocol: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def over(self, fs: AbstractFileSystem, where: str) -> AbstractFileSystem:
        """The wrapper over a filesystem; a new object, since fsspec tells those over different ones badly apart."""
        return fsspec.filesystem(self.protocol, fs=fs, skip_instance_cache=True, **resolved(dict(self.options), where))

    def plain(self) -> dict[str, Any]:
        """As it was configured."""
        return {"protocol": self.protocol, "options": dict(self.options)}


@dataclass(frozen=True)
class MountConfig:
    """One filesystem to be mounted; exactly one of ``protocol``, ``url`` and ``filesystem`` says which.

    Attributes:
        protocol: an fsspec protocol.
        url: an fsspec URL, chained ones included; its path is the directory to mount.
        filesystem: an open filesystem.
        args: positional arguments of the filesystem.
        options: storage options.
        read_only: refuse every change.
        root: the directory in the filesystem that is mounted; empty for all of it.
        wrappers: filesystems put over this one, the outermost first, as in a URL.
    """

    protocol: str = ""
    url: str = ""
    filesystem: AbstractFileSystem | None = None
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = False
    root: str = ""
    wrappers: tuple[Wrapper, ...] = ()

    def open(self, where: str) -> tuple[AbstractFileSystem, str]:
        """Open the filesystem with its wrappers.

        Args:
            where: its place in the configuration, for messages.

        Returns:
            The filesystem, and the path in it that is to be mounted, empty for all of it.

        Raises:
            ValueError: for an environment variable that is not set, and for what the filesystem does not accept.
        """
        try:
            fs, root = self._opened(where)
            for number, wrapper in reversed(list(enumerate(self.wrappers))):
                fs = wrapper.over(fs, f"{where}.wrappers[{number}].options")
        except TypeError as error:
            raise ValueError(f"{where}: the options are not those of the filesystem: {error}") from error
        return (Wrapper(READ_ONLY).over(fs, where) if self.read_only else fs), root

    def _opened(self, where: str) -> tuple[AbstractFileSystem, str]:
        options = resolved(dict(self.options), f"{where}.options")
        root = resolved(self.root, f"{where}.root")
        if self.filesystem is not None:
            fs = self.filesystem
        elif self.url:
            fs, root = url_to_fs(resolved(self.url, f"{where}.url"), **options)
        else:
            kind = fsspec.get_filesystem_class(self.protocol)
            fs = kind(*resolved(list(self.args), f"{where}.args"), **options)
        return fs, root

    def plain(self) -> dict[str, Any]:
        """As it was configured, in the least of plain values, with references and not what they refer to."""
        values = {
            **{key: getattr(self, key) for key in SOURCES},
            "args": list(self.args),
            "options": dict(self.options),
            "read_only": self.read_only,
            "root": self.root,
            "wrappers": [wrapper.plain() for wrapper in self.wrappers],
        }
        return {key: value for key, value in values.items() if value}

    def shown(self, path: str) -> dict[str, Any]:
        """What may be told of it, without secrets."""
        fs = self.filesystem
        options: Mapping[str, Any] = self.options if fs is None else fs.storage_options
        return {
            "mount_point": path,
            "protocol": self.name,
            "options": without_secrets(options),
            "read_only": self.read_only,
            "root": without_secrets(self.root or self.url.partition("://")[2]),
            "wrappers": [without_secrets(wrapper.plain()) for wrapper in self.wrappers],
        }

    @property
    def name(self) -> str:
        """Its protocol; of a chained URL, the outermost."""
        if self.filesystem is not None:
            return protocol_of(self.filesystem)
        return self.protocol or self.url.partition("://")[0].partition("::")[0]


def protocol_of(fs: AbstractFileSystem) -> str:
    """The protocol of a filesystem; the first of several."""
    return fs.protocol if isinstance(fs.protocol, str) else str(fs.protocol[0])
