"""Info dicts and listings of inodes."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.contract.info import type_of_mode
from chuk_fsspec.engine.inode import S_IFLNK, S_IFMT, S_IFREG, Directory, Inode
from chuk_fsspec.engine.resolve import Resolver
from chuk_fsspec.engine.tree import Tree

InfoDict = dict[str, Any]
Found = tuple[str, Inode]

# Copying a dict of all keys takes a quarter of the time of building one, and listings build many.
_TEMPLATE: InfoDict = {
    "name": "",
    "size": 0,
    "type": "file",
    "mtime": 0.0,
    "created": 0.0,
    "mode": 0,
    "ino": 0,
    "nlink": 0,
    "uid": 0,
    "gid": 0,
    "atime": 0.0,
    "ctime": 0.0,
    "mtime_ns": 0,
    "islink": False,
    "etag": "",
}


class Listing:
    """Describes inodes in the shape of ``contract.Info``."""

    def __init__(self, tree: Tree, resolver: Resolver) -> None:
        self._tree = tree
        self._resolver = resolver

    def info(self, path: str, inode: Inode) -> InfoDict:
        """The info dict of an inode under an absolute normal path.

        A link to a file has the target's type and size. A link to a directory, or to nothing, is of type ``link``, so
        that nobody walks in circles or deletes through it. Where links are not followed, so is every link, and its size
        is that of its text.
        """
        info = _TEMPLATE.copy()
        info["name"] = path
        info["mode"] = mode = inode.mode
        info["ino"] = inode.ino
        info["nlink"] = inode.nlink
        info["uid"] = inode.uid
        info["gid"] = inode.gid
        info["etag"] = hex(inode.version)
        _set_times(info, inode)
        kind = mode & S_IFMT
        if kind == S_IFREG:
            info["size"] = len(inode.content)
        else:
            info["type"] = type_of_mode(mode)
            if kind == S_IFLNK:
                self._describe_link(info, path, inode)
        return info

    def _describe_link(self, info: InfoDict, path: str, inode: Inode) -> None:
        info["islink"] = True
        info["destination"] = inode.content
        if not self._resolver.follows_links:
            info["size"] = inode.size
            return
        target = self._resolver.target(path)
        if target is not None and target.is_file:
            info["type"] = "file"
            info["size"] = target.size
            info["etag"] = target.etag

    def children(self, path: str, directory: Inode) -> list[InfoDict]:
        """Info dicts of a directory's entries, in name order.

        Files made in bulk share the very objects of their attributes with their neighbours: one dict is then a copy of
        the one before it but for four fields, which takes half the time of making it anew.
        """
        prefix = path if path.endswith("/") else path + "/"
        infos: list[InfoDict] = []
        add = infos.append
        info: InfoDict = {}
        mode = nlink = uid = gid = mtime_ns = ctime_ns = atime_ns = btime_ns = None
        entries = self._tree.entries(directory)
        entries.sort()
        for name, inode in entries:
            if (
                inode.mtime_ns is mtime_ns
                and inode.ctime_ns is ctime_ns
                and inode.atime_ns is atime_ns
                and inode.btime_ns is btime_ns
                and inode.mode is mode
                and inode.nlink is nlink
                and inode.uid is uid
                and inode.gid is gid
            ):
                info = info.copy()
                info["name"] = prefix + name
                info["ino"] = inode.ino
                info["size"] = len(inode.content)
                info["etag"] = hex(inode.version)
            else:
                info = self.info(prefix + name, inode)
                mode = inode.mode if inode.is_file else None
                nlink, uid, gid = inode.nlink, inode.uid, inode.gid
                mtime_ns, ctime_ns = inode.mtime_ns, inode.ctime_ns
                atime_ns, btime_ns = inode.atime_ns, inode.btime_ns
            add(info)
        return infos

    def below(self, path: str, directory: Inode, maxdepth: int | None) -> tuple[list[Found], list[Found]]:
        """What lies below a directory, as (path, inode): directories, and everything else. Links are not followed.

        Args:
            path: the directory's absolute normal path.
            directory: the directory.
            maxdepth: levels to go down; 1 is its own entries, None all.
        """
        children = self._tree.store.children
        directories: list[Found] = []
        others: list[Found] = []
        level: list[Found] = [(path.rstrip("/"), directory)]
        depth = 0
        while level and depth != maxdepth:
            depth += 1
            deeper: list[Found] = []
            for above, parent in level:
                prefix = above + "/"
                for name, inode in children(parent):
                    (deeper if isinstance(inode, Directory) else others).append((prefix + name, inode))
            directories += deeper
            level = deeper
        return directories, others


def _set_times(info: InfoDict, inode: Inode) -> None:
    """Fill in the times; those of a file that was made and left alone are one object, converted once."""
    mtime_ns = inode.mtime_ns
    mtime = mtime_ns / 1e9
    info["mtime"] = mtime
    info["mtime_ns"] = mtime_ns
    info["created"] = mtime if inode.btime_ns is mtime_ns else inode.btime_ns / 1e9
    info["atime"] = mtime if inode.atime_ns is mtime_ns else inode.atime_ns / 1e9
    info["ctime"] = mtime if inode.ctime_ns is mtime_ns else inode.ctime_ns / 1e9
