"""Parts of a file (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chuk_adapters.webdav.http.refusal import Refusal

MOST_RANGES = 100
"""More of them in one request are ignored, and the whole file is sent (RFC 9110, 14.2)."""

_SPEC = re.compile(r"(\d*)-(\d*)")


@dataclass(frozen=True)
class Range:
    """Bytes of a file.

    Attributes:
        start: offset of the first byte.
        stop: offset behind the last one.
    """

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.stop - self.start

    def header(self, size: int) -> str:
        """As ``Content-Range`` has it, of a file of ``size`` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def ranges_of(header: str, size: int) -> list[Range] | None:
    """The parts of a file that a request asks for.

    Args:
        header: the value of ``Range``.
        size: bytes of the file.

    Returns:
        At least one part, in the order asked for; None if the whole file is to be sent: for another unit, a value that
        is malformed, one that asks for more than the file, as an attack does, and for an empty file.

    Raises:
        Refusal: 416 if the file has no byte of any part.
    """
    unit, equals, text = header.partition("=")
    specs = [spec.strip() for spec in text.split(",", MOST_RANGES)]
    if not size or not equals or unit.strip().lower() != "bytes" or len(specs) > MOST_RANGES:
        return None
    found: list[Range] = []
    for spec in filter(None, specs):
        match = _SPEC.fullmatch(spec)
        if match is None or not text.isascii():
            return None
        first, last = match.groups()
        if (not first and not last) or len(spec) > 40:
            return None
        if first and last and int(first) > int(last):
            return None
        start = int(first) if first else max(size - int(last), 0)
        stop = min(int(last) + 1, size) if first and last else size
        if start < stop:
            found.append(Range(start, stop))
    if not any(specs):
        return None
    if not found:
        raise Refusal(416, "the file has no such part", headers=[("Content-Range", f"bytes */{size}")])
    if len(found) > 1 and sum(one.size for one in found) > size:
        return None
    return found
