"""The part of the language of ``files.list`` that asks for titles, parents, kinds and the trash."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.gdrive.server.files import ROOT, Drive, File, Refusal

Test = Callable[[File], bool]

_TEXT = r"'((?:[^'\\]|\\.)*)'"
_PARENTS = rf"{_TEXT}\s+in\s+parents"
_COMPARISON = rf"(?:title|mimeType)\s*(?:!=|=)\s*{_TEXT}"
_TRASHED = r"trashed\s*(?:!=|=)\s*(?:true|false)"
_TOKENS = re.compile(rf"\s*(?:[()]|(?:and|or|not)\b|{_PARENTS}|{_COMPARISON}|{_TRASHED})", re.IGNORECASE)


def matcher(drive: Drive, query: str) -> Test:
    """Whether a file is what a query asks for."""
    tokens = _tokens(query)
    test = _either(drive, tokens)
    if tokens:
        raise _invalid(query)
    return test


def _invalid(query: str) -> Refusal:
    return Refusal(400, "invalid", f"Invalid Value: {query}")


def _tokens(query: str) -> list[str]:
    found, position = [], 0
    text = query.strip()
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:
            raise _invalid(query)
        found.append(match.group(0).strip())
        position = match.end()
    return found


def _either(drive: Drive, tokens: list[str]) -> Test:
    tests = [_all(drive, tokens)]
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        tests.append(_all(drive, tokens))
    return lambda file: any(test(file) for test in tests)


def _all(drive: Drive, tokens: list[str]) -> Test:
    tests = [_one(drive, tokens)]
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        tests.append(_one(drive, tokens))
    return lambda file: all(test(file) for test in tests)


def _one(drive: Drive, tokens: list[str]) -> Test:
    token = tokens.pop(0) if tokens else ""
    if token == "not":
        test = _one(drive, tokens)
        return lambda file: not test(file)
    if token == "(":
        test = _either(drive, tokens)
        if not tokens or tokens.pop(0) != ")":
            raise _invalid(token)
        return test
    return _term(drive, token)


def _term(drive: Drive, token: str) -> Test:
    text = re.search(_TEXT, token)
    value = re.sub(r"\\(.)", r"\1", text.group(1)) if text else ""
    if token.endswith("parents"):
        parent = ROOT if value == "root" else value
        return lambda file: file.parent == parent
    wanted = "!=" not in token
    if token.startswith("trashed"):
        asked = token.lower().endswith("true")
        return lambda file: (drive.is_in_trash(file) == asked) == wanted
    if token.startswith("title"):
        # The real service has no regard for capitals here; who wants one spelling has to look again.
        return lambda file: (file.title.casefold() == value.casefold()) == wanted
    if token.startswith("mimeType"):
        return lambda file: (file.mime == value) == wanted
    raise _invalid(token)
