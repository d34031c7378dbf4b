"""Files as Drive tells of them (Drive API v2, the resource ``files``), and as the filesystem shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from chuk_fsspec.contract.info import FileType
from chuk_fsspec.remote.store import Entry

FOLDER = "application/vnd.google-apps.folder"
_QUOTE = '"'
_GOOGLES_OWN = "application/vnd.google-apps."
MARK = "chuk_change"
"""The property that says which change of this program was the last one."""
FIELDS = (
    "id,etag,title,mimeType,labels/trashed,parents/id,fileSize,md5Checksum,headRevisionId,"
    "createdDate,modifiedDate,properties(key,value,visibility),alternateLink"
)


@dataclass(frozen=True)
class Resource:
    """A file of a Drive.

    Attributes:
        id: names it, whatever its title is and wherever it is.
        etag: changes with every change of it, also of its title or place.
        title: its name; others in the same folder may have the same one.
        parent: the folder in which it is; empty for My Drive itself.
        mime: its media type.
        is_trashed: it is in the trash, or in a folder that is.
        size: bytes.
        md5: of its content; empty for what has none.
        revision: names its content, also after it was replaced.
        created: seconds since the epoch.
        modified: likewise.
        properties: names and values that this program has noted.
        mark: the value of ``MARK``; empty for none.
        link: where a browser shows it.
        others: how many more of this title are in the folder.
    """

    id: str
    etag: str
    title: str
    parent: str
    mime: str
    is_trashed: bool
    size: int
    md5: str
    revision: str
    created: float
    modified: float
    properties: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""
    link: str = ""
    others: int = 0

    @property
    def kind(self) -> FileType:
        """What it is; documents of Google's, and shortcuts, have no bytes to be read."""
        if self.mime == FOLDER:
            return "directory"
        return "other" if self.mime.startswith(_GOOGLES_OWN) else "file"

    def is_at(self, parent: str, title: str) -> bool:
        """Whether it has a title in a folder, and is not in the trash."""
        return not self.is_trashed and self.parent == parent and self.title == title

    def entry(self, path: str) -> Entry:
        """What a filesystem shows of it at a path."""
        details: dict[str, Any] = {"id": self.id, "mimetype": self.mime}
        if self.link:
            details["link"] = self.link
        if self.md5:
            details["md5"] = self.md5
        if self.others:
            details["duplicates"] = self.others
        return Entry(
            path,
            self.kind,
            self.size,
            self.modified,
            self.created,
            self.version,
            metadata=self.properties or None,
            details=details,
        )

    @property
    def version(self) -> str:
        """The etag that users see, which also tells where its content is to be had; empty for what has no content."""
        return f"{self.etag.strip(_QUOTE)}:{self.revision}" if self.kind == "file" else ""


def revision_of(version: str) -> str:
    """The content that the etag of a user is about; empty for none."""
    return version.rpartition(":")[2]


def resource_of(told: Mapping[str, Any]) -> Resource:
    """Read what the service tells of a file, with ``FIELDS``."""
    parents = told.get("parents") or [{"id": ""}]
    private = (one for one in told.get("properties", ()) if one.get("visibility") == "PRIVATE")
    noted = {one["key"]: one["value"] for one in private}
    return Resource(
        id=told["id"],
        etag=told["etag"],
        title=told["title"],
        parent=parents[0]["id"],
        mime=told["mimeType"],
        is_trashed=bool(told.get("labels", {}).get("trashed")),
        size=int(told.get("fileSize", 0)) if told["mimeType"] != FOLDER else 0,
        md5=told.get("md5Checksum", ""),
        revision=told.get("headRevisionId", ""),
        created=_seconds(told["createdDate"]),
        modified=_seconds(told["modifiedDate"]),
        mark=noted.pop(MARK, ""),
        properties=noted,
        link=told.get("alternateLink", ""),
    )


def properties_body(properties: Mapping[str, str]) -> list[dict[str, str]]:
    """Properties as the service takes them."""
    return [{"key": key, "value": value, "visibility": "PRIVATE"} for key, value in properties.items()]


def all_properties(known: Resource, body: Mapping[str, Any], more: Mapping[str, str] | None = None) -> list[Any]:
    """The properties of a file that is changed: those of a body, and those that it has and the body does not tell."""
    told = {one["key"]: one["value"] for one in body.get("properties", ())}
    return properties_body({**known.properties, **told, **(more or {})})


def one_of_each_title(resources: Iterable[Resource]) -> list[Resource]:
    """Of several of one title the one that was made first, which no later one takes the place of.

    What is no name of a path (a title with ``/``, for example) is left out.
    """
    by_title: dict[str, list[Resource]] = {}
    for resource in resources:
        if is_name(resource.title):
            by_title.setdefault(resource.title, []).append(resource)
    return [
        replace(min(same, key=lambda one: (one.created, one.id)), others=len(same) - 1) for same in by_title.values()
    ]


def is_name(title: str) -> bool:
    """Whether a title can be part of a path."""
    return title not in ("", ".", "..") and "/" not in title and "\0" not in title


def _seconds(text: str) -> float:
    """RFC 3339, as ``2026-01-01T00:00:00.000Z``."""
    moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    fraction = text[19:].rstrip("Z")
    return moment.timestamp() + (float(f"0{fraction}") if fraction.startswith(".") else 0.0)
