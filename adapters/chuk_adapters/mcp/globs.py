"""Which paths a search is about: globs as ripgrep's ``-g`` has them, by the rules of ``patterns``."""

from __future__ import annotations

from collections.abc import Iterable

from chuk_adapters.mcp.patterns import any_of
from chuk_fsspec.contract.paths import split


class Globs:
    """Globs below a directory, of which any may match.

    One without a slash is of names, at any depth; one with a slash is of paths from the directory.
    """

    def __init__(self, directory: str, texts: Iterable[str]) -> None:
        """Read the globs.

        Args:
            directory: absolute normal path that those with a slash count from.
            texts: as ``patterns.pattern`` takes them.

        Raises:
            ToolError: for those that it does not take.
        """
        all_texts = list(texts)
        self._any = bool(all_texts)
        self._start = len(directory.rstrip("/")) + 1
        self._names = any_of(text for text in all_texts if "/" not in text)
        self._paths = any_of(text.removeprefix("./").lstrip("/") for text in all_texts if "/" in text)

    def __bool__(self) -> bool:
        return self._any

    def match(self, path: str) -> bool:
        """Whether one of them matches an absolute normal path below the directory."""
        return self._names(split(path)[1]) or self._paths(path[self._start :])
