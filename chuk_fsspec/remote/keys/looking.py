"""What is at a path, in a directory, and below one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from chuk_fsspec.contract.paths import join
from chuk_fsspec.remote.keys.keystore import Key, Page
from chuk_fsspec.remote.keys.metadata import entry_of, is_link
from chuk_fsspec.remote.keys.names import is_name
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.store import Entry
from chuk_fsspec.remote.together import together


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
    page = await space.page(path, marker, deep=True, limit=1, names_only=True)
    if not page.keys:
        return None
    return await _directory(space, path, marker if page.keys[0].name == marker else "")


async def list_directory(space: Space, path: str, *, names_only: bool = False) -> list[Entry]:
    """What is in a directory. A name that is a file and a prefix too is a file."""
    prefix = space.names.directory(path)
    found: dict[str, Entry] = {}
    is_there = path == space.names.top
    async for page in pages(space, path, prefix, deep=False, names_only=names_only):
        is_there = is_there or bool(page.keys or page.prefixes)
        for entry in await _directories(space, page.prefixes, names_only=names_only):
            found.setdefault(entry.path, entry)
        names = [(key.name[len(prefix) :], key) for key in page.keys]
        files = [(join(path, name), key) for name, key in names if is_name(name)]
        found |= {entry.path: entry for entry in await _files(space, files, names_only=names_only)}
    if not is_there:
        raise await space.why_no_directory(path)
    return list(found.values())


async def descend(space: Space, path: str, *, names_only: bool = False) -> AsyncIterator[Sequence[Entry]]:
    """Everything below a directory, page by page, each directory before what it holds."""
    prefix = space.names.directory(path)
    folder, last_shown = prefix, prefix
    folder_path: str | None = path
    files: list[str] = []
    async for page in pages(space, path, prefix, deep=True, names_only=names_only):
        shown: list[tuple[str, Key]] = []
        directories: list[str] = []
        for key in page.keys:
            above, name = _split(key.name)
            while files and not key.name.startswith(files[-1]):
                files.pop()
            if above != folder:
                folder, folder_path = above, path if above == prefix else _path_of(space, above, files)
                if folder_path is not None:
                    directories += _new_folders(last_shown, above, len(prefix))
                    last_shown = above
            if folder_path is not None and is_name(name):
                files.append(key.name)
                shown.append((join(folder_path, name), key))
        yield await _directories(space, directories, names_only=names_only)
        yield await _files(space, shown, names_only=names_only)


def _split(key: str) -> tuple[str, str]:
    """The folder of a key, which a ``/`` ends if it has one, and its name in there, empty for a marker."""
    end = key.rfind("/") + 1
    return key[:end], key[end:]


def _path_of(space: Space, folder: str, files: Sequence[str]) -> str | None:
    """The path of a folder; None for one that no path leads to, and below one of these files."""
    return None if any(folder.startswith(f"{file}/") for file in files) else space.names.path(folder)


def _new_folders(before: str, folder: str, start: int) -> list[str]:
    """The folders on the way to one that are not on the way to the one before.

    Args:
        before: a folder.
        folder: the next one.
        start: how many characters both have in common anyway.
    """
    ends = [at + 1 for at in range(start, len(folder)) if folder[at] == "/"]
    return [folder[:end] for end in ends if not before.startswith(folder[:end])]


async def pages(space: Space, path: str, prefix: str, *, deep: bool, names_only: bool = False) -> AsyncIterator[Page]:
    """All pages of a listing."""
    rest = ""
    while True:
        page = await space.page(path, prefix, deep=deep, rest=rest, names_only=names_only)
        yield page
        rest = page.rest
        if not rest:
            return


async def _files(space: Space, named: Sequence[tuple[str, Key]], *, names_only: bool = False) -> list[Entry]:
    if names_only:
        return [Entry(path, "file") for path, _ in named]
    if not space.keeps_posix:
        return [entry_of(path, key, keeps_posix=False) for path, key in named]
    entries = await together(_looked_up(space, path, key) for path, key in named)
    return [entry for entry in entries if entry is not None]


async def _directories(space: Space, markers: Sequence[str], *, names_only: bool = False) -> list[Entry]:
    named = [(path, marker) for marker in markers if (path := space.names.path(marker))]
    if names_only or not space.keeps_posix:
        return [Entry(path, "directory") for path, _ in named]
    return await together(_directory(space, path, marker) for path, marker in named)


async def _looked_up(space: Space, path: str, key: Key) -> Entry | None:
    found = key if key.labels is not None else await space.head(path, key.name)
    return None if found is None else await _described(space, path, found)


async def _described(space: Space, path: str, key: Key) -> Entry:
    if not (space.keeps_posix or space.keys.traits.lists_labels or space.version):
        # What no listing tells of an object's labels is not told here either.
        return entry_of(path, key._replace(labels=None), keeps_posix=False)
    destination = ""
    if space.keeps_posix and key.labels is not None and is_link(key.labels.metadata):
        destination = await read_link(space, path)
    return entry_of(path, key, keeps_posix=space.keeps_posix, destination=destination)


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
    return entry_of(path, key, keeps_posix=True)._replace(content_type="", metadata=None, details={})
