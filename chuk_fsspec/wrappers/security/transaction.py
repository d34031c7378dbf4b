"""Transactions: what waits for their end holds its room until then."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.forwarding.transaction import ForwardedTransaction
from chuk_fsspec.wrappers.security.drafts import Draft, complete


class ChargedTransaction(ForwardedTransaction):
    """The transaction of the filesystem below, with its files on the books."""

    def __init__(self, fs: Any, **kwargs: Any) -> None:
        super().__init__(fs, **kwargs)
        self.drafts: list[Draft] = []

    def complete(self, commit: bool = True) -> None:
        """Commit or roll back below. What was undone is counted anew."""
        books = self.fs._books  # noqa: SLF001 - a transaction is a part of its filesystem
        drafts, self.drafts = self.drafts, []
        done = False
        try:
            complete(books, drafts, lambda: super(ChargedTransaction, self).complete(commit=commit))
            done = commit
        finally:
            if not done:
                books.ledger.doubt()
