"""What every method has at hand."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from fsspec import AbstractFileSystem

from chuk_adapters.webdav.files.facts import Info
from chuk_adapters.webdav.files.tree import Tree
from chuk_adapters.webdav.http import conditions
from chuk_adapters.webdav.http.addresses import path_of_url
from chuk_adapters.webdav.http.entity_tags import entity_tag, same_bytes
from chuk_adapters.webdav.http.if_header import TermList
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.keeping import NoKeeper, XattrKeeper
from chuk_adapters.webdav.locks.table import Change, Claim, LockTable
from chuk_adapters.webdav.options import WebDAVOptions
from chuk_adapters.webdav.properties.dead import DeadProperties, dead_properties_of
from chuk_fsspec.contract.conditions import ANY, Condition


@dataclass(frozen=True)
class Door:
    """A tree that is served.

    Attributes:
        tree: its files.
        locks: on them.
        dead: their dead properties.
        options: what was chosen.
        is_readonly: whether nothing can be changed, by choice or by what the filesystem declares.
    """

    tree: Tree
    locks: LockTable
    dead: DeadProperties
    options: WebDAVOptions
    is_readonly: bool

    def require_conditions(self, request: Request, info: Info | None) -> None:
        """Evaluate all preconditions of a request.

        Args:
            request: which.
            info: what is at its path; None for nothing.

        Raises:
            Refusal: 412; 304 for GET and HEAD; 400 for an ``If`` header that is none.
        """
        conditions.require(request.environ, info)
        if "HTTP_IF" in request.environ and not any(self._holds(one, request) for one in request.condition.lists):
            raise Refusal(412, "If: it is not as the client believes")

    def condition_of(self, request: Request, info: Info | None) -> Condition | None:
        """What has to hold at the moment of a change for the preconditions of its request to hold then, too.

        Args:
            request: one whose preconditions were met.
            info: what was there then.
        """
        if info is None:
            is_to_be_new = request.environ.get("HTTP_IF_NONE_MATCH", "").strip() == ANY
            return Condition(if_none_match=ANY) if is_to_be_new else None
        is_about_content = conditions.are_given(request.environ) or any(
            term.etag for one in request.condition.lists for term in one.terms
        )
        etag = info.get("etag")
        return Condition(if_match=etag) if is_about_content and isinstance(etag, str) and etag else None

    def changing(self, request: Request, *changes: Change) -> AbstractContextManager[None]:
        """As ``LockTable.changing``, for whoever sends a request."""
        return self.locks.changing(Claim(request.tokens, request.user), *changes)

    def _holds(self, one: TermList, request: Request) -> bool:
        """Whether all terms of a list are met (RFC 4918, 10.4.2)."""
        path = request.path if one.url is None else path_of_url(one.url, request.environ)
        if path is None:
            return all(term.is_negated for term in one.terms)
        tokens = {lock.token for lock in self.locks.covering(path)}
        info = self.tree.find(path) if any(term.etag for term in one.terms) else None
        tag = None if info is None else entity_tag(info)
        return all(
            (same_bytes(term.etag, tag) if term.etag else term.token in tokens) is not term.is_negated
            for term in one.terms
        )


def open_door(fs: AbstractFileSystem, options: WebDAVOptions) -> Door:
    """Make a door to a filesystem."""
    tree = Tree(fs)
    is_readonly = options.readonly or not tree.can.write
    keeper = XattrKeeper(tree.fs) if tree.can.xattrs and not is_readonly else NoKeeper()
    return Door(tree, LockTable(keeper), dead_properties_of(tree), options, is_readonly)
