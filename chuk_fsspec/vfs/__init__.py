"""Where "a file being edited" is defined: nodes and open handles over any fsspec filesystem, for doors to stand on."""

from __future__ import annotations

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from chuk_fsspec.contract.capabilities import PLAIN_FSSPEC, Capabilities, capabilities_of
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.vfs.backend import Backend
from chuk_fsspec.vfs.blocks import Blocks
from chuk_fsspec.vfs.pathvfs import PathVFS
from chuk_fsspec.vfs.spool import SpoolArea
from chuk_fsspec.vfs.table import NodeTable
from chuk_fsspec.vfs.volume import Volume

__all__ = ["PathVFS", "open_vfs"]

DEFAULT_CACHE_TIMEOUT = 1.0
DEFAULT_READ_AHEAD = 4 * 1024 * 1024
DEFAULT_READ_CACHE = 64 * 1024 * 1024

_ENTRIES_LISTED = 100
_ENTRIES_ASKED_FOR = 2
"""How many entries of a listing cost as much as a question about one; each may be asked for, to know its attributes."""

_PLAIN_LOCAL = Capabilities(write=True, directories=True, rename=True, modified_times=True)
"""What fsspec's own local filesystem can do, which declares nothing."""


def open_vfs(
    fs: AbstractFileSystem,
    *,
    root: str = "",
    spool_dir: str | None = None,
    cache_timeout: float | None = None,
    read_ahead: int = DEFAULT_READ_AHEAD,
    read_cache: int = DEFAULT_READ_CACHE,
    capabilities: Capabilities | None = None,
) -> NodeOperations:
    """Give any fsspec filesystem inode operations: its own where it declares ``nodes``, else a ``PathVFS``.

    The arguments after ``fs`` are for filesystems without nodes of their own.

    Args:
        fs: any fsspec filesystem.
        root: the path in it that becomes the root; empty for all of it.
        spool_dir: an existing directory in which a private one is made for the content of files that are being edited;
            None for the system's directory for temporary files. It needs room for the largest such file.
        cache_timeout: seconds for which names and attributes are believed before the filesystem is asked again; None
            for one. What is changed through this object is known at once; what others change, after that time.
        read_ahead: most bytes of one request that is made ahead of a program which reads in order, rounded up to a
            block of 128 KiB. Where versions can be read, up to four such requests are under way for each open file.
        read_cache: bytes of content that are kept for later reads, of all files together; 0 for none.
        capabilities: what the filesystem can do, instead of what it declares. Worth giving for a third-party filesystem
            that can rename or keeps empty directories; without, it is taken to do neither.

    Returns:
        Node operations. They are ``slow`` unless the filesystem writes in place (``random_write``) or is fsspec's own
        local or memory filesystem. ``close`` them in the end: it writes back what is unwritten.

    Raises:
        ValueError: for a negative ``cache_timeout`` or ``read_cache``, or a ``read_ahead`` below 1.
    """
    if cache_timeout is None:
        cache_timeout = DEFAULT_CACHE_TIMEOUT
    if cache_timeout < 0 or read_ahead < 1 or read_cache < 0:
        raise ValueError(
            f"cache_timeout {cache_timeout}, read_ahead {read_ahead} or read_cache {read_cache} is too small"
        )
    can = _known_capabilities(fs) if capabilities is None else capabilities
    if can.nodes and not root:
        nodes: NodeOperations = fs.posix.nodes
        return nodes
    volume = Volume(
        backend=Backend(fs, root, can),
        table=NodeTable(
            cache_timeout,
            keeps_directories=can.directories,
            has_links=can.hardlinks,
            entries_a_lookup=_ENTRIES_ASKED_FOR if can.attributes else _ENTRIES_LISTED,
        ),
        spools=SpoolArea(spool_dir),
        read_ahead=read_ahead,
        blocks=Blocks(read_cache),
    )
    return PathVFS(volume, slow=fs.async_impl or not (can.random_write or _is_at_hand(fs)))


def _known_capabilities(fs: AbstractFileSystem) -> Capabilities:
    declared = capabilities_of(fs)
    return _PLAIN_LOCAL if declared == PLAIN_FSSPEC and isinstance(fs, LocalFileSystem) else declared


def _is_at_hand(fs: AbstractFileSystem) -> bool:
    return isinstance(fs, (LocalFileSystem, MemoryFileSystem))
