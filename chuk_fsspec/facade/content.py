"""Between text and the bytes of a file."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.contract.posix import Buffer


def bytes_of(content: Any, encoding: str = "utf-8") -> Buffer:
    """What is written for a text or for bytes. TypeError for anything else, UnicodeEncodeError."""
    if isinstance(content, str):
        return content.encode(encoding)
    return require_bytes(content)


def require_bytes(content: Any) -> Buffer:
    """Bytes, as they are. TypeError for anything else, with the fix in the message."""
    if not isinstance(content, (bytes, bytearray, memoryview)):
        kind = type(content).__name__
        raise TypeError(f"content must be bytes, not {kind}" + (": use write_text()" if kind == "str" else ""))
    return content


def require_text(content: Any) -> str:
    """A text, as it is. TypeError for anything else, with the fix in the message."""
    if not isinstance(content, str):
        raise TypeError(f"content must be a str, not {type(content).__name__}: use write_binary() for bytes")
    return content


def text_of(data: bytes, path: str, encoding: str = "utf-8", errors: str = "strict") -> str:
    """The text of a file; line ends stay as they are.

    Args:
        data: its content.
        path: the file, for the message.
        encoding: what the bytes are.
        errors: as for ``bytes.decode``.

    Raises:
        UnicodeDecodeError: for a file that is no such text.
    """
    try:
        return data.decode(encoding, errors)
    except UnicodeDecodeError as error:
        hint = f"{error.reason}; {path} is not {encoding} text: read_binary() gives its bytes"
        part = data[error.start : error.end]
        raise UnicodeDecodeError(error.encoding, part, 0, len(part), hint) from None
