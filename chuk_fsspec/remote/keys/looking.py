"""What is at a path, in a directory, and below one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from chuk_fsspec.remote.keys.keystore import Key, Page
from chuk_fsspec.remote.keys.metadata import entry_of, is_link
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.together import together

_ALWAYS_TOLD = ("storage_class", "version_id")
"""Details that ``info`` has of every file."""


async def look(space: Space, path: str) -> Entry | None:
    """What is at a path: a file if there is such a key, a directory if there are keys below it."""
    if path == space.names.top:
        return Entry(path, "directory")
    key = await space.head(path, space.names.key(path))
    if key is not None:
        return await _described(space, path, key)
    return None if space.version else await look_at_directory(space, path)


async def look_at_directory(space: Space, path: str) -> Entry | None:
    """The directory at a path, if there is one."""
    marker = space.names.directory(path)
    page = await space.page(path, marker, deep=True, limit=1)
    if not page.keys:
        return None
    return await _directory(space, path, marker if page.keys[0].name == marker else "")


async def list_directory(space: Space, path: str) -> list[Entry]:
    """What is in a directory. A name that is a file and a prefix too is a file."""
    prefix = space.names.directory(path)
    found: dict[str, Entry] = {}
    is_there = path == space.names.top
    async for page in pages(space, path, prefix, deep=False):
        is_there = is_there or bool(page.keys or page.prefixes)
        for entry in await _directories(space, page.prefixes):
            found.setdefault(entry.path, entry)
        found |= {entry.path: entry for entry in await _files(space, [key for key in page.keys if key.name != prefix])}
    if not is_there:
        raise await space.why_no_directory(path)
    return list(found.values())


async def descend(space: Space, path: str) -> AsyncIterator[Entry]:
    """Everything below a directory, each directory before what it holds."""
    prefix = space.names.directory(path)
    above: list[str] = []
    files: list[str] = []
    async for page in pages(space, path, prefix, deep=True):
        shown: list[Key] = []
        directories: list[str] = []
        for key in page.keys:
            while files and not key.name.startswith(files[-1]):
                files.pop()
            if any(key.name[len(file)] == "/" for file in files) or space.names.path(key.name) is None:
                continue
            *parents, name = key.name[len(prefix) :].split("/")
            keep = next((i for i, (old, new) in enumerate(zip(above, parents, strict=False)) if old != new), len(above))
            keep = min(keep, len(parents))
            directories += [f"{prefix}{'/'.join(parents[:depth])}/" for depth in range(keep + 1, len(parents) + 1)]
            above = parents
            if name:
                files.append(key.name)
                shown.append(key)
        for entry in await _directories(space, directories):
            yield entry
        for entry in await _files(space, shown):
            yield entry


async def pages(space: Space, path: str, prefix: str, *, deep: bool) -> AsyncIterator[Page]:
    """All pages of a listing."""
    rest = ""
    while True:
        page = await space.page(path, prefix, deep=deep, rest=rest)
        yield page
        rest = page.rest
        if not rest:
            return


async def _files(space: Space, keys: Sequence[Key]) -> list[Entry]:
    named = [(path, key) for key in keys if not key.name.endswith("/") and (path := space.names.path(key.name))]
    if not space.keeps_posix:
        return [entry_of(path, key, keeps_posix=False) for path, key in named]
    entries = await together(_looked_up(space, path, key) for path, key in named)
    return [entry for entry in entries if entry is not None]


async def _directories(space: Space, markers: Sequence[str]) -> list[Entry]:
    named = [(path, marker) for marker in markers if (path := space.names.path(marker))]
    if not space.keeps_posix:
        return [Entry(path, "directory") for path, _ in named]
    return await together(_directory(space, path, marker) for path, marker in named)


async def _looked_up(space: Space, path: str, key: Key) -> Entry | None:
    found = key if key.labels is not None else await space.head(path, key.name)
    return None if found is None else await _described(space, path, found)


async def _described(space: Space, path: str, key: Key) -> Entry:
    destination = ""
    if space.keeps_posix and key.labels is not None and is_link(key.labels.metadata):
        destination = await read_link(space, path)
    entry = entry_of(path, key, keeps_posix=space.keeps_posix, destination=destination)
    if space.keeps_posix or space.keys.traits.lists_labels or space.version:
        return entry
    # What no listing tells is not told here either, but for what a version is asked for by.
    return replace(entry, details={name: told for name, told in entry.details.items() if name in _ALWAYS_TOLD})


async def read_link(space: Space, path: str) -> str:
    """What a symbolic link holds, which is its object's content."""
    name = space.names.key(path)
    piece = await space.calls(path, lambda: space.keys.get(name, version=space.version))
    return piece.data.decode("utf-8", "surrogateescape")


async def _directory(space: Space, path: str, marker: str) -> Entry:
    """A directory, with what its marker says where modes are kept. Times are not told: a prefix has none."""
    key = await space.head(path, marker) if space.keeps_posix and marker else None
    if key is None:
        return Entry(path, "directory")
    entry = entry_of(path, key, keeps_posix=True)
    return replace(entry, details={})
