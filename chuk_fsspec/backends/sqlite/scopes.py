"""Scopes of a session: whose turn it is, what is known within, and what its end brings about.

They can be nested, and used by all threads. SQLite's errors leave them as ``OSError``.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.errors import translated

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.session import Session


class Scope(ABC):
    """A time in which this process's other threads wait."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    @abstractmethod
    def _begin(self, session: Session) -> None:
        """What is done first, once it is this thread's turn."""

    @abstractmethod
    def _end(self, session: Session, error: BaseException | None) -> None:
        """What is done last, while it still is.

        Args:
            session: the session.
            error: what the scope is left with.
        """

    def __enter__(self) -> None:
        session = self._session
        session.acquire()
        try:
            self._begin(session)
        except sqlite3.Error as error:
            session.release()
            raise translated(error, session.path) from error
        except BaseException:
            session.release()
            raise

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> None:
        session = self._session
        try:
            self._end(session, error)
        except sqlite3.Error as failure:
            raise translated(failure, session.path) from failure
        finally:
            session.release()
        if isinstance(error, sqlite3.Error):
            raise translated(error, session.path) from error


class Looking(Scope):
    """A scope in which nobody of this process changes anything, entered knowing what other processes have committed."""

    __slots__ = ()

    def _begin(self, session: Session) -> None:
        if session.held == 1:
            session.look()

    def _end(self, session: Session, error: BaseException | None) -> None:
        """Nothing was begun."""


class Reading(Scope):
    """A scope as ``Looking`` that keeps to one state of the file; within another scope, it adds nothing."""

    __slots__ = ()

    def _begin(self, session: Session) -> None:
        if session.held == 1:
            session.begin_reading()

    def _end(self, session: Session, error: BaseException | None) -> None:
        if session.held == 1:
            session.end_reading()


class Changing(Scope):
    """A scope that takes effect as a whole or not at all."""

    __slots__ = ()

    def _begin(self, session: Session) -> None:
        session.begin()

    def _end(self, session: Session, error: BaseException | None) -> None:
        session.end(keep=error is None, damage=isinstance(error, sqlite3.Error))


class Batching(Scope):
    """A scope for many operations that are committed together.

    An operation that fails before it has changed anything leaves the others be. One that fails half-way breaks the
    batch: with no savepoint to return to, all of it has to be undone.
    """

    __slots__ = ()

    def _begin(self, session: Session) -> None:
        session.begin_batch()

    def _end(self, session: Session, error: BaseException | None) -> None:
        session.end_batch(keep=error is None)
