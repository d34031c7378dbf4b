"""What the calls of a stage have in common."""

from __future__ import annotations

import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Operation
from chuk_fsspec.forwarding.conditions import NAMES
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Record
from chuk_fsspec.wrappers.staging.resolving import Resolver

if TYPE_CHECKING:
    from chuk_fsspec.wrappers.staging.filesystem import StageFileSystem

Paths = tuple[Any, ...]
Options = dict[str, Any]
Call = Callable[[Operation, Paths, Paths, Options], Any]


class Calls:
    """One group of calls.

    Args:
        fs: the filesystem that is called.
        overlay: its stage.
        resolver: takes over what paths lead through.
    """

    def __init__(self, fs: StageFileSystem, overlay: Overlay, resolver: Resolver) -> None:
        self.fs, self.overlay, self.resolver = fs, overlay, resolver
        self.above = fs.above

    def settle(self) -> None:
        """In a transaction, publish the files written so far before the tree changes under them."""
        if self.fs.is_in_transaction:
            self.fs.transaction.publish_files()

    def shown(self, path: str) -> tuple[Node, Record] | None:
        """A file some of whose content is the base's, and what is known of it; None for all else."""
        if not self.fs.follows_links:
            self.above(POSIX["stat"], (path,), (), {})
        node = self.resolver.target(path)
        if node is None or not stat.S_ISREG(node.mode):
            return None
        record = self.overlay.record_of(node.ino)
        return None if record is None or not record.limit else (node, record)

    def target(self, path: str, options: Options) -> Node | None:
        """The node that a path leads to; if the call has conditions, its etag tells what the base has by now."""
        return self._current(self.resolver.target(path), options)

    def entry(self, path: str, options: Options) -> Node | None:
        """The same of a path whose link at the end is not followed."""
        return self._current(self.resolver.entry(path), options)

    def _current(self, node: Node | None, options: Options) -> Node | None:
        if node is not None and not NAMES.isdisjoint(options):
            self.overlay.refresh(self.overlay.nodes, node)
        return node

    def copy_up(self, path: str, options: Options) -> None:
        """Have all content of a file in the upper filesystem.

        Args:
            path: of the file.
            options: of the call; conditions that name the etag that it had name the one that it has then.
        """
        shown = self.shown(path)
        if shown is None:
            return
        if NAMES.isdisjoint(options):
            self.overlay.copy_up(self.overlay.nodes, *shown)
            return
        with self.overlay.turns.step():
            before = self.etag(path)
            self.overlay.copy_up(self.overlay.nodes, *shown)
            after = self.etag(path)
        options.update({name: after for name in NAMES if options.get(name) == before})

    def etag(self, path: str) -> Any:
        """That of the file that a path leads to, in the stage."""
        return self.above(FSSPEC["info"], (path,), (), {})["etag"]

    def replaced(self, path: str) -> None:
        """All content of a file was replaced; to be called in the same step."""
        node = self.resolver.target(path)
        if node is not None:
            self.overlay.replaced(self.overlay.nodes, node)
