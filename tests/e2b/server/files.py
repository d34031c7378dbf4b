"""The names of files: the service ``filesystem.Filesystem`` of a sandbox, over the server half of the SDK."""

from __future__ import annotations

import asyncio
import errno
import grp
import os
import pwd
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from e2b.envd.filesystem import filesystem_connect, filesystem_pb
from protobuf import Oneof
from protobuf.wkt import Timestamp

from tests.e2b.server.cloud import Cloud

POLL_SECONDS = 0.02


@contextmanager
def told(what: str) -> Iterator[None]:
    """Answer as the service does: a missing file has a code of its own, all else is a text at the end of a message."""
    try:
        yield
    except FileNotFoundError as error:
        raise ConnectError(Code.NOT_FOUND, f"file not found: {error.filename}") from None
    except OSError as error:
        raise ConnectError(Code.INTERNAL, f"error {what}: {str(error.strerror or error).lower()}") from None


class Files(filesystem_connect.Filesystem):
    """Answers for all sandboxes."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def stat(self, request: Any, ctx: Any) -> filesystem_pb.StatResponse:
        with told("getting file info"):
            return filesystem_pb.StatResponse(entry=entry_of(self._cloud.real(request.path)))

    async def list_dir(self, request: Any, ctx: Any) -> filesystem_pb.ListDirResponse:
        with told("reading directory"):
            path = self._cloud.real(request.path)
            if not stat.S_ISDIR(os.stat(path).st_mode):
                raise ConnectError(Code.INVALID_ARGUMENT, f"path is not a directory: {path}")
            return filesystem_pb.ListDirResponse(entries=list(below(path, max(1, request.depth))))

    async def make_dir(self, request: Any, ctx: Any) -> filesystem_pb.MakeDirResponse:
        with told("creating directory"):
            path = self._cloud.real(request.path)
            if os.path.isdir(path):
                raise ConnectError(Code.ALREADY_EXISTS, f"directory already exists: {path}")
            if os.path.exists(path):
                raise ConnectError(Code.INVALID_ARGUMENT, f"path already exists but it is not a directory: {path}")
            os.makedirs(path, exist_ok=True)
            return filesystem_pb.MakeDirResponse(entry=entry_of(path))

    async def move(self, request: Any, ctx: Any) -> filesystem_pb.MoveResponse:
        with told("renaming"):
            source, target = self._cloud.real(request.source), self._cloud.real(request.destination)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.isdir(target) and not os.path.islink(target) and not os.path.isdir(source):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)  # as Go's os.Rename has it
            os.rename(source, target)
            return filesystem_pb.MoveResponse(entry=entry_of(target))

    async def remove(self, request: Any, ctx: Any) -> filesystem_pb.RemoveResponse:
        with told("removing file or directory"):
            path = self._cloud.real(request.path)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.unlink(path)
            return filesystem_pb.RemoveResponse()

    async def watch_dir(self, request: Any, ctx: Any) -> AsyncIterator[filesystem_pb.WatchDirResponse]:
        with told("watching"):
            path, depth = self._cloud.real(request.path), 64 if request.recursive else 1
            seen = versions(path, depth)
        yield event_of(Oneof(field="start", value=filesystem_pb.WatchDirResponse.StartEvent()))
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = versions(path, depth)
            for name in sorted(seen.keys() | now.keys()):
                if name not in now:
                    yield changed(name, filesystem_pb.EventType.REMOVE)
                elif name not in seen:
                    yield changed(name, filesystem_pb.EventType.CREATE)
                elif seen[name] != now[name]:
                    yield changed(name, filesystem_pb.EventType.WRITE)
            seen = now


def event_of(event: Any) -> filesystem_pb.WatchDirResponse:
    """One message of a watch."""
    return filesystem_pb.WatchDirResponse(event=event)


def changed(name: str, kind: filesystem_pb.EventType) -> filesystem_pb.WatchDirResponse:
    """What happened to a name."""
    return event_of(Oneof(field="filesystem", value=filesystem_pb.FilesystemEvent(name=name, type=kind)))


def versions(path: str, depth: int) -> dict[str, tuple[int, int]]:
    """Names below a directory, and what changes with their content."""
    found = {}
    for one in below(path, depth):
        with told("watching"):
            status = os.lstat(one.path)
            found[os.path.relpath(one.path, path)] = (status.st_ino, status.st_mtime_ns)
    return found


def below(path: str, depth: int) -> Iterator[filesystem_pb.EntryInfo]:
    """What is in a directory, and so many levels below; links are not followed."""
    with os.scandir(path) as directory:
        inside = sorted(directory, key=lambda found: found.name)
    for found in inside:
        with suppress(FileNotFoundError):  # somebody was faster
            yield entry_of(found.path)
        if depth > 1 and found.is_dir(follow_symlinks=False):
            yield from below(found.path, depth - 1)


def entry_of(path: str) -> filesystem_pb.EntryInfo:
    """A path as the service describes it: of a link, the type and mode of what it leads to."""
    status = os.lstat(path)
    link = followed(path) if stat.S_ISLNK(status.st_mode) else None
    shown = status
    if link is not None and os.path.exists(link):
        shown = os.stat(link)
    return filesystem_pb.EntryInfo(
        name=os.path.basename(path),
        type=type_of(shown.st_mode),
        path=path,
        size=status.st_size,
        mode=shown.st_mode & 0o777,
        permissions=permissions_of(status.st_mode),
        owner=owner_of(status.st_uid),
        group=group_of(status.st_gid),
        modified_time=Timestamp.from_datetime(datetime.fromtimestamp(status.st_mtime_ns / 1e9, timezone.utc)),
        metadata=metadata_at(path),
        **({} if link is None else {"symlink_target": link}),  # type: ignore[arg-type]
    )


def followed(path: str) -> str:
    """What a link leads to; its own path if that is nothing."""
    try:
        return os.path.realpath(path, strict=True)
    except OSError:
        return path


def permissions_of(mode: int) -> str:
    """As Go's ``FileMode.String``: letters for what is no permission, then ``rwxrwxrwx``."""
    letters = {stat.S_IFDIR: "d", stat.S_IFLNK: "L", stat.S_IFIFO: "p", stat.S_IFSOCK: "S"}.get(stat.S_IFMT(mode), "")
    for bit, letter in ((stat.S_ISUID, "u"), (stat.S_ISGID, "g"), (stat.S_ISVTX, "t")):
        letters += letter if mode & bit else ""
    return (letters or "-") + stat.filemode(stat.S_IFREG | mode & 0o777)[1:]


def owner_of(uid: int) -> str:
    """The name of a user; the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_of(gid: int) -> str:
    """The name of a group; the number of one that has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def metadata_at(path: str) -> dict[str, str]:
    """What an upload kept besides the content."""
    if os.path.islink(path):
        return {}
    prefix = "user.e2b."
    names = [name for name in os.listxattr(path) if name.startswith(prefix)]
    return {name.removeprefix(prefix): os.getxattr(path, name).decode() for name in names}


def type_of(mode: int) -> filesystem_pb.FileType:
    """The service's name for a type."""
    if stat.S_ISDIR(mode):
        return filesystem_pb.FileType.DIRECTORY
    return filesystem_pb.FileType.FILE if stat.S_ISREG(mode) else filesystem_pb.FileType.UNSPECIFIED
