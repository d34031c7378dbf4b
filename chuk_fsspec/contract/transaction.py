"""fsspec's transaction, which is over once it has ended, however it has."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Any

from fsspec.transaction import Transaction


class EndingTransaction(Transaction):
    """What waits for its end is published or dropped, and then the filesystem is in no transaction any more.

    In fsspec before 2026.9, a file that cannot be published leaves the transaction open, and the others waiting.
    """

    files: deque[Any]

    def publish_files(self) -> None:
        """Publish the files that were closed so far, in the order in which they were opened."""
        still_open: deque[Any] = deque()
        while self.files:
            file = self.files.popleft()
            if file.closed:
                file.commit()
            else:
                still_open.append(file)
        self.files.extend(still_open)

    def complete(self, commit: bool = True) -> None:
        """Publish the files, or drop them. After an error those that are left are dropped."""
        fs = self.fs
        try:
            if commit:
                self._require_conditions()
            super().complete(commit=commit)
        except BaseException:
            while self.files:
                with suppress(OSError):
                    self.files.popleft().discard()
            fs._intrans = False  # noqa: SLF001 - it is the transaction of that filesystem
            fs._transaction = None  # noqa: SLF001
            raise

    def _require_conditions(self) -> None:
        """Before the first file is published, ask each whether it still may be: some filesystems undo nothing."""
        for file in self.files:
            require = getattr(file, "require_condition", None)
            if require is not None:
                require()
