"""The fsspec surface of ``chukagentfs``."""

from __future__ import annotations

import errno
import os
from typing import Any, cast

from chuk_fsspec.backends.agentfs.database import TRIES
from chuk_fsspec.backends.agentfs.facts import Facts, LeftOut
from chuk_fsspec.backends.agentfs.location import database_path
from chuk_fsspec.backends.agentfs.shared import shared_state
from chuk_fsspec.backends.agentfs.store import AgentStore
from chuk_fsspec.backends.agentfs.tree import AgentTree
from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.engine.filesystem import InodeFileSystem


class AgentFileSystem(InodeFileSystem):
    """The files of an AgentFS database (specification 0.0 to 0.4), read where they are and never changed.

    The database may be open in other programs: what they commit shows with the next operation. Nothing is written to
    it, nor beside it.
    """

    protocol = "chukagentfs"
    tree_class = AgentTree
    capabilities = Capabilities(
        directories=True,
        modified_times=True,
        etags=True,
        symlinks=True,
        hardlinks=True,
        attributes=True,
        special_files=True,
        statvfs=True,
        nodes=True,
        shared_between_threads=True,
        shared_between_processes=True,
    )

    def __init__(
        self,
        database: str | os.PathLike[str] = "",
        *,
        follow_links: bool = True,
        fo: str = "",
        target_protocol: str = "file",
        target_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Open a database.

        Args:
            database: absolute path of the file.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            fo: the path again, where it comes from a URL as in ``chukagentfs://a::file:///data/agent.db``.
            target_protocol: of that URL: "file".
            target_options: of that URL; they are not needed.
            kwargs: fsspec's own options.

        Raises:
            OSError: ENOENT, EISDIR, EACCES for the file; EBUSY, EBADMSG if it is locked or damaged.
            ValueError: for a file that is not AgentFS's, or of a newer version; without a path, or for a relative one.
        """
        path = database_path(os.fspath(database), fo, target_protocol)
        super().__init__(shared_state(path), auto_mkdir=False, follow_links=follow_links, **kwargs)

    @property
    def fsid(self) -> str:
        """Names the file: two filesystems with one ``fsid`` see the same files."""
        device, ino = self._agents.identity
        return f"chukagentfs-{device:x}-{ino:x}"

    @property
    def _agents(self) -> AgentStore:
        return cast(AgentStore, self.store)

    @property
    def state(self) -> tuple[object, ...]:
        """Another value after each change of the database."""
        return self._agents.state

    def facts(self) -> Facts:
        """What the database holds besides files, and of which version it is."""
        return self._agents.facts()

    def left_out(self) -> list[LeftOut]:
        """Damaged entries that are not shown, as directories were listed last; about 1000 at most."""
        return self._agents.left_out()

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        # Its size is read before its content, and a file that is read without locks may be written between the two.
        for _ in range(TRIES):
            with self.store.reading:
                before = self._agents.generation
                data = super().cat_file(path, start or 0, end, **kwargs)
                if self._agents.generation == before:
                    return data
        raise os_error(errno.EBUSY, path, hint="the database is rewritten without a pause; try again later")
