"""What a Drive keeps: files with identifiers, any number of which may have one title in one folder."""

from __future__ import annotations

import base64
import hashlib
import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

FOLDER = "application/vnd.google-apps.folder"
ROOT = "root-of-my-drive"
SHARED = "0AShared"
"""The identifier of the shared drive that the user is a member of."""
LEVELS = 100
"""Of folders in My Drive; no more can be made."""


class Refusal(Exception):  # noqa: N818 - what the service answers
    """An error of the API, as it is sent."""

    def __init__(self, status: int, reason: str, message: str = "", retry_after: int = 0) -> None:
        super().__init__(message or reason)
        self.status, self.reason, self.retry_after = status, reason, retry_after

    @property
    def body(self) -> dict[str, Any]:
        message = str(self)
        one = {"domain": "global", "reason": self.reason, "message": message}
        return {"error": {"code": self.status, "message": message, "errors": [one]}}


@dataclass
class File:
    """A file, a folder, or something of Google's that has no bytes."""

    id: str
    title: str
    parent: str | None
    mime: str
    created: float
    modified: float
    content: bytes | None = None
    version: int = 1
    is_trashed: bool = False
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    revisions: dict[str, bytes] = field(default_factory=dict)
    head: str = ""

    @property
    def etag(self) -> str:
        return f'"{base64.urlsafe_b64encode(f"{self.id}/{self.version}".encode()).decode()}"'


def rfc3339(seconds: float) -> str:
    """A time as the API has it, with milliseconds."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Drive:
    """The files of one user."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.inside: defaultdict[str, dict[str, File]] = defaultdict(dict)
        """The files of each folder, those in the trash included."""
        self.given_ids: set[str] = set()
        self._numbers = itertools.count(1)
        now = time.time()
        self.files[ROOT] = File(ROOT, "My Drive", None, FOLDER, now, now)
        self.files[SHARED] = File(SHARED, "Shared", None, FOLDER, now, now)

    def new_id(self) -> str:
        number = next(self._numbers)
        made = f"1{hashlib.sha256(str(number).encode()).hexdigest()[:32]}"
        self.given_ids.add(made)
        return made

    def at(self, file_id: str) -> File:
        found = self.files.get(ROOT if file_id == "root" else file_id)
        if found is None:
            raise Refusal(404, "notFound", f"File not found: {file_id}")
        return found

    def is_shared(self, file: File) -> bool:
        """Whether a file is in the shared drive."""
        above = file
        while above.parent is not None:
            above = self.files[above.parent]
        return above.id == SHARED

    def is_in_trash(self, file: File) -> bool:
        above: File | None = file
        while above is not None:
            if above.is_trashed:
                return True
            above = self.files.get(above.parent) if above.parent else None
        return False

    def add(self, told: dict[str, Any], content: bytes | None, mime: str = "application/octet-stream") -> File:
        """Make a file; a second of one title is no error."""
        file_id = told.get("id") or self.new_id()
        if file_id in self.files:
            raise Refusal(409, "fileIdInUse", "A file already exists with the provided ID.")
        if file_id not in self.given_ids:
            raise Refusal(400, "invalid", "The provided file ID is not usable.")
        parent = self.at((told.get("parents") or [{"id": "root"}])[0]["id"])
        if parent.mime != FOLDER:
            raise Refusal(403, "parentNotAFolder", "The specified parent is not a folder.")
        self._refuse_depth(parent)
        now = time.time()
        kind = told.get("mimeType") or mime
        file = File(file_id, told.get("title", "Untitled"), parent.id, kind, now, now)
        self._describe(file, told)
        if not kind.startswith("application/vnd.google-apps."):
            self._fill(file, content or b"")
        self.files[file_id] = self.inside[parent.id][file_id] = file
        return file

    def change(
        self,
        file: File,
        told: dict[str, Any],
        content: bytes | None = None,
        *,
        add: str = "",
        remove: str = "",
        is_now: bool = True,
    ) -> File:
        """Change what is told of a file, and nothing else."""
        if add:
            if remove != file.parent:
                raise Refusal(403, "cannotAddParent", "Increasing the number of parents is not allowed")
            self._refuse_circles(file, self.at(add))
            self.inside[remove].pop(file.id)
            file.parent = self.at(add).id
            self.inside[file.parent][file.id] = file
        file.title = told.get("title", file.title)
        file.mime = told.get("mimeType", file.mime)
        file.is_trashed = told.get("labels", {}).get("trashed", file.is_trashed)
        self._describe(file, told)
        if content is not None:
            self._fill(file, content)
        if is_now:
            file.modified = time.time()
        file.version += 1
        return file

    def _refuse_depth(self, parent: File) -> None:
        above, levels = parent, 1
        while above.parent is not None:
            above, levels = self.files[above.parent], levels + 1
        if levels > LEVELS:
            raise Refusal(403, "myDriveHierarchyDepthLimitExceeded", "The folder is too deep.")

    def _refuse_circles(self, file: File, parent: File) -> None:
        above: File | None = parent
        while above is not None:
            if above is file:
                raise Refusal(403, "circularDependency", "A folder cannot be below itself.")
            above = self.files.get(above.parent) if above.parent else None

    def _describe(self, file: File, told: dict[str, Any]) -> None:
        if "properties" in told:
            file.properties.clear()  # a list takes the place of the one that was there
        for one in told.get("properties", []):
            if len(f"{one['key']}{one['value']}".encode()) > 124:
                raise Refusal(400, "invalid", "A property has at most 124 bytes.")
            file.properties[one["key"]] = {"key": one["key"], "value": one["value"], "visibility": "PRIVATE"}
        if len(file.properties) > 30:
            raise Refusal(403, "customPropertyLimitExceeded", "At most 30 private properties.")

    def _fill(self, file: File, content: bytes) -> None:
        file.content = content
        file.head = f"0B{next(self._numbers)}"
        file.revisions[file.head] = content

    def delete(self, file: File) -> None:
        """Remove a file for good, and all that is below it."""
        for below in list(self.inside.pop(file.id, {}).values()):
            self.delete(below)
        self.files.pop(file.id, None)
        self.inside[file.parent or ""].pop(file.id, None)

    def copy(self, file: File, told: dict[str, Any]) -> File:
        if file.content is None:
            raise Refusal(403, "cannotCopyFile", "This file cannot be copied by the user.")
        titles = {"title": f"Copy of {file.title}", "parents": [{"id": file.parent}], "mimeType": file.mime}
        kept = {"properties": list(file.properties.values())}
        return self.add({**titles, **kept, **told}, file.content)

    def resource(self, file: File) -> dict[str, Any]:
        """A file as the API shows it."""
        shown: dict[str, Any] = {
            "kind": "drive#file",
            "id": file.id,
            "etag": file.etag,
            "title": file.title,
            "mimeType": file.mime,
            "labels": {"trashed": self.is_in_trash(file), "starred": False},
            "createdDate": rfc3339(file.created),
            "modifiedDate": rfc3339(file.modified),
            "parents": [{"kind": "drive#parentReference", "id": file.parent, "isRoot": file.parent == ROOT}],
            "version": str(file.version),
            "properties": list(file.properties.values()),
            "alternateLink": f"https://drive.google.com/file/d/{file.id}/view",
        }
        if file.parent is None:
            shown["parents"] = []
        if not file.properties:
            del shown["properties"]
        if file.content is not None:
            shown["fileSize"] = str(len(file.content))
            shown["md5Checksum"] = hashlib.md5(file.content).hexdigest()
            shown["headRevisionId"] = file.head
        return shown
