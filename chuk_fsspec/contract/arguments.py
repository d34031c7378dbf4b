"""Arguments of fsspec's methods that every filesystem here takes, and refuses, alike."""

from __future__ import annotations

_OPEN_MODES = frozenset({"rb", "wb", "ab", "xb", "r+b", "w+b", "a+b", "x+b"})
_WRITING_MODES = {"overwrite": "wb", "create": "xb"}


def require_open_mode(mode: str) -> None:
    """ValueError for what is no binary mode of ``open``."""
    if mode not in _OPEN_MODES:
        raise ValueError(f"mode {mode!r} is not one of {', '.join(sorted(_OPEN_MODES))}")


def require_writing_mode(mode: str) -> None:
    """ValueError for a ``mode`` of ``pipe_file`` that is not "overwrite" or "create"."""
    if mode not in _WRITING_MODES:
        raise ValueError(f"mode {mode!r} is not 'overwrite' or 'create'")


def open_mode(mode: str) -> str:
    """The mode of ``open`` for a ``mode`` of ``pipe_file``. ValueError as ``require_writing_mode``."""
    require_writing_mode(mode)
    return _WRITING_MODES[mode]


def require_depth(maxdepth: int | None) -> None:
    """ValueError for less than one level to go down; None stands for all of them."""
    if maxdepth is not None and maxdepth < 1:
        raise ValueError(f"maxdepth must be at least 1, not {maxdepth}")


def refuse_depth(maxdepth: int | None) -> None:
    """ValueError for any depth of a move: what is deeper would be left without a place."""
    if maxdepth is not None:
        raise ValueError("a directory moves whole: maxdepth cannot be given")
