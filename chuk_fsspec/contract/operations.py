"""Every public name of an fsspec filesystem and of ``fs.posix``, and what calling it does.

A closed wrapper reads its duties here: what to forward, which arguments to translate and authorise, which results to
wrap. A test compares the tables with the classes themselves, so a name that a new fsspec release adds is noticed before
it becomes a way around a wrapper.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

_WRITING_MODES = frozenset("wax+")
# O_TMPFILE holds the bit of O_DIRECTORY, which alone writes nothing.
_WRITING_FLAGS = (
    os.O_WRONLY
    | os.O_RDWR
    | os.O_CREAT
    | os.O_TRUNC
    | os.O_APPEND
    | getattr(os, "O_TMPFILE", 0) & ~getattr(os, "O_DIRECTORY", 0)
)


class Kind(Enum):
    """Who answers a call."""

    KERNEL = "kernel"
    """The filesystem itself: a wrapper forwards it."""
    DERIVED = "derived"
    """fsspec, by other operations of the same object: a wrapper inherits it."""
    BULK = "bulk"
    """As derived, but for many files at once, by list, pattern or recursion: forwarded, each of them needs a check."""
    IDENTITY = "identity"
    """The object, about itself: a wrapper answers for itself and forwards nothing."""


class Effect(Enum):
    """What a call does to a path."""

    NONE = "none"
    LIST = "list"
    """Shows that it exists, its names and attributes."""
    READ = "read"
    """Shows content."""
    WRITE = "write"
    """Makes it, or changes content or attributes."""
    DELETE = "delete"
    RENAME = "rename"
    """Takes the name away or puts another file under it: both ends of a move."""


class Returns(Enum):
    """What has to happen to a result on its way out of a wrapper."""

    VALUE = "value"
    """Nothing."""
    PATHS = "paths"
    """It holds paths or info dicts, alone, in lists or as keys: translated back."""
    HANDLE = "handle"
    """It acts on the filesystem later: wrapped."""
    FILESYSTEM = "filesystem"
    """An instance of the class that was asked."""


@dataclass(frozen=True)
class Operation:
    """One public name.

    Args:
        name: the attribute.
        kind: who answers.
        effect: what it does to its ``paths``; without any, to the filesystem as a whole.
        paths: parameters that are paths of the filesystem.
        reads: those of ``paths`` that are only read, whatever happens to the others.
        local: parameters that are paths of the host.
        raised_by: the parameter that can turn a READ into a WRITE: an open mode or open(2) flags.
        returns: what has to happen to the result.
        posix: whether it is a name of ``fs.posix``, and not of the filesystem itself.
    """

    name: str
    kind: Kind
    effect: Effect = Effect.NONE
    paths: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    raised_by: str = ""
    returns: Returns = Returns.VALUE
    posix: bool = False

    def effect_on(self, parameter: str) -> Effect:
        """What the call does to one of its paths; KeyError if the parameter is not a path of the filesystem."""
        if parameter not in self.paths:
            raise KeyError(parameter)
        return Effect.READ if parameter in self.reads else self.effect

    def effect_in(self, options: Mapping[str, Any]) -> Effect:
        """What a call with these options does: ``effect``, or WRITE where the mode or the flags ask for more.

        Args:
            options: the arguments of the call by name; those that are not given have no effect on the answer.
        """
        if self.raised_by not in options:
            return self.effect
        asked = options[self.raised_by]
        writes = asked & _WRITING_FLAGS if isinstance(asked, int) else not _WRITING_MODES.isdisjoint(asked)
        return Effect.WRITE if writes else self.effect


KERNEL, DERIVED, BULK, IDENTITY = Kind.KERNEL, Kind.DERIVED, Kind.BULK, Kind.IDENTITY
LIST, READ, WRITE, DELETE, RENAME = Effect.LIST, Effect.READ, Effect.WRITE, Effect.DELETE, Effect.RENAME
PATHS, HANDLE, FILESYSTEM = Returns.PATHS, Returns.HANDLE, Returns.FILESYSTEM

_PATH = ("path",)
_TWO_PATHS = ("path1", "path2")


def _table(*operations: Operation, posix: bool = False) -> Mapping[str, Operation]:
    return MappingProxyType({operation.name: replace(operation, posix=posix) for operation in operations})


FSSPEC = _table(
    # ---- looking
    Operation("info", KERNEL, LIST, _PATH, returns=PATHS),
    Operation("ls", KERNEL, LIST, _PATH, returns=PATHS),
    # exists, isdir and isfile follow symbolic links, which info does not always do: they cannot be derived from it.
    Operation("exists", KERNEL, LIST, _PATH),
    Operation("lexists", KERNEL, LIST, _PATH),
    Operation("isdir", KERNEL, LIST, _PATH),
    Operation("isfile", KERNEL, LIST, _PATH),
    Operation("created", KERNEL, LIST, _PATH),
    Operation("modified", KERNEL, LIST, _PATH),
    Operation("checksum", KERNEL, LIST, _PATH),
    Operation("ukey", KERNEL, LIST, _PATH),
    Operation("size", DERIVED, LIST, _PATH),
    Operation("stat", DERIVED, LIST, _PATH, returns=PATHS),
    Operation("listdir", DERIVED, LIST, _PATH, returns=PATHS),
    Operation("disk_usage", DERIVED, LIST, _PATH, returns=PATHS),
    Operation("sizes", BULK, LIST, ("paths",)),
    Operation("walk", BULK, LIST, _PATH, returns=PATHS),
    Operation("find", BULK, LIST, _PATH, returns=PATHS),
    Operation("glob", BULK, LIST, _PATH, returns=PATHS),
    Operation("expand_path", BULK, LIST, _PATH, returns=PATHS),
    Operation("du", BULK, LIST, _PATH, returns=PATHS),
    Operation("tree", BULK, LIST, _PATH),
    # ---- reading
    Operation("open", KERNEL, READ, _PATH, raised_by="mode", returns=HANDLE),
    Operation("cat_file", KERNEL, READ, _PATH),
    # A signed URL lets its holder read, past every wrapper.
    Operation("sign", KERNEL, READ, _PATH),
    Operation("read_bytes", DERIVED, READ, _PATH),
    Operation("read_text", DERIVED, READ, _PATH),
    Operation("read_block", DERIVED, READ, ("fn",)),
    Operation("head", DERIVED, READ, _PATH),
    Operation("tail", DERIVED, READ, _PATH),
    Operation("get_file", DERIVED, READ, ("rpath",), local=("lpath",)),
    Operation("download", DERIVED, READ, ("rpath",), local=("lpath",)),
    Operation("cat", BULK, READ, _PATH, returns=PATHS),
    Operation("cat_ranges", BULK, READ, ("paths",)),
    Operation("get", BULK, READ, ("rpath",), local=("lpath",)),
    # ---- writing
    Operation("pipe_file", KERNEL, WRITE, _PATH),
    Operation("touch", KERNEL, WRITE, _PATH),
    Operation("cp_file", KERNEL, WRITE, _TWO_PATHS, reads=("path1",)),
    Operation("mkdir", KERNEL, WRITE, _PATH),
    Operation("makedirs", KERNEL, WRITE, _PATH),
    Operation("makedir", DERIVED, WRITE, _PATH),
    Operation("mkdirs", DERIVED, WRITE, _PATH),
    Operation("write_bytes", DERIVED, WRITE, _PATH),
    Operation("write_text", DERIVED, WRITE, _PATH),
    Operation("put_file", DERIVED, WRITE, ("rpath",), local=("lpath",)),
    Operation("upload", DERIVED, WRITE, ("rpath",), local=("lpath",)),
    Operation("cp", DERIVED, WRITE, _TWO_PATHS, reads=("path1",)),
    Operation("copy", BULK, WRITE, _TWO_PATHS, reads=("path1",)),
    Operation("pipe", BULK, WRITE, _PATH),
    Operation("put", BULK, WRITE, ("rpath",), local=("lpath",)),
    Operation("get_mapper", DERIVED, WRITE, ("root",), returns=HANDLE),
    # ---- removing and moving
    Operation("rm_file", KERNEL, DELETE, _PATH),
    Operation("rmdir", KERNEL, DELETE, _PATH),
    Operation("rm", BULK, DELETE, _PATH),
    Operation("delete", DERIVED, DELETE, _PATH),
    # fsspec derives mv from copy and rm, which is no rename; given a list or a pattern, it is a bulk operation.
    Operation("mv", KERNEL, RENAME, _TWO_PATHS),
    Operation("move", DERIVED, RENAME, _TWO_PATHS),
    Operation("rename", DERIVED, RENAME, _TWO_PATHS),
    # ---- the filesystem as a whole
    Operation("invalidate_cache", KERNEL, Effect.NONE, _PATH),
    Operation("transaction", KERNEL, WRITE, returns=HANDLE),
    Operation("start_transaction", KERNEL, WRITE),
    Operation("end_transaction", KERNEL, WRITE),
    # ---- the object itself
    Operation("async_impl", IDENTITY),
    Operation("blocksize", IDENTITY),
    Operation("cachable", IDENTITY),
    Operation("clear_instance_cache", IDENTITY),
    Operation("current", IDENTITY, returns=FILESYSTEM),
    Operation("from_dict", IDENTITY, returns=FILESYSTEM),
    Operation("from_json", IDENTITY, returns=FILESYSTEM),
    Operation("fsid", IDENTITY),
    Operation("mirror_sync_methods", IDENTITY),
    Operation("protocol", IDENTITY),
    Operation("root_marker", IDENTITY),
    Operation("sep", IDENTITY),
    Operation("to_dict", IDENTITY),
    Operation("to_json", IDENTITY),
    Operation("transaction_type", IDENTITY),
    Operation("unstrip_protocol", IDENTITY, Effect.NONE, ("name",)),
)
"""The public names of ``AbstractFileSystem``, in every supported release of fsspec."""

POSIX = _table(
    Operation("stat", KERNEL, LIST, _PATH),
    Operation("lstat", KERNEL, LIST, _PATH),
    # The target of a symbolic link is text that may name anything; it is looked at when the link is followed.
    Operation("symlink", KERNEL, WRITE, _PATH),
    Operation("readlink", KERNEL, LIST, _PATH, returns=PATHS),
    # What is written under one name changes under the other: linking is writing to both.
    Operation("link", KERNEL, WRITE, ("source", "path")),
    Operation("mkdir", KERNEL, WRITE, _PATH),
    Operation("rename", KERNEL, RENAME, ("source", "path")),
    Operation("unlink", KERNEL, DELETE, _PATH),
    Operation("rmdir", KERNEL, DELETE, _PATH),
    Operation("chmod", KERNEL, WRITE, _PATH),
    Operation("chown", KERNEL, WRITE, _PATH),
    Operation("utime", KERNEL, WRITE, _PATH),
    Operation("truncate", KERNEL, WRITE, _PATH),
    Operation("mknod", KERNEL, WRITE, _PATH),
    Operation("setxattr", KERNEL, WRITE, _PATH),
    Operation("getxattr", KERNEL, READ, _PATH),
    Operation("listxattr", KERNEL, LIST, _PATH),
    Operation("removexattr", KERNEL, WRITE, _PATH),
    Operation("statvfs", KERNEL, LIST),
    Operation("open_handle", KERNEL, READ, _PATH, raised_by="flags", returns=HANDLE),
    Operation("nofollow", KERNEL, Effect.NONE, returns=FILESYSTEM),
    Operation("reader", KERNEL, READ, ("directory",), returns=HANDLE),
    # Nodes know no paths: a wrapper that looks at paths cannot hand them out.
    Operation("nodes", KERNEL, WRITE, returns=HANDLE),
    posix=True,
)
"""The public names of ``contract.Posix``."""
