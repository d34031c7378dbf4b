"""Opening files: in place where the filesystem can, on shared content elsewhere."""

from __future__ import annotations

import errno
import os
from contextlib import closing

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, Handle
from chuk_fsspec.vfs import looking
from chuk_fsspec.vfs.content import Content
from chuk_fsspec.vfs.direct import DirectHandle
from chuk_fsspec.vfs.errors import os_errors
from chuk_fsspec.vfs.handle import ContentHandle
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.openfiles import OpenFiles
from chuk_fsspec.vfs.volume import Volume

_ONLY_TO_CREATE = os.O_CREAT | os.O_EXCL
_ZEROS = bytes(1 << 20)


def open_file(volume: Volume, files: OpenFiles, node: PathNode, flags: int) -> ContentHandle | DirectHandle:
    """Open a regular file. ENOENT if it is gone, EROFS, and whatever the filesystem says."""
    if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
        volume.backend.require_write(volume.table.names(node))
    looking.refresh(volume, node)
    if volume.backend.capabilities.random_write:
        return _open_directly(volume, node, flags)
    content = _open_content(volume, files, node)
    if flags & os.O_TRUNC:
        try:
            content.truncate(0)
        except OSError:
            files.close(content)
            raise
    return ContentHandle(volume, files, content, flags)


def truncate(volume: Volume, files: OpenFiles, node: PathNode, size: int, handle: Handle | None) -> None:
    """Set a file's length: through a handle, or by path, and then for everybody at once. EINVAL, EFBIG, ENOENT."""
    if handle is not None:
        handle.truncate(size)
    elif volume.backend.capabilities.random_write:
        _truncate_directly(volume, node, size)
    else:
        looking.refresh(volume, node)
        content = _open_content(volume, files, node)
        try:
            content.truncate(size)
            content.flush()
        finally:
            files.close(content)


def allocate(volume: Volume, files: OpenFiles, node: PathNode, offset: int, length: int, mode: int) -> None:
    """fallocate(2) by writing zeros: mode 0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE. EINVAL, ENOTSUP."""
    if offset < 0 or length <= 0:
        raise os_error(errno.EINVAL, node.name, hint="fallocate needs a range of at least one byte")
    keeps = mode & FALLOC_KEEP_SIZE
    kind = mode & ~FALLOC_KEEP_SIZE
    if kind not in (0, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE) or (kind == FALLOC_PUNCH_HOLE and not keeps):
        raise not_supported(f"fallocate mode {mode:#x}", node.name)
    with closing(open_file(volume, files, node, os.O_RDWR)) as handle:
        size = handle.stat().st_size
        end = offset + length
        if kind:
            for start in range(offset, min(end, size), len(_ZEROS)):
                handle.pwrite(_ZEROS[: min(end, size) - start], start)
        if end > size and not keeps:
            handle.truncate(end)


def _open_content(volume: Volume, files: OpenFiles, node: PathNode) -> Content:
    with volume.table.using(node) as names:
        content = files.open(node)
        if not node.sized:
            # Ranges cannot be read from a file without knowing where it ends.
            try:
                content.fetch(names)
            except OSError:
                files.close(content)
                raise
    return content


def _open_directly(volume: Volume, node: PathNode, flags: int) -> DirectHandle:
    with volume.table.using(node) as names:
        path = volume.backend.path(names)
        if node.gone:
            raise os_error(errno.ENOENT, path, hint="the file was removed")
        with os_errors(path):
            inner = volume.backend.posix.open_handle(path, flags & ~_ONLY_TO_CREATE)
        handle = DirectHandle(volume, node, inner, writes=flags & os.O_ACCMODE != os.O_RDONLY)
    if flags & os.O_TRUNC:
        volume.table.passed_on(node)
    return handle


def _truncate_directly(volume: Volume, node: PathNode, size: int) -> None:
    with volume.table.using(node) as names:
        path = volume.backend.path(names)
        if not node.gone:
            with os_errors(path):
                volume.backend.posix.truncate(path, size)
            volume.table.passed_on(node)
            return
    writer = next((handle for handle in node.direct if handle.writes), None)
    if writer is None:
        raise os_error(errno.ENOENT, path, hint="the file was removed")
    writer.truncate(size)
