"""``fs.posix`` of a stage."""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.operations import Operation
from chuk_fsspec.wrappers.staging.book import is_ours
from chuk_fsspec.wrappers.staging.calls import Call, Calls, Options, Paths
from chuk_fsspec.wrappers.staging.content import StageHandle
from chuk_fsspec.wrappers.staging.nodes import leaving, open_handle

_TMPFILE = getattr(os, "O_TMPFILE", 0)
_NEEDS = {
    "symlink": "symlinks",
    "readlink": "symlinks",
    "link": "hardlinks",
    "chmod": "attributes",
    "chown": "attributes",
    "utime": "attributes",
    "mknod": "special_files",
    "setxattr": "xattrs",
    "removexattr": "xattrs",
    "getxattr": "xattrs",
    "listxattr": "xattrs",
}


class PosixCalls(Calls):
    """Calls of ``contract.Posix``."""

    def calls(self) -> dict[str, Call]:
        """What answers which operation."""
        plain = ("stat", "lstat", "readlink", "mkdir", "symlink", "link", "mknod", "chmod", "chown", "utime")
        return {
            **dict.fromkeys(plain, self.plain),
            "rename": self.rename,
            "unlink": self.unlink,
            "rmdir": self.rmdir,
            "truncate": self.truncate,
            "setxattr": self.change_xattr,
            "removexattr": self.change_xattr,
            "getxattr": self.getxattr,
            "listxattr": self.listxattr,
            "open_handle": self.open_handle,
            "reader": self.reader,
        }

    def plain(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        self._require(operation, paths)
        for path in paths:
            self.resolver.target(path)
        return self.above(operation, paths, arguments, options)

    def reader(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        raise not_supported("reading by name", paths[0])

    # ---- names

    def rename(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        for path in paths:
            self.resolver.target(path)
        target = None if options["flags"] else self.resolver.entry(paths[1])
        leaving(self.overlay, self.overlay.nodes, target, lambda: self.above(operation, paths, arguments, options))

    def unlink(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        node = self.resolver.entry(paths[0])
        self.above(operation, paths, arguments, options)
        if node is not None and stat.S_ISLNK(node.mode):
            self.overlay.moved()

    def rmdir(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        node = self.resolver.entry(paths[0])
        leaving(self.overlay, self.overlay.nodes, node, lambda: self.above(operation, paths, arguments, options))

    # ---- content

    def truncate(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        node = self.resolver.target(paths[0])
        with self.overlay.turns.step():
            before = None if node is None else node.size
            self.above(operation, paths, arguments, options)
            record = None if node is None else self.overlay.record_of(node.ino)
            if node is not None and record is not None and before != options["size"]:
                self.overlay.cut(self.overlay.nodes, node, record, options["size"])

    def open_handle(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        flags = options["flags"]
        self.resolver.target(paths[0])
        overlay, nodes = self.overlay, self.overlay.nodes
        with overlay.turns.step():
            handle = self.above(operation, paths, arguments, options)
            node = self.resolver.target(paths[0])
            if node is not None and _TMPFILE and flags & _TMPFILE == _TMPFILE:
                handle.close()  # it was made to hear what is wrong with the request
                node = nodes.temporary(node, stat.S_IMODE(options["mode"]), *_user())
                return open_handle(overlay, nodes, node, flags & ~_TMPFILE)
            if node is None:
                handle.close()
                raise os_error(errno.ESTALE, paths[0], hint="it was removed while it was opened")
            if flags & os.O_TRUNC:
                overlay.replaced(nodes, node)
        try:
            return StageHandle(overlay, nodes, node, handle, flags)
        except BaseException:
            handle.close()
            raise

    # ---- extended attributes

    def getxattr(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> Any:
        self._taken(operation, paths)
        if is_ours(options["name"]):
            raise os_error(errno.ENODATA, paths[0], hint=options["name"])
        return self.above(operation, paths, arguments, options)

    def listxattr(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> list[str]:
        self._taken(operation, paths)
        return [name for name in self.above(operation, paths, arguments, options) if not is_ours(name)]

    def change_xattr(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        node = self._taken(operation, paths)
        if is_ours(options["name"]):
            hint = "extended attributes of this name are the stage's own"
            raise os_error(errno.EPERM, paths[0], hint=hint)
        with self.overlay.turns.step():
            self.above(operation, paths, arguments, options)
            if node is not None:
                self.overlay.xattrs_changed(self.overlay.nodes, node)

    def _taken(self, operation: Operation, paths: Paths) -> Node | None:
        self._require(operation, paths)
        node = self.resolver.target(paths[0])
        if node is not None:
            self.overlay.take_xattrs(self.overlay.nodes, node)
        return node

    def _require(self, operation: Operation, paths: Paths) -> None:
        needed = _NEEDS.get(operation.name)
        if needed is not None and not getattr(self.fs.capabilities, needed):
            raise not_supported(f"{operation.name}: what lies below the stage keeps no such thing", paths[0])


def _user() -> tuple[int, int]:
    return getattr(os, "getuid", int)(), getattr(os, "getgid", int)()
