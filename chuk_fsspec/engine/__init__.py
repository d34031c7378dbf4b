"""The inode filesystem shared by chukmem and chuksqlite: one meaning, over stores that keep inodes and entries."""

from chuk_fsspec.engine.filesystem import InodeFileSystem
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.store import Store
from chuk_fsspec.engine.tree import Tree

__all__ = ["Directory", "Inode", "InodeFileSystem", "Store", "Tree"]
