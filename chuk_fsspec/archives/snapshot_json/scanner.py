"""JSON (RFC 8259) in one pass, so that a string may be as long as a file: the reader asks for what it expects."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator

from chuk_fsspec.archives.compression import BLOCK, Source
from chuk_fsspec.archives.refusal import ArchiveRefused, damaged

_PLAIN = re.compile(r'[^"\\\x00-\x1f]+')
_SPACE = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(r"[-+.0-9A-Za-z]+")
_DEPTH_MAX = 64
_ESCAPE_MAX = 12  # two \uXXXX, which may be one character
_WORD_MAX = 64


class Scanner:
    """A cursor in a JSON text."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that means something; empty at the end."""
        while True:
            self._fill(1)
            match = _SPACE.match(self._text, self._at)
            if match is None:
                return self._text[self._at : self._at + 1]
            self._at = match.end()

    def expect(self, character: str) -> None:
        """Go past one character. ArchiveRefused if there is another one."""
        if self.peek() != character:
            raise _wrong()
        self._at += 1

    def object_keys(self) -> Iterator[str]:
        """The keys of an object; after each the caller reads its value."""
        self.expect("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.string()
            self.expect(":")
            yield key
            if self.peek() == "}":
                self._at += 1
                return
            self.expect(",")

    def string(self, most: int = 1 << 16) -> str:
        """A short string. ArchiveRefused for one of more than ``most`` characters."""
        pieces, length = [], 0
        for piece in self.pieces():
            pieces.append(piece)
            length += len(piece)
            if length > most:
                raise damaged("a key or path is too long")
        return "".join(pieces)

    def pieces(self) -> Iterator[str]:
        """A string of any length, piece by piece."""
        self.expect('"')
        while True:
            self._fill(_ESCAPE_MAX)
            if match := _PLAIN.match(self._text, self._at):
                self._at = match.end()
                yield match[0]
            elif self._text.startswith('"', self._at):
                self._at += 1
                return
            else:
                yield self._escape()

    def skip(self, depth: int = 0) -> None:
        """Go past any value."""
        start = self.peek()
        if depth > _DEPTH_MAX:
            raise damaged("its JSON is nested too deeply")
        if start == "{":
            for _ in self.object_keys():
                self.skip(depth + 1)
        elif start == "[":
            self._skip_list(depth)
        elif start == '"':
            for _ in self.pieces():
                pass
        else:
            self.scalar()

    def scalar(self) -> object:
        """A number, true, false or null."""
        self.peek()
        self._fill(_WORD_MAX)
        match = _WORD.match(self._text, self._at)
        if match is None or len(match[0]) > _WORD_MAX:
            raise _wrong()
        self._at = match.end()
        try:
            value: object = json.loads(match[0])
        except ValueError:
            raise _wrong() from None
        return value

    def _skip_list(self, depth: int) -> None:
        self.expect("[")
        if self.peek() != "]":
            self.skip(depth + 1)
            while self.peek() == ",":
                self._at += 1
                self.skip(depth + 1)
        self.expect("]")

    def _escape(self) -> str:
        text = self._text[self._at : self._at + _ESCAPE_MAX]
        for length in (12, 6, 2):
            if len(text) < length or not text.startswith("\\") or (length == 12 and text[6:8] != "\\u"):
                continue
            try:
                value: str = json.loads(f'"{text[:length]}"')
            except ValueError:
                continue
            if length == 12 and len(value) != 1:
                continue
            self._at += length
            return value
        raise _wrong()

    def _fill(self, wanted: int) -> None:
        """Have so many characters at hand, or all that there are."""
        while not self._ended and len(self._text) - self._at < wanted:
            data = self._source.read(BLOCK)
            self._ended = not data
            try:
                more = self._decoder.decode(data, final=self._ended)
            except UnicodeDecodeError:
                raise damaged("it is not UTF-8") from None
            self._text, self._at = self._text[self._at :] + more, 0


def _wrong() -> ArchiveRefused:
    return damaged("it is no JSON of a snapshot, or is cut off")
