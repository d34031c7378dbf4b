"""A transaction of a forwarding filesystem is the transaction of what lies below."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.contract.transaction import EndingTransaction


class ForwardedTransaction(EndingTransaction):
    """Begins and ends the inner transaction; what it undoes is what the inner one undoes."""

    fs: Any

    def start(self) -> None:
        """Begin below. What cannot be begun is not begun here either."""
        self.fs._forward(FSSPEC["transaction"]).start()
        super().start()

    def complete(self, commit: bool = True) -> None:
        """Commit or roll back below, and be over in any case."""
        fs = self.fs
        try:
            fs._forward(FSSPEC["transaction"]).complete(commit=commit)
        finally:
            super().complete(commit=commit)
