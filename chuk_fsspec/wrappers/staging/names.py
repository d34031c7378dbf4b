"""Looking at names, and changing them."""

from __future__ import annotations

import stat
from contextlib import suppress

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.operations import Operation
from chuk_fsspec.wrappers.staging.calls import Call, Calls, Options, Paths
from chuk_fsspec.wrappers.staging.nodes import leaving

_LOOKING = ("info", "exists", "lexists", "isdir", "isfile", "created", "modified", "checksum", "ukey")


class Names(Calls):
    """Calls of fsspec that are about names."""

    def calls(self) -> dict[str, Call]:
        """What answers which operation."""
        return {
            **dict.fromkeys(_LOOKING, self.look),
            "ls": self.ls,
            "find": self.find,
            "mkdir": self.make,
            "makedirs": self.make,
            "rm_file": self.rm_file,
            "rmdir": self.rmdir,
            "rm": self.rm,
            "mv": self.mv,
            "invalidate_cache": lambda *_: None,
        }

    def look(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> object:
        self.resolver.target(paths[0])
        return self.above(operation, paths, arguments, options)

    def ls(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> object:
        self.resolver.prepare_entries(paths[0])
        return self.above(operation, paths, arguments, options)

    def find(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> object:
        self.resolver.prepare_below(paths[0], options.get("maxdepth"))
        return self.above(operation, paths, arguments, options)

    def make(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> object:
        self.settle()
        self.resolver.target(paths[0])
        return self.above(operation, paths, arguments, options)

    def rm_file(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self.settle()
        node = self.entry(paths[0], options)
        self.above(operation, paths, arguments, options)
        if node is not None and stat.S_ISLNK(node.mode):
            self.overlay.moved()

    def rmdir(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self.settle()
        node = self.resolver.entry(paths[0])
        leaving(self.overlay, self.overlay.nodes, node, lambda: self.above(operation, paths, arguments, options))

    def mv(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self.settle()
        for path in paths:
            self.target(path, options)
        target = self.resolver.entry(paths[1])
        leaving(self.overlay, self.overlay.nodes, target, lambda: self.above(operation, paths, arguments, options))

    def rm(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self.settle()
        directories: list[Node] = []
        for path in paths[0]:
            node = self.resolver.entry(path)
            if node is not None and stat.S_ISDIR(node.mode) and options["recursive"]:
                self.resolver.prepare_below(path, options["maxdepth"])
                if options["maxdepth"] is None:
                    directories += self._directories(node)
        overlay, nodes = self.overlay, self.overlay.nodes
        with overlay.turns.step():
            with overlay.turns.quiet():
                for directory in directories:
                    overlay.book.leaves(nodes, directory)
            try:
                self.above(operation, paths, arguments, options)
            finally:
                with overlay.turns.quiet():
                    for directory in directories:
                        with suppress(FileNotFoundError):
                            if nodes.getattr(directory).nlink:
                                overlay.book.stays(nodes, directory)
                overlay.moved()

    def _directories(self, top: Node) -> list[Node]:
        """A directory and all below it."""
        found = [top]
        for directory in found:
            entries = self.overlay.nodes.entries(directory)
            found += [node for _, node in entries if stat.S_ISDIR(node.mode)]
        return found
