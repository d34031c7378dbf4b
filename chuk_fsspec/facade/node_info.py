"""What is known of a file or directory, with the names that chuk-virtual-fs has for it."""

from __future__ import annotations

import hashlib
import mimetypes
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.info import mode_of
from chuk_fsspec.contract.paths import split
from chuk_fsspec.facade.metadata import read_metadata

UNKNOWN_TYPE = "application/octet-stream"
DIRECTORY_TYPE = "inode/directory"

_MIME_TYPE = "mime_type"
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class NodeInfo:
    """A file, directory or link at one moment. None stands for what its filesystem does not know.

    Attributes:
        path: absolute normal path.
        name: its last part; empty for the root.
        is_dir: whether it is, or leads to, a directory.
        is_link: whether it is a symbolic link.
        target: what the link holds.
        size: bytes; 0 for a directory.
        modified_at: when its content last changed, in UTC.
        created_at: when it was made, in UTC.
        accessed_at: when it was last read, in UTC.
        permissions: three octal digits, such as "644".
        owner: number of the user, as text.
        group: number of the group, as text.
        mime_type: as noted under this key, or by the ending of its name.
        etag: changes with every change of content.
        sha256: of its content, in hexadecimal, where it was asked for.
        custom_meta: what was noted with ``set_metadata``.
    """

    path: str
    name: str
    is_dir: bool
    size: int
    is_link: bool = False
    target: str | None = None
    modified_at: datetime | None = None
    created_at: datetime | None = None
    accessed_at: datetime | None = None
    permissions: str = "644"
    owner: str | None = None
    group: str | None = None
    mime_type: str = UNKNOWN_TYPE
    etag: str | None = None
    sha256: str | None = None
    custom_meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parent_path(self) -> str:
        """The directory that it is in; the root is in itself."""
        return split(self.path)[0]

    def get_path(self) -> str:
        """Its path."""
        return self.path

    def to_dict(self) -> dict[str, Any]:
        """All of it by name, in values that JSON can hold; times as ISO 8601."""
        values = {**asdict(self), "parent_path": self.parent_path, "custom_meta": dict(self.custom_meta)}
        return {key: one.isoformat() if isinstance(one, datetime) else one for key, one in values.items()}


def node_info(fs: AbstractFileSystem, path: str, *, sha256: bool = False) -> NodeInfo:
    """What is known of a path.

    Args:
        fs: where.
        path: absolute normal path.
        sha256: read a file to its end for the checksum of its content.

    Raises:
        OSError: ENOENT.
    """
    info = fs.info(path)
    is_link = bool(info.get("islink"))
    noted = {} if is_link and not fs.exists(path) else read_metadata(fs, path)
    is_dir = info["type"] == "directory" or (info["type"] == "link" and fs.isdir(path))
    return NodeInfo(
        path=path,
        name=split(path)[1],
        is_dir=is_dir,
        size=0 if is_dir else int(info["size"] or 0),
        is_link=is_link,
        target=info.get("destination"),
        modified_at=_moment(info.get("mtime")),
        created_at=_moment(info.get("created")),
        accessed_at=_moment(info.get("atime")),
        permissions=format(stat.S_IMODE(mode_of(info)) & 0o777, "03o"),
        owner=_text(info.get("uid")),
        group=_text(info.get("gid")),
        mime_type=_mime_type(path, is_dir, noted),
        etag=_text(info.get("etag")),
        sha256=_sha256(fs, path) if sha256 and not is_dir else None,
        custom_meta=noted,
    )


def _mime_type(path: str, is_dir: bool, noted: Mapping[str, Any]) -> str:
    said = noted.get(_MIME_TYPE)
    if isinstance(said, str):
        return said
    return DIRECTORY_TYPE if is_dir else mimetypes.guess_type(path, strict=False)[0] or UNKNOWN_TYPE


def _moment(value: Any) -> datetime | None:
    """A time as filesystems tell it: seconds since the epoch, or a ``datetime`` already."""
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, tz=timezone.utc)
    return value if isinstance(value, datetime) else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _sha256(fs: AbstractFileSystem, path: str) -> str:
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
