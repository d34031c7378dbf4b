"""``fs.sandbox``: the sandbox itself, for programs that know the SDK's names for what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chuk_fsspec.backends.e2b.filesystem import E2BFileSystem


class SandboxControls:
    """What can be done with a sandbox besides its files."""

    def __init__(self, fs: E2BFileSystem) -> None:
        self._fs = fs

    @property
    def sandbox_id(self) -> str:
        """Its id, with which others attach to it."""
        return self._fs.sandbox_id

    def set_timeout(self, seconds: int) -> None:
        """Have it live so many seconds from now."""
        self._fs.set_timeout(seconds)


class CodeSandboxControls(SandboxControls):
    """Those of a sandbox with the code interpreter."""

    def run_code(self, code: str, **options: Any) -> Any:
        """Run code (``E2BFileSystem.run_code``)."""
        return self._fs.run_code(code, **options)
