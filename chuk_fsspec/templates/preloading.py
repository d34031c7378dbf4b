"""A directory as it is, copied to where a template would go: nothing in it is substituted."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from functools import partial
from typing import Any

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.planned import Plan, PlannedDirectory, PlannedFile, PlannedLink, Stream
from chuk_fsspec.templates.planning import lay_out
from chuk_fsspec.templates.sources import Source
from chuk_fsspec.templates.template import DEFAULT_LIMITS, Limits
from chuk_fsspec.templates.trees import link_of, permissions_of
from chuk_fsspec.trees.walking import matches_any

KEEP, FOLLOW, SKIP = SYMLINKS = ("keep", "follow", "skip")
"""What becomes of symbolic links: links again, copies of the files that they lead to, or nothing."""


def plan_copy(
    source: Source,
    *,
    pattern: str = "*",
    recursive: bool = True,
    symlinks: str = KEEP,
    limits: Limits = DEFAULT_LIMITS,
) -> Plan:
    """Plan a copy of a directory, hidden files, empty directories and permission bits included.

    Content is copied when the plan is applied, in constant memory and of any size.

    Args:
        source: the directory.
        pattern: of names to copy; of whole relative paths if it holds a slash. Directories come along with what is in
            them, empty ones if they match themselves.
        recursive: also what lies in directories.
        symlinks: "keep", "follow" or "skip" symbolic links. Those that lead out of the directory are refused.
        limits: how many entries it may have.

    Raises:
        ValueError: for another word.
        OSError: of listing; EINVAL for a link that leads out, for one to follow that leads to no file, and for special
            files; EFBIG.
    """
    checks.choice(symlinks, SYMLINKS, "symlinks")
    directories, files, links = [], [], []
    seen = 0
    for path, info in source.entries(recursive=recursive):
        seen += 1
        if seen > limits.entries:
            raise checks.too_large(source.shown, "entries", limits.entries)
        if not matches_any(path, [pattern]):
            continue
        if info["type"] == "directory":
            if recursive:
                directories.append(PlannedDirectory(path, permissions_of(info), path))
        elif info["type"] != "link":
            files.append(_file(source, path, info))
        elif symlinks == KEEP:
            links.append(PlannedLink(path, link_of(info, path), path))
        elif symlinks == FOLLOW:
            files.append(_file(source, path, _followed(source, path)))
    return lay_out(Plan(tuple(directories), tuple(files), tuple(links)), limits.entries)


def _file(source: Source, path: str, info: Mapping[str, Any]) -> PlannedFile:
    if info["type"] != "file":
        raise checks.refused(errno.EINVAL, path, path, "is no regular file")
    stream = Stream(partial(source.open, path, path), int(info["size"] or 0))
    return PlannedFile(path, stream, permissions_of(info), path)


def _followed(source: Source, path: str) -> Mapping[str, Any]:
    """What a link leads to. EINVAL if that is no file inside."""
    if not source.confined:
        hint = 'only links of a directory of this machine are followed; pass symlinks="keep" or "skip"'
        raise checks.refused(errno.EINVAL, path, path, hint)
    info: Mapping[str, Any] = source.fs.info(source.path_of(path, path))
    if info["type"] != "file":
        raise checks.refused(errno.EINVAL, path, path, "the link leads to no file inside of the directory")
    return info
