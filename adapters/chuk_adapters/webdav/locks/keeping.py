"""Where locks are kept so that they survive the server, and other servers of the same files know of them."""

from __future__ import annotations

import logging
from typing import Protocol

from fsspec import AbstractFileSystem

from chuk_adapters.webdav import xattrs
from chuk_adapters.webdav.locks.lock import TOKEN_PREFIX, Lock, lock_from_json

log = logging.getLogger("chuk_adapters.webdav")

_PREFIX = "user.webdav.lock."


class LockKeeper(Protocol):
    """A place for locks."""

    def tokens(self) -> frozenset[str] | None:
        """The tokens that are kept there at the moment; None if only this server knows of any."""

    def load(self, token: str) -> Lock | None:
        """One lock; None if it is gone."""

    def keep(self, lock: Lock) -> None:
        """Keep a lock, or its new time, if there is room for it."""

    def drop(self, token: str) -> None:
        """Keep a lock no longer."""


class NoKeeper:
    """For stacks without extended attributes: locks end with the server."""

    def tokens(self) -> frozenset[str] | None:
        """None."""
        return None

    def load(self, token: str) -> Lock | None:
        """None."""
        return None

    def keep(self, lock: Lock) -> None:
        """Nothing."""

    def drop(self, token: str) -> None:
        """Nothing."""


class XattrKeeper:
    """Each lock is an extended attribute of the root: one that is granted or ends is one change of its own."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        self._loose: frozenset[str] = frozenset()

    def tokens(self) -> frozenset[str] | None:
        """Those of the attributes, and of the locks that found no room there."""
        names = xattrs.names(self._fs, "/", _PREFIX)
        return frozenset(TOKEN_PREFIX + name[len(_PREFIX) :] for name in names) | self._loose

    def load(self, token: str) -> Lock | None:
        """The lock of an attribute; None if that is gone or says nothing that can be read."""
        value = xattrs.get(self._fs, "/", _name(token))
        if value is None:
            return None
        try:
            return lock_from_json(value)
        except (ValueError, TypeError):
            log.warning("the root has a lock that cannot be read: %s", _name(token))
            return None

    def keep(self, lock: Lock) -> None:
        """Set the attribute; a root that takes no more, or none at all, leaves the lock to this server alone."""
        try:
            self._fs.posix.setxattr("/", _name(lock.token), lock.to_json())
        except OSError as error:
            if lock.token not in self._loose:
                log.warning("a lock will not survive this server, for the root cannot keep it: %s", error.strerror)
                self._loose |= {lock.token}

    def drop(self, token: str) -> None:
        """Remove the attribute; one that cannot be removed ends with its time."""
        if token in self._loose:
            self._loose -= {token}
            return
        try:
            xattrs.remove(self._fs, "/", _name(token))
        except OSError as error:
            log.warning("a lock that is over stays on the root: %s", error.strerror)


def _name(token: str) -> str:
    return _PREFIX + token.removeprefix(TOKEN_PREFIX)
