"""Undo scopes: what each thread did since it began one, as functions that take it back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from chuk_fsspec.backends.memory.inode import AnyInode, MemoryDirectory, set_entry
from chuk_fsspec.backends.memory.space import Space
from chuk_fsspec.backends.memory.timeline import own_space
from chuk_fsspec.engine import content as contents

Undo = Callable[[], None]


class Journals:
    """The undo scopes of a store. Whoever changes something while ``scopes`` is not empty tells it here before.

    Attributes:
        scopes: of each thread that has any, innermost last; always the same dict, for whoever looks at it often.
    """

    def __init__(self, space: Space, forget: Callable[[AnyInode], None]) -> None:
        """Begin with none.

        Args:
            space: the store's.
            forget: frees an inode of the store, whoever might bring it back.
        """
        self.scopes: dict[int, list[list[Undo]]] = {}
        self._space = space
        self._forget = forget
        self._unused: dict[int, AnyInode] = {}

    @property
    def is_mine(self) -> bool:
        """Whether the calling thread has a scope."""
        return threading.get_ident() in self.scopes

    def begin(self) -> None:
        """Begin a scope of the calling thread."""
        self.scopes.setdefault(threading.get_ident(), []).append([])

    def commit(self) -> None:
        """Keep what was done in the innermost scope, for as long as the scope around it is kept."""
        for undo in self._end_scope():
            self._record(undo)
        self._free_unused()

    def rollback(self) -> None:
        """Take back what was done in the innermost scope, last change first."""
        for undo in reversed(self._end_scope()):
            undo()
        self._free_unused()

    def free_later(self, inode: AnyInode) -> None:
        """An inode has lost its last name; it is freed once nobody can bring it back."""
        self._unused[inode.ino] = inode

    def record_new(self, inode: AnyInode) -> None:
        """An inode was made."""

        def undo() -> None:
            self._unused.pop(inode.ino, None)
            self._forget(inode)

        self._record(undo)

    def record_entry(self, directory: MemoryDirectory, name: str) -> None:
        """An entry will be another one, or made, or removed."""
        before = directory.content.get(name)
        times = directory.mtime_ns, directory.ctime_ns

        def undo() -> None:
            set_entry(directory, name, before)
            directory.mtime_ns, directory.ctime_ns = times

        self._record(undo)

    def record_fields(self, inode: AnyInode, fields: dict[str, Any]) -> None:
        """Fields will have these values."""
        before = {name: getattr(inode, name) for name in fields}

        def undo() -> None:
            for name, value in before.items():
                # A count is undone by as much as it was changed, since others may have changed it too.
                undone = inode.nlink + value - fields["nlink"] if name == "nlink" else value
                setattr(inode, name, undone)

        self._record(undo)

    def record_content(self, inode: AnyInode) -> None:
        """A file's content will change."""
        content = contents.copy(inode.content)
        before = inode.mtime_ns, inode.ctime_ns, inode.version
        shared = inode.history is not None and inode.history.shares

        def undo() -> None:
            self._space.used -= own_space(inode)
            inode.content = content
            inode.mtime_ns, inode.ctime_ns, inode.version = before
            if inode.history is not None:
                inode.history.shares = shared and inode.history.has_content(inode.version)
            self._space.used += own_space(inode)

        self._record(undo)

    def _record(self, undo: Undo) -> None:
        scopes = self.scopes.get(threading.get_ident())
        if scopes is not None:
            scopes[-1].append(undo)

    def _end_scope(self) -> list[Undo]:
        """End the calling thread's innermost scope; returns what was done in it."""
        scopes = self.scopes.get(threading.get_ident(), [[]])
        done = scopes.pop()
        if not scopes:
            self.scopes.pop(threading.get_ident(), None)
        return done

    def _free_unused(self) -> None:
        if not self.scopes:
            unused, self._unused = self._unused, {}
            for inode in unused.values():
                if inode.nlink == 0:
                    self._forget(inode)
