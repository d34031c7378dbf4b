"""Modes, owners and times in the metadata of objects, under the names that s3fs-fuse reads and writes."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import replace

from chuk_fsspec.contract.info import FileType
from chuk_fsspec.remote.keys.keystore import NO_LABELS, Key, Labels
from chuk_fsspec.remote.store import Attributes, Entry

WRITE_TOKEN = "chuk-write"  # noqa: S105 - the name of a property
"""Metadata that tells one's own write from another one, if the reply was lost."""

_MODE, _MTIME, _UID, _GID = "mode", "mtime", "uid", "gid"
_POSIX = (_MODE, _MTIME, _UID, _GID)

_TYPES = {"file": stat.S_IFREG, "directory": stat.S_IFDIR, "link": stat.S_IFLNK}


def labels_of(besides: Attributes, *, keeps_posix: bool, kind: FileType = "file", before: Labels = NO_LABELS) -> Labels:
    """What is to be kept with an object.

    Args:
        besides: what is asked for; None leaves it as it was.
        keeps_posix: whether mode, owner and time are kept.
        kind: of what the object stands for.
        before: what was kept.

    Raises:
        ValueError: for metadata that is not ASCII, or takes a name that is used here.
    """
    own = before.metadata if besides.metadata is None else _checked(besides.metadata, keeps_posix=keeps_posix)
    metadata = {name: value for name, value in own.items() if name != WRITE_TOKEN}
    if keeps_posix:
        metadata |= {name: before.metadata[name] for name in _POSIX if name in before.metadata}
        metadata |= _posix(besides, kind)
    content_type = before.content_type if besides.content_type is None else besides.content_type
    return replace(before, content_type=content_type, metadata=metadata)


def permissions_of(labels: Labels) -> Labels:
    """What a file keeps when its content is replaced: mode and owner. A link keeps nothing."""
    if is_link(labels.metadata):
        return NO_LABELS
    return Labels(metadata={name: labels.metadata[name] for name in (_MODE, _UID, _GID) if name in labels.metadata})


def with_token(labels: Labels, token: str) -> Labels:
    """Labels that tell one's own write from others."""
    return replace(labels, metadata={**labels.metadata, WRITE_TOKEN: token})


def is_link(metadata: Mapping[str, str]) -> bool:
    """Whether an object with such metadata is a symbolic link; its content is what the link holds."""
    mode = _number(metadata, _MODE)
    return mode is not None and stat.S_ISLNK(int(mode))


def entry_of(path: str, key: Key, *, keeps_posix: bool, destination: str = "") -> Entry:
    """What an object says of a path.

    Args:
        path: absolute and normal.
        key: the object; the marker of a directory has a ``/`` at its end.
        keeps_posix: whether mode, owner and time are kept.
        destination: what a link holds.
    """
    kind: FileType = "directory" if key.name.endswith("/") else "link" if destination else "file"
    size, etag = (key.size, key.etag) if kind == "file" else (0, "")
    labels = key.labels
    if labels is None:
        return Entry(path, kind, size, key.mtime, key.mtime, etag, details=key.details)
    entry = Entry(
        path,
        kind,
        size,
        key.mtime,
        key.mtime,
        etag,
        content_type=labels.content_type,
        metadata=_shown(labels.metadata, keeps_posix=keeps_posix),
        details=key.details,
    )
    if not keeps_posix:
        return entry
    mode, uid, gid, mtime = (_number(labels.metadata, name) for name in (_MODE, _UID, _GID, _MTIME))
    return entry._replace(
        mtime=key.mtime if mtime is None else mtime,
        mode=None if mode is None else stat.S_IMODE(int(mode)),
        uid=None if uid is None else int(uid),
        gid=None if gid is None else int(gid),
        destination=destination if kind == "link" else "",
    )


def _shown(metadata: Mapping[str, str], *, keeps_posix: bool) -> Mapping[str, str]:
    """Metadata without what is kept there under names of this library."""
    if not metadata:
        return metadata
    hidden = (WRITE_TOKEN, *_POSIX) if keeps_posix else (WRITE_TOKEN,)
    return {name: value for name, value in metadata.items() if name not in hidden}


def _posix(besides: Attributes, kind: FileType) -> dict[str, str]:
    kept = {_UID: besides.uid, _GID: besides.gid}
    if besides.mode is not None or kind != "file":
        mode = besides.mode if besides.mode is not None else 0o755 if kind == "directory" else 0o777
        kept[_MODE] = _TYPES[kind] | stat.S_IMODE(mode)
    metadata = {name: str(value) for name, value in kept.items() if value is not None}
    if besides.mtime is not None:
        metadata[_MTIME] = f"{besides.mtime:.9f}"
    return metadata


def _number(metadata: Mapping[str, str], name: str) -> float | None:
    """A number as some program has written it; None for anything else."""
    try:
        return float(metadata[name]) if name in metadata else None
    except ValueError:
        return None


def _checked(metadata: Mapping[str, str], *, keeps_posix: bool) -> dict[str, str]:
    for name, value in metadata.items():
        if not (name.isascii() and value.isascii()):
            raise ValueError(
                f"metadata[{name!r}] is not ASCII, as an HTTP header has to be; write it as JSON, for example"
            )
        if name == WRITE_TOKEN or (keeps_posix and name in _POSIX):
            raise ValueError(f"metadata[{name!r}] is a name that the filesystem uses; take another one")
    return {name.lower(): value for name, value in metadata.items()}
