"""The way back: a template that makes a directory as it is."""

from __future__ import annotations

import base64
import errno
import json
import os
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.parsing import BASE64
from chuk_fsspec.templates.planning import text_or_bytes
from chuk_fsspec.templates.sources import Source, open_source
from chuk_fsspec.templates.template import DEFAULT_LIMITS, Limits
from chuk_fsspec.templates.trees import link_of, permissions_of


def make_template(
    location: str | os.PathLike[str] | AbstractFileSystem, path: str = "/", limits: Limits = DEFAULT_LIMITS
) -> dict[str, Any]:
    """The template that makes a directory as it is: contents, permission bits, empty directories and links.

    Args:
        location: a directory of this machine, an fsspec URL of one, or a filesystem.
        path: the directory in the filesystem; without meaning for the others.
        limits: how much it may hold.

    Returns:
        A dict for ``parse``, of text and numbers alone: what is no text stands in it as base64.

    Raises:
        OSError: of reading; EINVAL for links that are absolute, and for special files; EFBIG.
    """
    return _Making(open_source(location, path), limits).run()


def document_of(template: Mapping[str, Any], name: str) -> str:
    """A template as a template file.

    Args:
        template: a dict of text and numbers.
        name: of the file, whose ending says whether it is JSON or YAML.

    Raises:
        ValueError: for another ending.
        ImportError: for YAML without PyYAML.
    """
    if name.endswith(".json"):
        return json.dumps(template, indent=2, ensure_ascii=False) + "\n"
    if not name.endswith((".yaml", ".yml")):
        raise ValueError(f"{name}: a template is written to a file that ends with .yaml, .yml or .json")
    from chuk_fsspec.templates.yaml_documents import write_yaml

    return write_yaml(template)


class _Making:
    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._room = limits.total_bytes
        self._found: dict[str, list[Any]] = {"directories": [], "files": [], "links": []}

    def run(self) -> dict[str, Any]:
        for count, (path, info) in enumerate(self._source.entries(), 1):
            if count > self._limits.entries:
                raise checks.too_large(path, "entries", self._limits.entries)
            self._add(path, info)
        return {key: found for key, found in self._found.items() if found}

    def _add(self, path: str, info: Mapping[str, Any]) -> None:
        entry: dict[str, Any] = {"path": _literal(path)}
        kind = info["type"]
        if kind == "link":
            self._found["links"].append({**entry, "target": _literal(link_of(info, path))})
            return
        mode = permissions_of(info)
        if mode is not None:
            entry["mode"] = f"{mode:04o}"
        if kind == "directory":
            self._found["directories"].append(entry)
        elif kind == "file":
            self._found["files"].append({**entry, **self._content(path)})
        else:
            raise checks.refused(errno.EINVAL, path, path, "is neither file, directory nor link")

    def _content(self, path: str) -> dict[str, Any]:
        data = self._source.read(path, path, self._room)
        self._room -= len(data)
        content = text_or_bytes(data, "utf-8", path, must=False)
        if isinstance(content, bytes):
            return {"encoding": BASE64, "content": base64.b64encode(content).decode("ascii")}
        return {"verbatim": True, "content": content} if "$$" in content or "${" in content else {"content": content}


def _literal(text: str) -> str:
    return text.replace("$", "$$")
