"""The two ends of a transfer between mounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chuk_fsspec.contract.operations import FSSPEC, POSIX
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.mounted.access import call
from chuk_fsspec.mounted.names import Named
from chuk_fsspec.mounted.table import Mount

_TELLING = ("type", "size", "etag", "ETag", "mtime_ns", "mtime", "LastModified", "ino", "mode", "destination")


@dataclass(frozen=True)
class End:
    """A path of one mount, links followed already.

    Attributes:
        mount: the mount.
        path: the path, as the tree names it.
    """

    mount: Mount
    path: str

    @property
    def inner(self) -> str:
        """The filesystem's own path."""
        return self.mount.names.inward(self.path)

    @property
    def named(self) -> Named:
        """A block whose errors name this path."""
        return Named(self.mount.names, self.path)

    def ask(self, name: str, /, *arguments: Any, **options: Any) -> Any:
        """Have an operation of fsspec done on it."""
        return call(self.mount, FSSPEC[name], (self.inner,), (self.path,), *arguments, **options)

    def ask_posix(self, name: str, /, **options: Any) -> Any:
        """Have an operation of ``posix`` done on it."""
        return call(self.mount, POSIX[name], (self.inner,), (self.path,), **options)

    def info(self) -> dict[str, Any]:
        """What its filesystem knows of it, links not followed. ENOENT."""
        info: dict[str, Any] = self.ask("info")
        return info

    def remove(self) -> None:
        """Remove it, and what it holds."""
        if self.info()["type"] == "directory":
            self.ask("rm", recursive=True)
        else:
            self.ask("rm_file")

    def kind(self) -> str:
        """fsspec's type of it, a link not followed; empty if it is not there."""
        try:
            return str(self.info()["type"])
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def exists(self) -> bool:
        """Whether there is such an entry."""
        return bool(self.ask("lexists"))

    def below(self, rest: str) -> End:
        """A path below it; itself for an empty one."""
        return replace(self, path=join(self.path, rest)) if rest else self

    @property
    def parent(self) -> End:
        """Its directory."""
        return replace(self, path=split(self.path)[0])

    def beside(self, name: str) -> End:
        """Another entry of its directory."""
        return replace(self, path=join(split(self.path)[0], name))

    def link_to(self, other: End) -> None:
        """Give the file a second name in the same mount."""
        call(self.mount, POSIX["link"], (self.inner, other.inner), (self.path, other.path))

    @property
    def can_stage(self) -> bool:
        """Whether something can be prepared under another name, edited in place, and shown by one rename."""
        can = self.mount.can
        return can.random_write and can.rename and can.replace and can.directories

    def keeps(self, capability: str, other: End) -> bool:
        """Whether both ends have a capability, so that what it stands for can be carried over."""
        return all(getattr(end.mount.can, capability) for end in (self, other))


def settle(mount: Mount) -> None:
    """In a transaction, have the files published that were written so far: removing nothing does that."""
    if mount.can.transactions and mount.fs._intrans:  # noqa: SLF001 - fsspec has no public name for it
        mount.fs.rm([])


def fingerprint(info: dict[str, Any]) -> tuple[Any, ...]:
    """What tells whether a file is still as it was."""
    return tuple([str(info.get(key)) for key in _TELLING])
