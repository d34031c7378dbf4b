"""Properties that say what the filesystem says (RFC 4918, section 15; RFC 4331 for the space)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from chuk_adapters.webdav.files.facts import Info
from chuk_adapters.webdav.files.tree import Tree
from chuk_adapters.webdav.http.dates import http_date, internet_date
from chuk_adapters.webdav.http.entity_tags import entity_tag
from chuk_adapters.webdav.http.media_types import media_type
from chuk_adapters.webdav.locks.lock import Lock
from chuk_adapters.webdav.properties.writing import DAV_PREFIX, active_lock, text
from chuk_fsspec.contract.posix import StatVfs

Write = Callable[[Info], str | None]
"""From what is known of a resource to an element of a property; None where it has no such property."""

_OF_FILES = frozenset(("getcontentlength", "getcontenttype", "getetag"))
_OF_COLLECTIONS = frozenset(("quota-available-bytes", "quota-used-bytes"))

_LOCK_ENTRY = "<D:lockentry><D:lockscope><D:{}/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>"
_SUPPORTED_LOCK = f"<D:supportedlock>{_LOCK_ENTRY.format('exclusive')}{_LOCK_ENTRY.format('shared')}</D:supportedlock>"


class LiveProperties:
    """The live properties of what one request asks about.

    Args:
        tree: where.
        locks: by path, where there are any.
        can_lock: whether locks are offered.
        href: gives the URL of a path.
    """

    def __init__(
        self,
        tree: Tree,
        locks: Mapping[str, Sequence[Lock]],
        can_lock: bool,
        href: Callable[[str, bool], str],
    ) -> None:
        self._tree = tree
        self._locks = locks
        self._href = href
        self.writers: dict[str, Write] = {
            "creationdate": _creation_date,
            "displayname": _display_name,
            "getcontentlength": _content_length,
            "getcontenttype": _content_type,
            "getetag": _etag,
            "getlastmodified": _last_modified,
            "resourcetype": _resource_type,
            "quota-available-bytes": self._available,
            "quota-used-bytes": self._used,
        }
        if can_lock:
            self.writers["lockdiscovery"] = self._lock_discovery
            self.writers["supportedlock"] = _supported_lock

    def of(self, *, is_collection: bool) -> list[Write]:
        """Those that a collection can have, or a file."""
        others = _OF_FILES if is_collection else _OF_COLLECTIONS
        return [write for name, write in self.writers.items() if name not in others]

    def writer(self, name: str) -> Write | None:
        """The one of a name, as ElementTree has it; None for a property that is not live."""
        return self.writers.get(name[len(DAV_PREFIX) :]) if name.startswith(DAV_PREFIX) else None

    @cached_property
    def _space(self) -> StatVfs | None:
        return self._tree.space()

    def _available(self, info: Info) -> str | None:
        if info["type"] != "directory" or self._space is None:
            return None
        free = self._space.blocks_free * self._space.block_size
        return f"<D:quota-available-bytes>{free}</D:quota-available-bytes>"

    def _used(self, info: Info) -> str | None:
        if info["type"] != "directory" or self._space is None:
            return None
        used = (self._space.blocks - self._space.blocks_free) * self._space.block_size
        return f"<D:quota-used-bytes>{used}</D:quota-used-bytes>"

    def _lock_discovery(self, info: Info) -> str:
        locks = self._locks.get(info["name"])
        return "<D:lockdiscovery/>" if locks is None else lock_discovery(locks, self._href)


def lock_discovery(locks: Sequence[Lock], href: Callable[[str, bool], str]) -> str:
    """The property that tells of locks; ``href`` gives the URL of a path."""
    inside = "".join(active_lock(lock, href(lock.root, lock.is_collection)) for lock in locks)
    return f"<D:lockdiscovery>{inside}</D:lockdiscovery>"


def _creation_date(info: Info) -> str | None:
    created = info.get("created")
    return None if created is None else f"<D:creationdate>{internet_date(int(created))}</D:creationdate>"


def _display_name(info: Info) -> str:
    return f"<D:displayname>{text(info['name'].rpartition('/')[2])}</D:displayname>"


def _content_length(info: Info) -> str | None:
    return f"<D:getcontentlength>{info['size']}</D:getcontentlength>" if info["type"] == "file" else None


def _content_type(info: Info) -> str | None:
    if info["type"] != "file":
        return None
    return f"<D:getcontenttype>{media_type(info['name'])}</D:getcontenttype>"


def _etag(info: Info) -> str | None:
    tag = entity_tag(info) if info["type"] == "file" else None
    return None if tag is None else f"<D:getetag>{text(tag)}</D:getetag>"


def _last_modified(info: Info) -> str | None:
    mtime = info.get("mtime")
    return None if mtime is None else f"<D:getlastmodified>{http_date(int(mtime))}</D:getlastmodified>"


def _resource_type(info: Info) -> str:
    is_collection = info["type"] == "directory"
    return "<D:resourcetype><D:collection/></D:resourcetype>" if is_collection else "<D:resourcetype/>"


def _supported_lock(info: Info) -> str:
    return _SUPPORTED_LOCK
