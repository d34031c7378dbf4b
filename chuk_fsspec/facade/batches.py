"""Many files in one call, which filesystems that are far away serve at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.facade.changing import remove
from chuk_fsspec.facade.content import bytes_of


@dataclass(frozen=True)
class FileSpec:
    """A file to be made.

    Attributes:
        path: where.
        content: text, written as UTF-8, or bytes.
        metadata: what is noted about it.
    """

    path: str
    content: str | Buffer = b""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def specs_of(given: Iterable[Mapping[str, Any]]) -> list[FileSpec]:
    """Read specifications. ValueError for an unknown key or a path that is missing or given twice."""
    known = [one.name for one in fields(FileSpec)]
    specs: list[FileSpec] = []
    for number, one in enumerate(given):
        unknown = sorted(one.keys() - set(known))
        if unknown or "path" not in one:
            raise ValueError(f"file_specs[{number}] has path, content and metadata, not {', '.join(unknown) or 'none'}")
        specs.append(FileSpec(**one))
    return specs


def encoded(contents: Mapping[str, Any]) -> dict[str, Buffer]:
    """What is written, by path. TypeError naming the path of what is neither text nor bytes."""
    return {path: _encoded(path, content) for path, content in contents.items()}


def _encoded(path: str, content: Any) -> Buffer:
    try:
        return bytes_of(content)
    except TypeError as error:
        raise TypeError(f"{path}: {error}") from None


def read_files(fs: AbstractFileSystem, paths: Sequence[str]) -> list[bytes]:
    """The contents of files, in order.

    Args:
        fs: where.
        paths: absolute normal paths.

    Raises:
        OSError: of the first that cannot be read.
    """
    nothing = [None] * len(paths)
    found: list[bytes] = fs.cat_ranges(list(paths), nothing, nothing, on_error="raise")
    return found


def delete_paths(fs: AbstractFileSystem, paths: Sequence[str]) -> None:
    """Remove files and empty directories; of directories, those deeper down first.

    Args:
        fs: where.
        paths: absolute normal paths. All are looked up before the first is removed.

    Raises:
        OSError: ENOENT, ENOTEMPTY, naming the path; those before it are gone.
    """
    kinds = {path: fs.info(path) for path in paths}
    directories = [path for path, info in kinds.items() if info["type"] == "directory" and not info.get("islink")]
    files = [path for path in kinds if path not in set(directories)]
    if files:
        fs.rm(files)
    for path in sorted(directories, reverse=True):
        remove(fs, path, recursive=False)
