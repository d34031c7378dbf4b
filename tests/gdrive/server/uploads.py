"""How content comes: with its metadata in one request, or in parts that can be taken up again."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.gdrive.server.files import Refusal

PART_MULTIPLE = 256 * 1024
"""Each part but the last has a multiple of this."""


@dataclass
class Session:
    """A resumable upload."""

    file_id: str | None
    told: dict[str, Any]
    mime: str
    changes: Mapping[str, str]
    if_match: str
    received: bytearray = field(default_factory=bytearray)
    result: dict[str, Any] | None = None

    @property
    def range(self) -> dict[str, str]:
        return {"Range": f"bytes=0-{len(self.received) - 1}"} if self.received else {}


class Sessions:
    """The uploads that have begun."""

    def __init__(self) -> None:
        self.open: dict[str, Session] = {}

    def begin(self, session: Session) -> str:
        name = uuid.uuid4().hex
        self.open[name] = session
        return name

    def of(self, name: str) -> Session:
        if name not in self.open:
            raise Refusal(404, "notFound", "The upload session is not known.")
        return self.open[name]


def take_part(session: Session, content_range: str, data: bytes) -> bool:
    """Add a part; whether it was the last."""
    match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", content_range) if content_range else None
    if content_range and match is None:
        raise Refusal(400, "badRequest", f"Content-Range: {content_range}")
    first, last, total = match.groups() if match else ("0", str(len(data) - 1), str(len(data)))
    if first is not None:
        begin = int(first)
        if begin > len(session.received) or int(last) - begin + 1 != len(data):
            raise Refusal(400, "badRequest", f"Content-Range: {content_range}")
        if total == "*" and len(data) % PART_MULTIPLE:
            raise Refusal(400, "badRequest", "A part has a multiple of 256 KiB.")
        session.received[begin:] = data
    return total != "*" and len(session.received) == int(total)


def parts_of(content_type: str, body: bytes) -> tuple[dict[str, Any], str, bytes]:
    """Metadata, media type and content of a multipart/related body (RFC 2387)."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if match is None:
        raise Refusal(400, "badContent", "no boundary")
    line = b"--" + match.group(1).encode()
    _, first, rest = body.split(line, 2)
    metadata = json.loads(first.partition(b"\n\n")[2] or b"{}")
    head, _, content = rest.rpartition(b"\n" + line + b"--")[0].lstrip(b"\r\n").partition(b"\n\n")
    mime = re.search(rb"Content-Type: *(\S+)", head)
    return metadata, mime.group(1).decode() if mime else "application/octet-stream", content
