"""Template files: YAML, JSON and TOML, from bytes to plain values. A value given twice is an error, never lost."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from chuk_fsspec.templates.template import Limits

ENDINGS = (".yaml", ".yml", ".json", ".toml")
"""What the name of a template file ends with; it says which format it is in."""


def is_document(name: str) -> bool:
    """Whether a file's name is that of a template file."""
    return name.endswith(ENDINGS)


def read_document(data: bytes, name: str, limits: Limits) -> Any:
    """Read a template file.

    Args:
        data: its bytes, UTF-8.
        name: its name, for its ending and for messages.
        limits: how much it may hold.

    Raises:
        ValueError: naming line and column, for what is not of the format, a key that stands twice, and more than the
            limits.
        ImportError: for YAML without PyYAML, and for TOML on Python 3.10 without tomli; with what to install.
    """
    if not is_document(name):
        raise ValueError(f"{name}: the name of a template file ends with {', '.join(ENDINGS)}")
    if len(data) > limits.document_bytes:
        raise ValueError(f"{name}: larger than {limits.document_bytes} bytes; give higher limits if that is meant")
    try:
        text = data.decode("utf-8-sig")
        if name.endswith(".json"):
            return json.loads(text, object_pairs_hook=_without_duplicates)
        if name.endswith(".toml"):
            return _toml(text)
        from chuk_fsspec.templates.yaml_documents import read_yaml

        return read_yaml(text, limits.document_values)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{name}: line {line} is not UTF-8") from None
    except RecursionError:
        raise ValueError(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found


def _toml(text: str) -> Any:
    try:
        toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    except ImportError as error:
        raise ImportError("TOML templates need Python 3.11, or: pip install tomli") from error
    return toml.loads(text)
