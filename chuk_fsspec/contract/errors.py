"""One error model: built-in ``OSError`` subclasses with ``errno`` and ``filename`` set.

``OSError(ENOENT, …)`` is already a ``FileNotFoundError``, so callers catch the classes they know from the standard
library, and a door reads ``errno`` without a translation table of its own.
"""

from __future__ import annotations

import errno
import os


def os_error(code: int, path: str | None = None, path2: str | None = None, *, hint: str = "") -> OSError:
    """Build the ``OSError`` subclass that Python itself would raise for an errno.

    Args:
        code: an ``errno`` constant.
        path: the absolute path of this filesystem that failed, shown to the user.
        path2: the second path of a rename or a link.
        hint: what to do about it, appended to the standard message.

    Returns:
        The exception, to be raised by the caller.
    """
    message = os.strerror(code)
    if hint:
        message = f"{message}: {hint}"
    if path2 is not None:
        return OSError(code, message, path, None, path2)
    if path is not None:
        return OSError(code, message, path)
    return OSError(code, message)


class LinkInTheWay(OSError):  # noqa: N818 - it is an answer more than an error: read the link and ask again
    """ELOOP from a filesystem that follows no links (``Posix.nofollow``): ``filename`` is the link that was met.

    Whoever composes filesystems catches it, reads the link, checks where it leads and asks again.
    """


def link_in_the_way(path: str) -> LinkInTheWay:
    """``LinkInTheWay`` for the absolute path of a symbolic link."""
    return LinkInTheWay(errno.ELOOP, f"{os.strerror(errno.ELOOP)}: links are not followed here", path)


class PreconditionFailed(OSError):  # noqa: N818 - as HTTP calls it (RFC 9110, 15.5.13)
    """ESTALE: what is at a path is not what ``if_match`` or ``if_none_match`` asked for, and nothing was done.

    Whoever catches it reads the file again, and decides anew.

    Attributes:
        expected: the etag that ``if_match`` asked for, ``*`` for anything; None for ``if_none_match``.
        found: the etag of what was there; None for nothing.
    """

    expected: str | None = None
    found: str | None = None

    @property
    def path(self) -> str:
        """The path, as whoever raised the error names it."""
        return str(self.filename)


class AlreadyThere(PreconditionFailed, FileExistsError):  # noqa: N818 - as its base
    """EEXIST: ``if_none_match="*"`` asked for nothing to be there, and something is."""


def precondition_failed(path: str, expected: str | None, found: str | None, *, exists: bool) -> PreconditionFailed:
    """``PreconditionFailed`` for an absolute path.

    Args:
        path: where.
        expected: the etag that was asked for; None if there was one that was not to be found.
        found: the etag of what is there; None for nothing.
        exists: nothing was to be there, and something is.
    """
    if exists and found is not None:
        error: PreconditionFailed = AlreadyThere(errno.EEXIST, f"{os.strerror(errno.EEXIST)}: if_none_match='*'", path)
    else:
        asked = f"if_match={expected!r}" if expected is not None else f"if_none_match={found!r}"
        there = f"the etag is {found!r}" if found is not None else "there is nothing"
        error = PreconditionFailed(errno.ESTALE, f"Precondition failed: {asked}, and {there}; read it again", path)
    error.expected, error.found = expected, found
    return error


def omit_unless_link(error: OSError) -> None:
    """What ``walk(on_error="omit")`` makes of a directory that cannot be listed; LinkInTheWay is never left out."""
    if isinstance(error, LinkInTheWay):
        raise error


LEADS_NOWHERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ENAMETOOLONG))
"""What says that nothing is at a path, or that there is no such path."""


def leads_nowhere(error: OSError) -> bool:
    """Whether an error says that nothing is at a path, or that there is no such path; ``LinkInTheWay`` does not."""
    return error.errno in LEADS_NOWHERE and not isinstance(error, LinkInTheWay)


def not_found(path: str) -> OSError:
    """``FileNotFoundError`` (ENOENT) for an absolute path."""
    return os_error(errno.ENOENT, path)


def not_a_file(path: str | None = None, *, is_directory: bool) -> OSError:
    """The error for what is no regular file: EISDIR for a directory, EINVAL for all else."""
    return os_error(errno.EISDIR if is_directory else errno.EINVAL, path, hint="not a regular file")


def not_supported(what: str, path: str | None = None) -> OSError:
    """``OSError`` (ENOTSUP) for an operation that this filesystem does not declare."""
    return os_error(errno.ENOTSUP, path, hint=what)
