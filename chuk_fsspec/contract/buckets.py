"""The buckets of a service, on ``fs.buckets`` of filesystems whose service has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Bucket:
    """A bucket.

    Attributes:
        name: of the bucket.
        created: when it was made, seconds since the epoch; None if the service does not say.
        location: where it is, in the words of the service; empty if the service does not say.
        versioned: whether replaced and removed objects are kept as old versions; None if that is not known.
    """

    name: str
    created: float | None = None
    location: str = ""
    versioned: bool | None = None


@dataclass(frozen=True)
class StoredObject:
    """An object of a bucket, whether its key is a path or not.

    Attributes:
        key: its name, as the service has it.
        size: in bytes.
        mtime: time of its last change, seconds since the epoch; None if the service does not say.
        etag: as the filesystem shows it; empty if there is none.
    """

    key: str
    size: int
    mtime: float | None = None
    etag: str = ""


class Buckets(Protocol):
    """Buckets, and the objects in them by their keys: those too that no path leads to."""

    def list(self) -> list[Bucket]:
        """All buckets that the account sees, in the order of their names."""

    def create(self, name: str, location: str = "") -> Bucket:
        """Make a bucket.

        Args:
            name: which is the only one of the whole service, as a rule.
            location: where, in the words of the service; empty for where the service has it by itself.

        Raises:
            OSError: EEXIST, EINVAL for what the service takes for no name.
        """

    def info(self, name: str) -> Bucket:
        """All that is known of a bucket. ENOENT."""

    def delete(self, name: str) -> None:
        """Remove an empty bucket. ENOENT, ENOTEMPTY."""

    def objects(self, name: str, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose keys begin with a prefix, in the order of the service. ENOENT for the bucket."""

    def remove(self, name: str, keys: Sequence[str]) -> None:
        """Remove objects, as many at once as the service takes. What is gone already is fine.

        Raises:
            OSError: for one of those that could not be removed; the others are.
        """

    def copy(self, source: str, target: str, keys: Sequence[tuple[str, str]]) -> None:
        """Copy objects inside the service, several at once, with all that is kept with them.

        Args:
            source: the bucket from which.
            target: the bucket to which.
            keys: of each object, the key there is and the key there is to be.

        Raises:
            OSError: for one of those that could not be copied; each of the others is.
        """
