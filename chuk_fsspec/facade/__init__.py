"""A filesystem as a shell knows it, with a current directory: the names that users of chuk-virtual-fs know."""

from chuk_fsspec.facade.aio import AsyncVirtualFileSystem
from chuk_fsspec.facade.node_info import NodeInfo
from chuk_fsspec.facade.searching import Match
from chuk_fsspec.facade.shell import VirtualFileSystem

__all__ = ["AsyncVirtualFileSystem", "Match", "NodeInfo", "VirtualFileSystem"]
