"""The requests of the Drive API v2 that a filesystem makes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.gdrive.server.fields import select
from tests.gdrive.server.files import SHARED, Drive, File, Refusal
from tests.gdrive.server.queries import matcher
from tests.gdrive.server.uploads import Session, Sessions, parts_of, take_part

_FILE = re.compile(r"/drive/v2/files/([^/]+)(?:/(copy|trash|untrash))?")
_PROPERTY = re.compile(r"/drive/v2/files/([^/]+)/properties/([^/]+)")
_UPLOAD = re.compile(r"/upload/drive/v2/files(?:/([^/]+))?")


@dataclass(frozen=True)
class Request:
    """What came; names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.body or b"{}"))


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int = 200
    value: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """A Drive behind requests."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.sessions = Sessions()

    def answer(self, request: Request) -> Reply:
        """Do what a request asks. Refusal."""
        self._refuse_unexpected_drives(request)
        if request.path == "/drive/v2/files":
            return self._list(request) if request.method == "GET" else self._insert(request)
        if request.path == "/drive/v2/files/generateIds":
            ids = [self.drive.new_id() for _ in range(int(request.query.get("maxResults", "10")))]
            return Reply(value={"kind": "drive#generatedIds", "space": "drive", "ids": ids})
        if upload := _UPLOAD.fullmatch(request.path):
            return self._upload(request, upload.group(1))
        if (one := _PROPERTY.fullmatch(request.path)) and request.method == "DELETE":
            return self._drop_property(self.drive.at(one.group(1)), unquote(one.group(2)))
        if one := _FILE.fullmatch(request.path):
            return self._one(request, self.drive.at(one.group(1)), one.group(2))
        raise Refusal(404, "notFound", f"{request.method} {request.path}")

    def _refuse_unexpected_drives(self, request: Request) -> None:
        """Files of shared drives are there for who says that he knows of those."""
        if "upload_id" in request.query:  # it was said when the upload began
            return
        one = _FILE.fullmatch(request.path) or _UPLOAD.fullmatch(request.path)
        told = request.told if request.headers.get("content-type", "").startswith("application/json") else {}
        named = [one.group(1) if one else None, *(parent["id"] for parent in told.get("parents", ()))]
        found = [self.drive.files[name] for name in named if name in self.drive.files]
        if any(map(self.drive.is_shared, found)) and request.query.get("supportsAllDrives") != "true":
            raise Refusal(404, "notFound", f"File not found: {found[0].id}")

    def _shown(self, request: Request, file: File) -> Reply:
        resource = self.drive.resource(file)
        return Reply(value=select(resource, request.query.get("fields", "")), headers={"ETag": file.etag})

    # ---- lists

    def _list(self, request: Request) -> Reply:
        query = request.query.get("q", "trashed=false or trashed=true")
        test = matcher(self.drive, query)
        inside = re.match(r"'([^']+)' in parents and (?!.* or )", query)
        among = self.drive.inside[self.drive.at(inside.group(1)).id] if inside else self.drive.files
        found = [file for file in among.values() if file.parent is not None and test(file)]
        found = [file for file in found if self.drive.is_shared(file) == _lists_shared(request)]
        size, start = int(request.query.get("maxResults", "100")), int(request.query.get("pageToken", "0"))
        shown: dict[str, Any] = {
            "kind": "drive#fileList",
            "items": [self.drive.resource(file) for file in found[start : start + size]],
        }
        if start + size < len(found):
            shown["nextPageToken"] = str(start + size)
        return Reply(value=select(shown, request.query.get("fields", "")))

    # ---- one file

    def _insert(self, request: Request) -> Reply:
        return self._shown(request, self.drive.add(request.told, None))

    def _one(self, request: Request, file: File, act: str | None) -> Reply:
        if request.method == "GET":
            return self._media(request, file) if request.query.get("alt") == "media" else self._shown(request, file)
        if act == "copy":
            return self._shown(request, self.drive.copy(file, request.told))
        _check_etag(request.headers.get("if-match", ""), file)
        if act is not None:
            return self._shown(request, self.drive.change(file, {"labels": {"trashed": act == "trash"}}))
        if request.method == "DELETE":
            self.drive.delete(file)
            return Reply(204)
        return self._shown(request, self._change(file, request.told, None, request.query))

    def _change(self, file: File, told: dict[str, Any], content: bytes | None, query: Mapping[str, str]) -> File:
        places = {"add": query.get("addParents", ""), "remove": query.get("removeParents", "")}
        return self.drive.change(
            file, told, content, **places, is_now=query.get("modifiedDateBehavior", "now") != "noChange"
        )

    def _drop_property(self, file: File, key: str) -> Reply:
        if file.properties.pop(key, None) is None:
            raise Refusal(404, "notFound", f"Property not found: {key}")
        self.drive.change(file, {}, is_now=False)
        return Reply(204)

    def _media(self, request: Request, file: File) -> Reply:
        content = file.content
        if "revisionId" in request.query:
            content = file.revisions.get(request.query["revisionId"])
            if content is None:
                raise Refusal(404, "notFound", "Revision not found")
        if content is None:
            raise Refusal(403, "fileNotDownloadable", "Only files with binary content can be downloaded.")
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if match is None:
            return Reply(content=content)
        first = int(match.group(1))
        last = min(int(match.group(2) or len(content)), len(content) - 1)
        if first >= len(content):
            raise Refusal(416, "requestedRangeNotSatisfiable", "Request range not satisfiable")
        told = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return Reply(206, content=content[first : last + 1], headers=told)

    # ---- content

    def _upload(self, request: Request, file_id: str | None) -> Reply:
        if "upload_id" in request.query:
            return self._part(request)
        if file_id is not None:
            _check_etag(request.headers.get("if-match", ""), self.drive.at(file_id))
        if request.query.get("uploadType") == "resumable":
            mime = request.headers.get("x-upload-content-type", "application/octet-stream")
            if_match = request.headers.get("if-match", "")
            name = self.sessions.begin(Session(file_id, request.told, mime, request.query, if_match))
            address = f"http://{request.headers['host']}{request.path}?uploadType=resumable&upload_id={name}"
            return Reply(headers={"Location": address}, content=b"")
        told, mime, content = parts_of(request.headers["content-type"], request.body)
        return self._shown(request, self._filled(file_id, told, mime, content, request.query))

    def _part(self, request: Request) -> Reply:
        session = self.sessions.of(request.query["upload_id"])
        if request.method == "DELETE":
            del self.sessions.open[request.query["upload_id"]]
            raise Refusal(499, "cancelled", "The upload was cancelled.")
        if session.result is None and take_part(session, request.headers.get("content-range", ""), request.body):
            if session.file_id is not None:
                _check_etag(session.if_match, self.drive.at(session.file_id))
            content = bytes(session.received)
            file = self._filled(session.file_id, session.told, session.mime, content, session.changes)
            session.result = select(self.drive.resource(file), session.changes.get("fields", ""))
        if session.result is not None:
            return Reply(value=session.result)
        return Reply(308, content=b"", headers=session.range)

    def _filled(
        self, file_id: str | None, told: dict[str, Any], mime: str, content: bytes, query: Mapping[str, str]
    ) -> File:
        if file_id is None:
            return self.drive.add(told, content, mime)
        return self._change(self.drive.at(file_id), {"mimeType": mime, **told}, content, query)


def _lists_shared(request: Request) -> bool:
    """Whether a list is one of the shared drive, which takes four parameters."""
    asked = (
        ("supportsAllDrives", "true"),
        ("includeItemsFromAllDrives", "true"),
        ("corpora", "drive"),
        ("driveId", SHARED),
    )
    return all(request.query.get(name) == value for name, value in asked)


def _check_etag(wanted: str, file: File) -> None:
    if wanted and wanted not in ("*", file.etag):
        raise Refusal(412, "conditionNotMet", "Precondition Failed")
