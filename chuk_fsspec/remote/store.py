"""What a service that keeps files far away has to do for ``RemoteFileSystem``, and nothing more.

Paths are absolute and normal, the root is ``/``. Every method is a coroutine of one event loop, makes as few requests
as it can, and raises ``OSError`` with an errno and the path; the service's own error is the cause. What is not said to
be checked here has been checked by the caller.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.conditions import Condition
from chuk_fsspec.contract.info import FileType


class Entry(NamedTuple):
    """What a store knows of one path. It is a tuple because a listing makes many, which takes a dataclass far longer.

    Attributes:
        path: absolute and normal.
        kind: what is there.
        size: in bytes; 0 for anything but a file.
        mtime: time of the last change of the content, seconds since the epoch; None if the store does not know.
        created: likewise of the making.
        etag: changes with every change of the content; empty if the store has none.
        mode: permission bits, without those of the type; None if the store keeps none.
        uid: the owner; None if the store keeps none.
        gid: the group; None if the store keeps none.
        destination: what a link holds; empty for anything else.
        content_type: a media type; empty if the store does not tell it.
        metadata: names and values of the user's own; None if the store does not tell them.
        details: what the service says besides, shown by ``info`` under these names.
    """

    path: str
    kind: FileType
    size: int = 0
    mtime: float | None = None
    created: float | None = None
    etag: str = ""
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    destination: str = ""
    content_type: str = ""
    metadata: Mapping[str, str] | None = None
    details: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Attributes:
    """What is to be kept with a file besides its content; None leaves it as it is.

    Attributes:
        mode: permission bits.
        mtime: seconds since the epoch.
        uid: the owner.
        gid: the group.
        content_type: a media type (RFC 9110, 8.3), for services that show files to browsers.
        metadata: names and values of the user's own; they replace all that were there.
    """

    mode: int | None = None
    mtime: float | None = None
    uid: int | None = None
    gid: int | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] | None = None


NOTHING_BESIDES = Attributes()


@dataclass(frozen=True)
class Traits:
    """How a store is best used.

    Attributes:
        capabilities: what it can do; of those that are not declared, no method is called.
        part_size: bytes of one part of an upload; each but the last has exactly this many.
        parallel_parts: how many parts of one upload may be on their way at once; 1 if they have to come in order.
        parallel_requests: how many requests of one filesystem may be on their way at once.
        largest_whole: bytes that ``write`` takes in one request; more is uploaded in parts.
        implied_directories: the directories of a file are there as soon as it is, so that none has to be made for it.
        resolves_links: the service itself goes through the links on the way to a path, and what writes to one at its
            end raises ``LinkInTheWay``, so that nobody has to look before.
        matches_etags: an etag that has to be there is checked in the very step of a write or a removal, also where
            ``conditional_write`` is not declared because nothing else is.
    """

    capabilities: Capabilities
    part_size: int = 8 << 20
    parallel_parts: int = 1
    parallel_requests: int = 32
    largest_whole: int = 8 << 20
    implied_directories: bool = False
    resolves_links: bool = False
    matches_etags: bool = False


class Upload(Protocol):
    """A file that is being sent. Nobody sees anything of it before ``finish`` returns."""

    async def send(self, number: int, data: bytes) -> None:
        """Send a part.

        Args:
            number: from 0, in order; those of one upload overlap as far as the traits allow it.
            data: its bytes.
        """

    async def finish(self) -> Entry:
        """Put the file in its place, in one step; returns what is there now.

        Raises:
            PreconditionFailed: by the condition that ``upload`` was given, with nothing done.
        """

    async def abort(self) -> None:
        """Leave nothing of it behind. Also after a ``finish`` that failed; a second time it does nothing."""


class RemoteStore(Protocol):
    """Files behind requests."""

    @property
    def traits(self) -> Traits:
        """How it is best used."""

    # ---- looking

    async def look(self, path: str) -> Entry | None:
        """What is at a path, a final link not followed; None for nothing. The root is always a directory.

        Only with ``resolves_links``: ENOTDIR below a file, ELOOP.
        """

    async def list(self, path: str, *, names_only: bool = False) -> list[Entry]:
        """What is in a directory, in no order; arguments as for ``descend``. ENOENT, ENOTDIR."""

    def descend(self, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
        """Everything below a directory, directories included, in no order; nothing if there is no such directory.

        It comes in parts, of which each may be dropped before the next one is asked for.

        Args:
            path: where.
            names_only: of each entry no more is wanted than its path, and whether it is a directory.
        """

    # ---- reading

    async def read(self, path: str, start: int, stop: int | None, etag: str = "") -> bytes:
        """Bytes of a file from ``start`` to before ``stop``, None for the end; fewer where it ends.

        Args:
            path: where.
            start: at least 0.
            stop: more than ``start``.
            etag: of the version that is wanted; empty for whatever is there.

        Raises:
            OSError: ENOENT, EISDIR; ESTALE if there is another version. ``LinkInTheWay`` for a link.
        """

    async def read_latest(self, path: str, start: int, stop: int) -> tuple[Entry, bytes]:
        """Bytes of whatever version is there, fewer if they are many, and which one that is: its etag and size.

        Only with ``versioned_reads``.

        Raises:
            OSError: as ``read``; ESTALE where this takes two requests, and it was replaced between them.
        """

    def stream(self, path: str) -> AsyncIterator[bytes]:
        """The whole of a file in pieces, one version of it from the first to the last.

        Raises:
            OSError: ENOENT, EISDIR; ESTALE if it was replaced before the end. ``LinkInTheWay`` for a link.
        """

    # ---- writing

    async def write(self, path: str, data: bytes, besides: Attributes, condition: Condition | None) -> Entry:
        """Make or replace a file, whole and in one step; the directory is there.

        Raises:
            PreconditionFailed: with nothing done.
            OSError: EISDIR over a directory.
        """

    async def upload(self, path: str, besides: Attributes, condition: Condition | None) -> Upload:
        """Begin to make or replace a file that is sent in parts; otherwise as ``write``."""

    async def make_directory(self, path: str, *, is_missing: bool = False) -> None:
        """Make a directory in one that is there. EEXIST.

        Args:
            path: where.
            is_missing: the caller has just seen that nothing is there.
        """

    async def set_attributes(self, path: str, changed: Attributes) -> None:
        """Change what is kept besides the content; of a link, its own. Only with ``attributes``. ENOENT."""

    async def make_link(self, path: str, destination: str) -> None:
        """Make a symbolic link in a directory that is there. EEXIST."""

    # ---- removing, copying, moving

    async def remove_file(self, path: str, condition: Condition | None) -> None:
        """Remove a file or a link. ENOENT, EISDIR, PreconditionFailed."""

    async def remove_directory(self, path: str) -> None:
        """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY."""

    async def remove_tree(self, path: str) -> None:
        """Remove a directory with all that is in it; of the root, only that. The error names what cannot be removed."""

    async def copy_file(self, source: str, target: str, condition: Condition | None, source_etag: str = "") -> Entry:
        """Copy a file inside the service, in one step at the target, with what is kept besides.

        A copy onto itself is asked for to give a file the present time, where times cannot be set.

        Args:
            source: a file.
            target: where to; its directory is there.
            condition: what has to be at the target.
            source_etag: what the source has to have; empty for anything. Given only with ``conditional_write``.

        Raises:
            PreconditionFailed: with nothing done.
            OSError: ENOENT, EISDIR for a source or a target that is a directory.
        """

    async def move(self, source: Entry, target: str, condition: Condition | None, source_etag: str = "") -> None:
        """Give a file, a link or a directory another name, over a file that is there; a directory only over nothing.

        With ``replace``, a directory also over an empty one, as rename(2) does; ENOTEMPTY.

        In one step where ``rename`` is declared. Elsewhere everything is copied, looked at, and only then removed: an
        error leaves the whole source, and nothing half done at the target.

        Args:
            source: what the caller has just seen there.
            target: where to, not below the source; its directory is there, or implied.
            condition: what has to be at the target.
            source_etag: as for ``copy_file``.

        Raises:
            PreconditionFailed: with nothing done.
            OSError: ENOENT.
        """

    # ---- the rest

    async def sign(self, path: str, expiration: int, method: str) -> str:
        """A URL that anybody can use for so many seconds, to GET or to PUT."""

    async def close(self) -> None:
        """Let go of connections. A second time it does nothing."""
