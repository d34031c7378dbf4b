"""Where the user points to: a path of this machine, a URL, or a path in a workspace file."""

from __future__ import annotations

import argparse
import os
import posixpath
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem, filesystem
from fsspec.core import split_protocol

from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.urls import add_option, is_volatile, is_workspace, open_url
from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.info import type_of_mode
from chuk_fsspec.contract.paths import join, normalise, split
from chuk_fsspec.forwarding.publishing.places import LINKS_MAX

CONTENTS = ("", ".", "..")
"""Last names of a directory that stand for what is in it."""


@dataclass(frozen=True)
class Location:
    """A place in a filesystem, whether there is something or not.

    Attributes:
        text: as the user wrote it, or would have: another command takes it.
        fs: the filesystem.
        path: the filesystem's own path.
    """

    text: str
    fs: AbstractFileSystem
    path: str

    @property
    def name(self) -> str:
        """The last name; nothing for the root."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def says_directory(self) -> bool:
        """Whether a slash at its end says that a directory is meant."""
        return _path_text(self.text).endswith("/")

    @property
    def means_contents(self) -> bool:
        """Whether it names a directory in such a way that what is in it is meant: ``.``, or the root of a URL."""
        return posixpath.basename(_path_text(self.text).rstrip("/")) in CONTENTS[1:] or not self.name

    @property
    def can(self) -> Capabilities:
        """What its filesystem declares."""
        return capabilities_of(self.fs)

    def below(self, path: str) -> Location:
        """A location below this one.

        Args:
            path: names with ``/`` between them; empty for this one itself.
        """
        if not path:
            return self
        return Location(_text_below(self.text, path), self.fs, f"{self.path.rstrip('/')}/{path}")

    def lexists(self) -> bool:
        """Whether there is something, be it a link to nothing."""
        return bool(self.fs.lexists(self.path))

    def isdir(self) -> bool:
        """Whether it is a directory, or a link to one."""
        return bool(self.fs.isdir(self.path))

    def info(self, *, follow: bool = True) -> dict[str, Any]:
        """What the filesystem says of it.

        Args:
            follow: describe what a link leads to.

        Raises:
            OSError: ENOENT.
        """
        if self.can.symlinks and not follow:
            found: dict[str, Any] = self.fs.posix.nofollow.info(self.path)
            return found
        found = self.fs.info(self.path)
        if follow and self.can.symlinks and found.get("islink"):
            return {**found, **_followed(self.fs, self.path)}
        return found

    def attributes(self, *, follow: bool = True) -> Attributes:
        """The same as attributes. ENOENT."""
        return attributes_of(self.info(follow=follow))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the option of storage options."""
    add_option(parser, "--option", "-o", what="storage option of the URLs' filesystems")


def open_location(text: str, options: Mapping[str, Any] | None = None, *, may_create: bool = False) -> Location:
    """What the user points to.

    A path without ``://`` and ``::`` is one of this machine, and so is any name that is there. ``work.toml:/path`` is a
    path in the tree of a workspace file.

    Args:
        text: what was typed.
        options: storage options; those of this machine's files have none.
        may_create: a database that is not there is made.

    Raises:
        CommandError: for a URL that cannot be meant.
        ImportError: for a protocol whose package is not installed.
        OSError: of the filesystem.
    """
    if not text:
        raise CommandError("an empty name is no file; for the current directory, give .")
    plain = _plain_path(text)
    if plain is not None:
        return Location(text, this_machine(), _host_path(plain))
    fs, path = open_url(text, {} if is_workspace(text) else dict(options or {}), may_create=may_create)
    return Location(text, fs, _without_links_above(fs, path))


def open_whole(text: str, options: Mapping[str, Any] | None = None, *, may_create: bool = False) -> Location:
    """The same for commands on whole trees: the name of a workspace file alone is its tree there."""
    if not is_workspace(text):
        return open_location(text, options, may_create=may_create)
    fs, path = open_url(text, dict(options or {}))
    return Location(text, fs, path)


def open_target(text: str, options: Mapping[str, Any] | None = None) -> Location:
    """The same of what is written to. CommandError for files that end with this command."""
    location = open_location(text, options, may_create=True)
    if _plain_path(text) is None and is_volatile(text):
        raise CommandError(f"the files of {text} would end with this command; give a URL that lasts")
    return location


def this_machine() -> AbstractFileSystem:
    """The files of this machine, by their absolute paths, with all that a POSIX system keeps of them."""
    if sys.platform == "win32":
        return filesystem("file")
    return filesystem("chuklocal", root="/", auto_mkdir=False, durable=False)


def same_filesystem(one: AbstractFileSystem, other: AbstractFileSystem) -> bool:
    """Whether two filesystem objects have the same files."""
    return one is other or bool(one == other) or _fsid(one) == _fsid(other) != ""


def _fsid(fs: AbstractFileSystem) -> str:
    try:
        return str(fs.fsid)
    except NotImplementedError:
        return ""


def _plain_path(text: str) -> str | None:
    """The path of this machine that was typed; None if it is another kind of place."""
    if text.startswith(("file://", "local://")) and "::" not in text:
        return str(split_protocol(text)[1])
    is_other = "://" in text or "::" in text or (is_workspace(text) and ":/" in text)
    return None if is_other and not os.path.lexists(text) else text


def _host_path(text: str) -> str:
    """The absolute path without links, but for its last name: a link is what is meant then."""
    if posixpath.basename(text) in CONTENTS:
        return os.path.realpath(text)
    return os.path.join(os.path.realpath(os.path.dirname(text)), os.path.basename(text))


def _without_links_above(fs: AbstractFileSystem, path: str) -> str:
    """The same in another filesystem. What cannot be resolved stays, for the command itself to stumble over."""
    if not capabilities_of(fs).symlinks:
        return path
    for _ in range(LINKS_MAX):
        parent, name = split(path)
        try:
            info = fs.posix.nofollow.info(parent)
            if info["type"] != "link":
                return path
            link = parent
        except LinkInTheWay as error:
            link = str(error.filename)
            info = fs.posix.nofollow.info(link)
        except OSError:
            return path
        below = join(parent, name)[len(link) :]
        path = normalise(posixpath.join(split(link)[0], info["destination"]) + below)
    return path


def _followed(fs: AbstractFileSystem, path: str) -> dict[str, Any]:
    """What a link leads to. ENOENT."""
    status = fs.posix.stat(path)
    return {
        "type": type_of_mode(status.st_mode),
        "size": status.st_size,
        "mode": status.st_mode,
        "nlink": status.st_nlink,
        "ino": status.st_ino,
        "uid": status.st_uid,
        "gid": status.st_gid,
        "atime": status.st_atime,
        "mtime": status.st_mtime,
        "mtime_ns": status.st_mtime_ns,
        "ctime": status.st_ctime,
        "islink": False,
        "destination": None,
    }


def _path_text(text: str) -> str:
    """The part of a URL that holds the path."""
    first = next((part for part in text.split("::") if "://" in part), text)
    return first.partition("://")[2] if "://" in first else first


def _text_below(text: str, path: str) -> str:
    """A URL with names added to its path, which stands in the first part of a chain that has one."""
    parts = text.split("::") if "://" in text else [text]
    number = next((number for number, part in enumerate(parts) if "://" in part), 0)
    parts[number] += path if parts[number].endswith("/") else f"/{path}"
    return "::".join(parts)
