"""A process with a stage of its own: ``… PROTOCOL OPTIONS TEXT PATH…`` writes the text, and commits when told to."""

from __future__ import annotations

import json
import sys

import fsspec

from chuk_fsspec.wrappers.staging import StageConflict, stage


def tell(what: object) -> None:
    """Say something to the test."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def main() -> None:
    protocol, options, text, *paths = sys.argv[1:]
    with stage(fsspec.filesystem(protocol, **json.loads(options))) as staged:
        for path in paths:
            staged.pipe_file(path, text.encode())
        tell("staged")
        sys.stdin.readline()
        try:
            staged.commit()
        except StageConflict as conflict:
            tell(conflict.conflicts)
        else:
            tell("committed")


if __name__ == "__main__":
    main()
