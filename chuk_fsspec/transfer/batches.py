"""Many small steps as few transactions, where a filesystem has them: one commit for each step is most of the time."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of

STEPS = 500
BYTES = 16 << 20


class Batches:
    """Transactions of at most 500 steps or 16 MiB. An error that leaves the ``with`` block undoes the last one."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        # Without nodes of its own, a filesystem shows what a transaction wrote only when it ends.
        can = capabilities_of(fs)
        self._has_transactions = can.transactions and can.nodes and not getattr(fs, "_intrans", False)
        self._open = ExitStack()
        self._is_open = False
        self._steps = self._bytes = 0

    def step(self, size: int) -> None:
        """Begin a step that writes ``size`` bytes. One that is large by itself is in no transaction."""
        self._steps += 1
        self._bytes += size
        if self._steps > STEPS or self._bytes > BYTES:
            self.end()
            self._steps, self._bytes = 1, size
        if self._has_transactions and not self._is_open and size <= BYTES:
            self._open.enter_context(self._fs.transaction)
            self._is_open = True

    def end(self) -> None:
        """End the transaction: what follows until the next step is in none."""
        self._open.close()
        self._is_open, self._steps, self._bytes = False, 0, 0

    def __enter__(self) -> Batches:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)
