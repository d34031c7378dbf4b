"""Which files are open or wait to be written back: at most one ``Content`` for each."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.vfs.content import Content
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.volume import Volume


class OpenFiles:
    """All content of a volume that is not at rest."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._lock = volume.table.lock
        self._contents: set[Content] = set()

    def open(self, node: PathNode) -> Content:
        """Count one more handle on a file. ENOENT if it was removed, unless others have it open still."""
        with self._lock:
            content = node.content
            if content is None:
                if node.gone:
                    raise os_error(errno.ENOENT, node.name, hint="it was removed")
                content = node.content = Content(self._volume, node)
                self._contents.add(content)
            content.users += 1
            return content

    def join(self, node: PathNode) -> Content | None:
        """Count one more user of a file's content if it is open or unwritten; None if it is neither."""
        with self._lock:
            if node.content is not None:
                node.content.users += 1
            return node.content

    def close(self, content: Content) -> None:
        """Count one user less, and let go of content that nobody needs any more."""
        with self._lock:
            content.users -= 1
        self.settle(content)

    def settle(self, content: Content) -> None:
        """Let go of content that is neither open nor waits to be written back."""
        with self._lock:
            if content not in self._contents or content.users or (content.dirty and not content.node.gone):
                return
            self._contents.discard(content)
            content.node.content = None
        if content.spool is not None:
            content.spool.discard()

    def flush_all(self) -> None:
        """Write back all changes.

        Raises:
            OSError: some could not be; the others were. The message names each file and where its content is kept.
        """
        with self._lock:
            contents = list(self._contents)
        errors: list[OSError] = []
        for content in contents:
            try:
                content.flush()
            except OSError as error:
                errors.append(error)
            self.settle(content)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            told = "; ".join(f"{error.filename}: {error.strerror}" for error in errors)
            raise os_error(errors[0].errno or errno.EIO, hint=f"{len(errors)} files: {told}") from errors[0]
