"""Snapshots of chuk-virtual-fs as they are written; 0.5.3 imports them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable

from chuk_fsspec.archives.compression import Sink
from chuk_fsspec.archives.members import Kind, Member
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import Buffer


class JsonWriter:
    """Writes files as they come, and the directories and times when they are known."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._directories: dict[str, dict[str, str]] = {}
        self._newest_ns = 0
        self._files = 0
        self._write('{"snapshot": {"version": 1, "files": {')

    def add(self, member: Member, content: Iterable[Buffer]) -> None:
        """Write a file, or keep a directory in mind."""
        path = f"/{member.path}"
        parent, name = split(path)
        described = {"name": name, "parent": parent}
        self._newest_ns = max(self._newest_ns, member.mtime_ns or 0)
        if member.kind is Kind.DIRECTORY:
            self._directories[path] = described
            return
        comma = "," if self._files else ""
        self._files += 1
        self._write(f'{comma}\n{json.dumps(path)}: {json.dumps(described)[:-1]}, "content": "')
        waiting = b""
        for piece in content:
            data = waiting + piece
            whole = len(data) // 3 * 3
            self._sink.write(base64.b64encode(data[:whole]))
            waiting = data[whole:]
        self._sink.write(base64.b64encode(waiting) + b'"}')

    def finish(self) -> None:
        """Write the rest."""
        moment = self._newest_ns / 10**9
        metadata = {"created": moment, "description": "", "fs_provider": "chuk-fsspec", "stats": {}}
        self._write(f'}},\n"directories": {json.dumps(self._directories)},\n')
        self._write(f'"timestamp": {moment!r}, "provider": "chuk-fsspec"}},\n"metadata": {json.dumps(metadata)}}}\n')
        self._sink.finish()

    def abandon(self) -> None:
        """Write nothing more."""

    def _write(self, text: str) -> None:
        self._sink.write(text.encode())
