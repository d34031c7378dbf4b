"""What the objects of one bucket have to offer for a ``KeyTree``, and nothing more.

Every method is one request, or as few as the service allows, made once: repeating, waiting and limits are for
``remote.calling``. Errors are those of the service's own library; the judge of the filesystem knows them. Only what is
said to be answered otherwise is caught.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from chuk_fsspec.contract.versions import FileVersion


@dataclass(frozen=True)
class Labels:
    """What is kept with an object besides its content.

    Attributes:
        content_type: a media type; empty for the service's own choice.
        metadata: names, in small letters, and values of the user's own; ASCII.
        headers: further properties under the service's names, for example ``CacheControl``.
    """

    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


NO_LABELS = Labels()


class Key(NamedTuple):
    """An object as the service describes it; a tuple, as ``Entry`` is.

    Attributes:
        name: the key.
        size: in bytes.
        mtime: when it was written, in seconds since the epoch; None if the reply did not say.
        etag: changes with the content, without quotes; a generation number will do.
        labels: None where the reply did not tell them, as in listings.
        details: what the service says besides, to be shown by ``info`` under these names.
        storage_class: at whose price it is kept, where that is another than the service's first one and a copy has to
            be told.
    """

    name: str
    size: int = 0
    mtime: float | None = None
    etag: str = ""
    labels: Labels | None = None
    details: Mapping[str, Any] = MappingProxyType({})
    storage_class: str = ""


@dataclass(frozen=True)
class Piece:
    """Bytes of an object.

    Attributes:
        data: fewer than asked for where the object ends, none past its end.
        etag: of the whole object.
        size: of the whole object, in bytes.
        metadata: as in its labels.
    """

    data: bytes
    etag: str
    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A part of a listing, in the order of the keys' bytes.

    Attributes:
        keys: objects.
        prefixes: common prefixes, each with the delimiter at its end.
        rest: asks for the next page; empty after the last.
    """

    keys: Sequence[Key] = ()
    prefixes: Sequence[str] = ()
    rest: str = ""


@dataclass(frozen=True)
class Guard:
    """What has to be at a key for a change to be made, in the two forms that object stores check themselves.

    Attributes:
        etag: what the object has to have; empty if there must be no object.
    """

    etag: str = ""


@dataclass(frozen=True)
class Source:
    """The object that is copied, from whatever bucket of the same service.

    Attributes:
        bucket: its bucket.
        key: its key.
        etag: it has to have, if not empty.
        version: which version of it; empty for the latest.
        storage_class: as it has it, for the copy.
    """

    bucket: str
    key: str
    etag: str = ""
    version: str = ""
    storage_class: str = ""


@dataclass(frozen=True)
class KeyTraits:
    """How a key store is best used.

    Attributes:
        part_size: bytes of each part of an upload but the last.
        parts_max: how many parts an upload can have.
        parallel_parts: how many parts of one upload may be on their way at once; 1 if they have to come in order.
        parallel_reads: how many pieces of one object are read at once, each of ``part_size``.
        largest_put: bytes that ``put`` takes.
        largest_copy: bytes that ``copy`` takes; more is copied by the parts of an upload.
        delete_batch: how many keys ``delete_many`` takes.
        lists_labels: listings tell the labels too.
        heads_whole: ``head`` tells all that ``head_whole`` tells.
        guards_writes: ``put`` and ``finish`` check their guard in the same step.
        guards_all: and so do ``copy``, with that of the source, and ``delete``.
    """

    part_size: int = 8 << 20
    parts_max: int = 10_000
    parallel_parts: int = 3
    parallel_reads: int = 3
    largest_put: int = 8 << 20
    largest_copy: int = 5 << 30
    delete_batch: int = 1000
    lists_labels: bool = True
    heads_whole: bool = True
    guards_writes: bool = True
    guards_all: bool = True


class KeyUpload(Protocol):
    """An object that is being sent. A part may be sent again when its reply was lost."""

    async def send(self, number: int, data: bytes) -> None:
        """Send part ``number``, counted from 0."""

    async def send_copy(self, number: int, source: Source, start: int, stop: int) -> None:
        """Have the service copy a part, bytes from ``start`` to before ``stop`` of another object."""

    async def finish(self, guard: Guard | None) -> Key:
        """Put the object in its place; its size and time may be left out of what is returned."""

    async def abort(self) -> None:
        """Leave nothing behind; what is gone already is no error."""


class KeyStore(Protocol):
    """The objects of one bucket."""

    @property
    def bucket(self) -> str:
        """Its name."""

    @property
    def traits(self) -> KeyTraits:
        """How it is best used."""

    async def head(self, key: str, version: str = "") -> Key | None:
        """An object, or a version of it, with its labels; None if there is none, or it is a removal."""

    async def head_whole(self, key: str, version: str = "") -> Key | None:
        """The same with all that a copy of it has to be told: its storage class, of which ``head`` may know nothing."""

    async def versions(self, key: str) -> list[FileVersion]:
        """All versions of an object, the latest first."""

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        """Bytes from ``start`` to before ``stop``, None for the end; of what has the etag and is the version, if given.

        Raises:
            Exception: which the judge has as ENOENT for no such object, and as ``PreconditionFailed`` for another etag.
        """

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object in one step; its size and time may be left out of what is returned.

        Raises:
            Exception: which the judge has as ``PreconditionFailed`` if the guard does not hold; as ENOENT is well too.
        """

    async def begin(self, key: str, labels: Labels, guard: Guard | None) -> KeyUpload:
        """Begin to send an object in parts; the guard is the one that ``finish`` will be given, if nothing changes."""

    async def sweep(self, key: str, seconds: float, keep: KeyUpload | None) -> None:
        """Abort what calls of ``begin`` whose replies were lost have begun in the last so many seconds, but for one.

        No part was sent to those: an upload that has some is another writer's.
        """

    async def page(
        self, prefix: str, *, deep: bool, rest: str = "", limit: int = 1000, names_only: bool = False
    ) -> Page:
        """List keys that begin with a prefix.

        Args:
            prefix: what they begin with; empty for all.
            deep: all of them; otherwise those with a ``/`` after the prefix are summed up as common prefixes.
            rest: of the page before; empty for the first page.
            limit: at most so many keys and prefixes.
            names_only: of each key no more is wanted than its name.
        """

    async def copy(self, source: Source, key: str, labels: Labels | None, guard: Guard | None) -> Key:
        """Copy an object in one step; errors as ``put``.

        Args:
            source: from where; in the same place it changes the labels.
            key: to where.
            labels: None for those of the source.
            guard: what has to be at the target.
        """

    async def delete(self, key: str, guard: Guard | None, version: str = "") -> None:
        """Remove an object, or a version of it for good. Without a guard one that is not there is no error."""

    async def delete_many(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Remove objects; returns what was not removed, with the errno: EAGAIN where it may succeed later."""

    async def sign(self, key: str, expiration: int, method: str) -> str:
        """A URL for so many seconds; ``method`` is GET or PUT."""
