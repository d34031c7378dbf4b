"""What the owner of a Drive sees and does in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from tests.gdrive.server.files import ROOT, File
from tests.gdrive.server.running import DriveServer


@dataclass(frozen=True)
class Owner:
    """Somebody who looks into the folder of a filesystem."""

    server: DriveServer
    fs: GoogleDriveFileSystem

    def folder(self) -> File:
        """The folder that is the root of the filesystem."""
        self.fs.ls("/")
        found = [self.server.drive.at(ROOT)]
        for name in self.fs._options.folders:
            found = self._inside(found, name)
        (folder,) = found
        return folder

    def at(self, path: str) -> list[File]:
        """What is at a path, in no trash; several of one title are several."""
        found = [self.folder()]
        for name in path.strip("/").split("/"):
            found = self._inside(found, name)
        return found

    def one(self, path: str) -> File:
        (found,) = self.at(path)
        return found

    def _inside(self, folders: list[File], title: str) -> list[File]:
        drive = self.server.drive
        below = [file for folder in folders for file in drive.inside[folder.id].values()]
        return [file for file in below if file.title == title and not drive.is_in_trash(file)]

    def add(self, title: str, content: bytes | None = b"", **told: Any) -> File:
        """Put something into the folder."""
        parent = self.folder().id
        with self.server.lock:
            return self.server.drive.add({"title": title, "parents": [{"id": parent}], **told}, content)

    def change(self, file: File, **told: Any) -> None:
        """Change something: ``title``, ``labels``."""
        with self.server.lock:
            self.server.drive.change(file, told)

    def fill(self, file: File, content: bytes) -> None:
        with self.server.lock:
            self.server.drive.change(file, {}, content)
