"""A transaction on record: how it ended, and what became of each file that was changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.forwarding.transaction import ForwardedTransaction
from chuk_fsspec.wrappers.audit.recorder import Call, Target

if TYPE_CHECKING:
    from chuk_fsspec.wrappers.audit.filesystem import AuditFileSystem


class AuditTransaction(ForwardedTransaction):
    """Remembers the paths that were changed, for the records at its end."""

    fs: AuditFileSystem | None

    def __init__(self, fs: AuditFileSystem, **kwargs: Any) -> None:
        super().__init__(fs, **kwargs)
        self.changed: dict[str, None] = {}

    def start(self) -> None:
        """Begin below."""
        assert self.fs is not None
        recorder = self.fs._recorder  # noqa: SLF001 - it is the transaction of that class
        call = recorder.begin(Call("start_transaction", Effect.WRITE, [Target()]))
        try:
            super().start()
        except BaseException as error:
            recorder.end(call, error)
            raise
        recorder.end(call)

    def complete(self, commit: bool = True) -> None:
        """Commit or roll back below. What could not be recorded is rolled back."""
        fs = self.fs
        assert fs is not None
        recorder = fs._recorder  # noqa: SLF001 - it is the transaction of that class
        targets = [Target(path) for path in self.changed] or [Target()]
        call = Call("end_transaction", Effect.WRITE, targets, {"commit": commit})
        try:
            recorder.begin(call)
        except OSError:
            super().complete(commit=False)
            raise
        try:
            super().complete(commit=commit)
        except BaseException as error:
            recorder.end(call, error)
            raise
        for target in targets:
            target.after = recorder.state_of(target.path)
        recorder.end(call)
