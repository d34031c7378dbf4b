"""The ``If`` header (RFC 4918, 10.4), read in one pass from left to right."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chuk_adapters.webdav.http.refusal import Refusal

LONGEST = 16 * 1024
"""Characters of a header that is looked at."""

_WORD = re.compile(r'\s*(?:(\()|(\))|<([^<>]*)>|\[\s*((?:W/)?"[^"]*")\s*\]|([Nn][Oo][Tt](?=[\s<\[])))')
_END = re.compile(r"\s*$")


@dataclass(frozen=True)
class Term:
    """One condition of a list.

    Attributes:
        token: a lock token, or any other URI; empty for an etag.
        etag: with its quotes; empty for a token.
        is_negated: whether ``Not`` stands before it.
    """

    token: str
    etag: str
    is_negated: bool


@dataclass
class TermList:
    """Conditions that have to be met together.

    Attributes:
        url: of the resource that they are about; None for that of the request.
        terms: the conditions.
    """

    url: str | None
    terms: list[Term] = field(default_factory=list)


@dataclass(frozen=True)
class IfHeader:
    """What a request says in its ``If`` header.

    Attributes:
        lists: of which one has to be met.
    """

    lists: tuple[TermList, ...] = ()

    @property
    def tokens(self) -> frozenset[str]:
        """The lock tokens that the client shows it has, in whatever way it names them (RFC 4918, 10.4.1)."""
        return frozenset(term.token for one in self.lists for term in one.terms if term.token)


NO_IF = IfHeader()


def parse_if(header: str) -> IfHeader:
    """Read an ``If`` header.

    Raises:
        Refusal: 400 for what is none, and for one that is too long.
    """
    if len(header) > LONGEST:
        raise Refusal(400, f"an If header may have {LONGEST} characters")
    lists: list[TermList] = []
    url: str | None = None
    current: TermList | None = None
    is_negated = False
    position = 0
    while not _END.match(header, position):
        word = _WORD.match(header, position)
        if word is None:
            raise Refusal(400, "malformed If header")
        position = word.end()
        opens, closes, uri, etag, negation = word.groups()
        if current is None:
            if opens:
                current = TermList(url)
            elif uri is not None and (url is None or lists):
                url = uri
            else:
                raise Refusal(400, "malformed If header")
        elif negation and not is_negated:
            is_negated = True
        elif closes and current.terms and not is_negated:
            lists.append(current)
            current = None
        elif uri or etag:
            current.terms.append(Term(uri or "", etag or "", is_negated))
            is_negated = False
        else:
            raise Refusal(400, "malformed If header")
    if current is not None or not lists:
        raise Refusal(400, "malformed If header")
    return IfHeader(tuple(lists))
