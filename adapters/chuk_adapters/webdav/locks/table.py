"""All locks of a tree, and who may change what in spite of them (RFC 4918, sections 6 and 7)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import RLock

from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.locks.keeping import LockKeeper
from chuk_adapters.webdav.locks.lock import TOKEN_PREFIX, Lock, is_below, seconds_granted
from chuk_fsspec.contract.paths import split

MOST_LOCKS = 4096
"""Locks at once: each change looks through all of them."""


@dataclass(frozen=True)
class Change:
    """What a request is about to change.

    Attributes:
        path: an absolute path.
        is_deep: whether all below it is changed too.
        is_entry: whether the directory that it is in gets or loses a member.
    """

    path: str
    is_deep: bool = False
    is_entry: bool = False

    def touches(self, path: str, *, is_deep: bool) -> bool:
        """Whether it changes what a lock on a path would protect."""
        changed = (self.path, split(self.path)[0]) if self.is_entry else (self.path,)
        return (
            path in changed
            or (is_deep and any(is_below(one, path) for one in changed))
            or (self.is_deep and is_below(path, self.path))
        )


@dataclass(frozen=True)
class Claim:
    """By what right a request changes something.

    Attributes:
        tokens: the lock tokens that it shows.
        user: who sends it.
    """

    tokens: frozenset[str]
    user: str

    def opens(self, lock: Lock) -> bool:
        """Whether it is the holder of a lock who asks, and says so."""
        return lock.token in self.tokens and lock.user == self.user


class LockTable:
    """The locks of a tree. Every method may be called from any thread."""

    def __init__(self, keeper: LockKeeper) -> None:
        self._keeper = keeper
        self._mutex = RLock()
        self._locks: dict[str, Lock] = {}
        self._changes: list[Change] = []

    # ---- looking

    def covering(self, path: str) -> list[Lock]:
        """The locks that protect what is at a path, its own and those of collections above it."""
        return [lock for lock in self._current() if lock.covers(path)]

    def covering_each(self, paths: Iterable[str]) -> dict[str, list[Lock]]:
        """The same for many paths, as one look; paths without locks are left out."""
        locks = self._current()
        if not locks:
            return {}
        found = {path: [lock for lock in locks if lock.covers(path)] for path in paths}
        return {path: covering for path, covering in found.items() if covering}

    def get(self, token: str, path: str) -> Lock:
        """The lock of a token. Refusal 409 unless there is one and it protects a path (RFC 4918, 9.11.1)."""
        for lock in self._current():
            if lock.token == token and lock.covers(path):
                return lock
        raise Refusal(409, "there is no such lock here", precondition="lock-token-matches-request-uri")

    # ---- locking

    def grant(
        self,
        path: str,
        *,
        is_collection: bool,
        is_deep: bool,
        is_exclusive: bool,
        owner: str,
        user: str,
        timeout: str,
    ) -> Lock:
        """Lock a path.

        Args:
            path: absolute.
            is_collection: whether a collection is there.
            is_deep: for all below it, too.
            is_exclusive: or shared with others who want it so.
            owner: XML for others to read.
            user: who asks.
            timeout: as the header has it.

        Raises:
            Refusal: 423 for a lock in the way, naming it; 423 for a change of this moment; 507 for one lock too many.
        """
        with self._mutex:
            in_the_way = [
                lock.root
                for lock in self._current()
                if (is_exclusive or lock.is_exclusive)
                and (lock.covers(path) or (is_deep and is_below(lock.root, path)))
            ]
            if in_the_way:
                raise Refusal(423, "it is locked", precondition="no-conflicting-lock", paths=in_the_way)
            if len(self._locks) >= MOST_LOCKS:
                raise Refusal(507, "there are too many locks")
            if any(change.touches(path, is_deep=is_deep) for change in self._changes):
                raise Refusal(423, "it is being changed", precondition="no-conflicting-lock")
            seconds = seconds_granted(timeout)
            lock = Lock(
                token=f"{TOKEN_PREFIX}{uuid.uuid4()}",
                root=path,
                is_collection=is_collection,
                is_deep=is_deep,
                is_exclusive=is_exclusive,
                owner=owner,
                user=user,
                seconds=seconds,
                expires=time.time() + seconds,
            )
            self._locks[lock.token] = lock
            self._keeper.keep(lock)
            return lock

    def refresh(self, lock: Lock, timeout: str) -> Lock:
        """Grant a lock for longer."""
        seconds = seconds_granted(timeout)
        with self._mutex:
            renewed = replace(lock, seconds=seconds, expires=time.time() + seconds)
            self._locks[lock.token] = renewed
            self._keeper.keep(renewed)
            return renewed

    def release(self, lock: Lock) -> None:
        """End a lock."""
        with self._mutex:
            self._drop(lock.token)

    def release_at(self, path: str, *, below_only: bool = False) -> None:
        """End the locks on what was removed or moved away (RFC 4918, 7.5 and 9.6.1)."""
        for lock in self._current():
            if is_below(lock.root, path) or (lock.root == path and not below_only):
                self.release(lock)

    # ---- changing

    @contextmanager
    def changing(self, claim: Claim, *changes: Change) -> Iterator[None]:
        """Check that nothing is locked for a request, and let nothing be locked that it changes, inside the block.

        Raises:
            Refusal: 423, naming the locks whose tokens are missing.
        """
        with self._mutex:
            self.require(claim, *changes)
            self._changes += changes
        try:
            yield
        finally:
            with self._mutex:
                for change in changes:
                    self._changes.remove(change)

    def require(self, claim: Claim, *changes: Change) -> None:
        """Refusal 423 for a change that is locked for a request (RFC 4918, 7.5)."""
        locks = self._current()
        if not locks:
            return
        shut: set[str] = set()
        for change in changes:
            shut.update(self._shut(locks, claim, change.path))
            if change.is_entry:
                shut.update(self._shut(locks, claim, split(change.path)[0]))
            if change.is_deep:
                for root in {lock.root for lock in locks if is_below(lock.root, change.path)}:
                    shut.update(self._shut(locks, claim, root))
        if shut:
            raise Refusal(423, "it is locked", precondition="lock-token-submitted", paths=sorted(shut))

    @staticmethod
    def _shut(locks: list[Lock], claim: Claim, path: str) -> list[str]:
        """The roots of the locks on a path, unless the holder of one of them asks: any one of shared locks will do."""
        covering = [lock for lock in locks if lock.covers(path)]
        return [] if any(claim.opens(lock) for lock in covering) else [lock.root for lock in covering]

    # ---- steps

    def _current(self) -> list[Lock]:
        """The locks that hold at this moment, those of other servers included."""
        with self._mutex:
            kept = self._keeper.tokens()
            if kept is not None and kept != self._locks.keys():
                self._follow(kept)
            for lock in [lock for lock in self._locks.values() if lock.has_expired()]:
                self._expire(lock)
            return list(self._locks.values())

    def _follow(self, kept: frozenset[str]) -> None:
        for token in self._locks.keys() - kept:
            del self._locks[token]
        for token in kept - self._locks.keys():
            lock = self._keeper.load(token)
            if lock is not None:
                self._locks[token] = lock

    def _expire(self, lock: Lock) -> None:
        """Let go of a lock, unless another server was asked for more time."""
        renewed = self._keeper.load(lock.token)
        if renewed is None or renewed.has_expired():
            self._drop(lock.token)
        else:
            self._locks[lock.token] = renewed

    def _drop(self, token: str) -> None:
        self._locks.pop(token, None)
        self._keeper.drop(token)
