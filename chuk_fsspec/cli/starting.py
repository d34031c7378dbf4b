"""Where the program begins: it can be interrupted before the rest of it is even imported."""

from __future__ import annotations

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def start() -> int:
    """Run the command line with the arguments of the process, and return its exit code."""
    try:
        from chuk_fsspec.cli.main import main
        from chuk_fsspec.cli.streams import open_streams

        open_streams()
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
