"""Where a facade stands: its filesystem, its current directory, and what is mounted."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract import paths
from chuk_fsspec.contract.display import as_html, as_text
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.facade.providers import Calls, close_provider, name_of_protocol, open_provider
from chuk_fsspec.facade.stack import Stack, open_stack, whole_files
from chuk_fsspec.mounted import MountedFileSystem


class Place:
    """A filesystem with a current directory.

    Paths are absolute or count from the current directory. They are names, never patterns.
    """

    def __init__(
        self,
        provider: str | AbstractFileSystem = "memory",
        *,
        security_profile: str | Mapping[str, Any] | None = None,
        enable_mounts: bool = False,
        **options: Any,
    ) -> None:
        """Open a place for files.

        Args:
            provider: ``memory``, ``sqlite``, ``filesystem`` or another name of ``facade.providers``; any fsspec
                protocol; or a filesystem that is open already.
            security_profile: rules and quotas of ``chuksecure`` that hold for all that is done here: ``default``,
                ``strict``, ``readonly``, ``untrusted``, ``testing``, one of your own, or a dict of settings.
            enable_mounts: make ``mount`` possible.
            options: those that begin with ``security_`` replace settings of the profile; others are the provider's.

        Raises:
            ImportError: for a provider that is not installed, naming what to install.
            OSError: of the place.
            ValueError: for unknown names and options, naming the nearest known one.
        """
        self._stack: Stack | None = open_stack(provider, security_profile, enable_mounts, options)
        self._cwd = "/"

    @property
    def _open(self) -> Stack:
        if self._stack is None:
            raise ValueError("this filesystem is closed; make a new one")
        return self._stack

    # ---- what it stands on

    @property
    def fs(self) -> AbstractFileSystem:
        """The fsspec filesystem behind it, rules and mounts included. ValueError once it is closed."""
        return self._open.fs

    @property
    def provider(self) -> AbstractFileSystem:
        """The same as ``fs``, by the name that chuk-virtual-fs has for it."""
        return self.fs

    @property
    def calls(self) -> Calls:
        """How coroutines reach it."""
        return self._open.calls

    def get_provider_name(self) -> str:
        """The provider's name; the protocol of what is no provider."""
        return self._open.name

    def get_security_violations(self) -> list[dict[str, Any]]:
        """What the rules refused, oldest first; empty without rules.

        Returns:
            Dicts with ``time`` (seconds since the epoch), ``operation``, ``path``, ``rule``, ``effect`` and ``reason``.
        """
        guard = self._open.guard
        return guard.get_violations() if guard is not None else []

    def close(self) -> None:
        """Let go of the place; a second call does nothing.

        Files in memory that nobody else has a name for are gone. Connections end, and a sandbox that was made for this.

        Raises:
            OSError: of a service that does not end a sandbox.
        """
        stack, self._stack = self._stack, None
        if stack is not None and stack.own is not None:
            close_provider(stack.own)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'closed' if self._stack is None else self._stack.fs!r})"

    def _repr_html_(self) -> str:
        """Shown by notebooks."""
        return as_html(self.fs)

    # ---- the current directory

    def pwd(self) -> str:
        """The current directory, an absolute path."""
        return self._cwd

    def cd(self, path: str = "/") -> None:
        """Go to a directory. ENOENT, ENOTDIR."""
        self._cwd = self._directory(path)

    def resolve_path(self, path: str) -> str:
        """The absolute path of a path. EINVAL for a ``..`` that climbs above the root, ENAMETOOLONG."""
        return paths.normalise(path if path.startswith("/") else f"{self._cwd}/{path}")

    def split_path(self, path: str) -> tuple[str, str]:
        """The absolute path of the directory of a path, and its name in it."""
        return paths.split(self.resolve_path(path))

    def tree(self, path: str = ".") -> str:
        """The top of a directory as an indented tree, with sizes in bytes. ENOENT, ENOTDIR."""
        return as_text(self.fs, self._directory(path))

    def _directory(self, path: str) -> str:
        """The absolute path of a directory that is there."""
        target = self.resolve_path(path)
        if not self.fs.isdir(target):
            self.fs.info(target)
            raise os_error(errno.ENOTDIR, target)
        return target

    # ---- mounts

    def mount(self, mount_point: str, provider: Any, *, read_only: bool = False, **options: Any) -> None:
        """Make another place for files appear as a directory. What was there is covered until it is unmounted.

        Args:
            mount_point: the directory; it need not exist.
            provider: as for the constructor, or another ``VirtualFileSystem``.
            read_only: refuse every change with EROFS.
            options: the provider's.

        Raises:
            ImportError: for a provider that is not installed.
            OSError: EBUSY where something is mounted; ENOTSUP without ``enable_mounts``.
            ValueError: for unknown names and options.
        """
        tree, point = self._tree(mount_point)
        below = open_provider(provider.fs if isinstance(provider, Place) else provider, options)
        wrappers = () if whole_files(below) is below else ("chukstream",)
        tree.mount(point, below, read_only=read_only, wrappers=wrappers)
        self._recount()

    def unmount(self, mount_point: str, *, force: bool = False) -> None:
        """Take a mount away, and show again what it covered.

        Args:
            mount_point: where it is mounted.
            force: also while it is in use: open files go on working.

        Raises:
            OSError: EINVAL where nothing is mounted; EBUSY for the root, while files are open in it, and while another
                mount lies inside; ENOTSUP without ``enable_mounts``.
        """
        tree, point = self._tree(mount_point)
        if point == "/":
            raise os_error(errno.EBUSY, point, hint="the provider itself stays; close() ends it")
        tree.unmount(point, force=force)
        self._recount()

    def list_mounts(self) -> list[dict[str, Any]]:
        """What is mounted, in order of mount points; the provider itself is not listed.

        Returns:
            Dicts of ``mount_point``, ``provider``, ``read_only`` and ``options``, without secrets.
        """
        tree = self._open.tree
        mounts = tree.list_mounts() if tree is not None else []
        return [
            {
                "mount_point": one["mount_point"],
                "provider": name_of_protocol(one["protocol"]),
                "read_only": one["read_only"],
                "options": one["options"],
            }
            for one in mounts
            if one["mount_point"] != "/"
        ]

    def _tree(self, mount_point: str) -> tuple[MountedFileSystem, str]:
        point, tree = self.resolve_path(mount_point), self._open.tree
        if tree is None:
            raise not_supported("mounts; make the filesystem with enable_mounts=True", point)
        return tree, point

    def _recount(self) -> None:
        """Quotas are of all that is there, which is something else by now."""
        guard = self._open.guard
        if guard is not None:
            guard.recount()
