"""Which file of this machine is meant."""

from __future__ import annotations

import errno
import os
import stat

from chuk_fsspec.contract.errors import os_error

_TARGET_PROTOCOLS = frozenset(("file", "local"))


def database_path(database: str, fo: str, target_protocol: str) -> str:
    """The database's path on the host, from one of the two places where it may be said.

    Args:
        database: an absolute path, or empty.
        fo: the same from a chained URL, or empty.
        target_protocol: of that URL.

    Returns:
        The path with no symbolic link in it.

    Raises:
        OSError: ENOENT, EISDIR; EINVAL for what is no regular file. They show the file's name only.
        ValueError: for none, both, a relative path, or a file that is elsewhere.
    """
    if target_protocol not in _TARGET_PROTOCOLS:
        raise ValueError(
            f"an AgentFS database must be a file of this machine (file://), not one of {target_protocol!r}: "
            "download it first"
        )
    if bool(database) == bool(fo):
        raise ValueError(
            "chukagentfs needs one database: database=, or a chained URL such as chukagentfs://a::file:///data/agent.db"
        )
    path = database or fo
    if not os.path.isabs(path):
        raise ValueError("database must be an absolute path: pass os.path.abspath(...)")
    name = os.path.basename(path)
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise os_error(error.errno or errno.EIO, name, hint="the AgentFS database cannot be found") from None
    if not stat.S_ISREG(mode):
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise os_error(code, name, hint="an AgentFS database is a regular file")
    return os.path.realpath(path)
