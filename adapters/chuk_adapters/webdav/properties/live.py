"""Properties that say what the filesystem says (RFC 4918, section 15; RFC 4331 for the space).

Each is written for a whole listing at once: a call for every property of every entry would cost more than the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from chuk_adapters.webdav.files.facts import Info
from chuk_adapters.webdav.files.tree import Tree
from chuk_adapters.webdav.http.dates import http_date, internet_date
from chuk_adapters.webdav.http.entity_tags import entity_tag
from chuk_adapters.webdav.http.media_types import media_type
from chuk_adapters.webdav.locks.lock import Lock
from chuk_adapters.webdav.properties.writing import DAV_PREFIX, active_lock, text
from chuk_fsspec.contract.posix import StatVfs

Infos = Sequence[Info]
Elements = list[str | None]
"""A property of each of many resources, as XML; None for those that have no such property."""


class Href(Protocol):
    """Gives the URL of a path, as ``Request.href``."""

    def __call__(self, path: str, *, is_directory: bool) -> str:
        """The absolute path of the URL."""


_LOCK_ENTRY = "<D:lockentry><D:lockscope><D:{}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
_SUPPORTED_LOCK = f"<D:supportedlock>{_LOCK_ENTRY.format('exclusive')}{_LOCK_ENTRY.format('shared')}</D:supportedlock>"


class LiveProperties:
    """The live properties of what one request asks about.

    Args:
        tree: where.
        locks: by path, where there are any.
        can_lock: whether locks are offered.
        href: gives the URL of a path.

    Attributes:
        names: of all there are, as ElementTree has them.
    """

    def __init__(
        self,
        tree: Tree,
        locks: Mapping[str, Sequence[Lock]],
        can_lock: bool,
        href: Href,
    ) -> None:
        self._tree = tree
        self._locks = locks
        self._href = href
        self._writers: dict[str, Callable[[Infos], Elements]] = {
            "creationdate": _creation_dates,
            "displayname": _display_names,
            "getcontentlength": _content_lengths,
            "getcontenttype": _content_types,
            "getetag": _etags,
            "getlastmodified": _last_modified,
            "resourcetype": _resource_types,
            "quota-available-bytes": self._available,
            "quota-used-bytes": self._used,
        }
        if can_lock:
            self._writers["lockdiscovery"] = self._lock_discovery
            self._writers["supportedlock"] = _supported_locks
        self.names = [DAV_PREFIX + name for name in self._writers]

    def has(self, name: str) -> bool:
        """Whether a property, by its name as ElementTree has it, is one of these."""
        return name.startswith(DAV_PREFIX) and name[len(DAV_PREFIX) :] in self._writers

    def of(self, infos: Infos, name: str) -> Elements:
        """One of ``names``, of each of many resources."""
        return self._writers[name[len(DAV_PREFIX) :]](infos)

    @cached_property
    def _space(self) -> StatVfs | None:
        return self._tree.space()

    def _available(self, infos: Infos) -> Elements:
        return self._of_collections(infos, "quota-available-bytes", lambda space: space.blocks_free)

    def _used(self, infos: Infos) -> Elements:
        return self._of_collections(infos, "quota-used-bytes", lambda space: space.blocks - space.blocks_free)

    def _of_collections(self, infos: Infos, name: str, blocks: Callable[[StatVfs], int]) -> Elements:
        are_collections = [info["type"] == "directory" for info in infos]
        space = self._space if any(are_collections) else None
        element = None if space is None else f"<D:{name}>{blocks(space) * space.block_size}</D:{name}>"
        return [element if is_collection else None for is_collection in are_collections]

    def _lock_discovery(self, infos: Infos) -> Elements:
        return [
            "<D:lockdiscovery/>" if locks is None else lock_discovery(locks, self._href)
            for locks in (self._locks.get(info["name"]) for info in infos)
        ]


def lock_discovery(locks: Sequence[Lock], href: Href) -> str:
    """The property that tells of locks; ``href`` gives the URL of a path."""
    inside = "".join(active_lock(lock, href(lock.root, is_directory=lock.is_collection)) for lock in locks)
    return f"<D:lockdiscovery>{inside}</D:lockdiscovery>"


def _creation_dates(infos: Infos) -> Elements:
    return [
        None if created is None else f"<D:creationdate>{internet_date(int(created))}</D:creationdate>"
        for created in (info.get("created") for info in infos)
    ]


def _display_names(infos: Infos) -> Elements:
    return [f"<D:displayname>{text(info['name'].rpartition('/')[2])}</D:displayname>" for info in infos]


def _content_lengths(infos: Infos) -> Elements:
    return [
        f"<D:getcontentlength>{info['size']}</D:getcontentlength>" if info["type"] == "file" else None for info in infos
    ]


def _content_types(infos: Infos) -> Elements:
    return [
        f"<D:getcontenttype>{media_type(info['name'])}</D:getcontenttype>" if info["type"] == "file" else None
        for info in infos
    ]


def _etags(infos: Infos) -> Elements:
    return [
        None if tag is None else f"<D:getetag>{text(tag)}</D:getetag>"
        for tag in (entity_tag(info) if info["type"] == "file" else None for info in infos)
    ]


def _last_modified(infos: Infos) -> Elements:
    return [
        None if mtime is None else f"<D:getlastmodified>{http_date(int(mtime))}</D:getlastmodified>"
        for mtime in (info.get("mtime") for info in infos)
    ]


def _resource_types(infos: Infos) -> Elements:
    return [
        "<D:resourcetype><D:collection/></D:resourcetype>" if info["type"] == "directory" else "<D:resourcetype/>"
        for info in infos
    ]


def _supported_locks(infos: Infos) -> Elements:
    return [_SUPPORTED_LOCK] * len(infos)
