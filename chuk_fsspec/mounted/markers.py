"""What stands beside the target of a move until it is done, so that the same move goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress

from chuk_fsspec.contract.paths import split
from chuk_fsspec.mounted.ends import End
from chuk_fsspec.mounted.trees import is_part_of, look


class Markers:
    """Hidden entries beside the target of a move, under names that are the same if it is tried again.

    Args:
        source: what is moved.
        target: where to.

    Attributes:
        aside: where it is prepared, if the target's filesystem can show it by a rename; else an empty file that says
            that a directory is being filled.
        done: an empty file that says that a directory has arrived whole, and its source is being deleted.
    """

    def __init__(self, source: End, target: End) -> None:
        token = hashlib.sha256(f"{source.path}\0{target.path}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._source = source
        self._target = target
        self.aside = target.beside(f".chuk-move-{token}.part")
        self.done = target.beside(f".chuk-move-{token}.done")

    def begin(self, *, is_tree: bool) -> None:
        """Make ``aside``, unless an earlier attempt has made it."""
        if is_tree and self.aside.can_stage:
            with suppress(FileExistsError):
                self.aside.ask_posix("mkdir", mode=stat.S_IRWXU)
        else:
            make_empty(self.aside)

    def show_one_directory(self) -> bool:
        """Whether source and target lie in one directory, which two mounts show: then what was begun is seen there."""
        return self._source.beside(split(self.aside.path)[1]).exists()

    def is_arrived(self) -> bool:
        """Whether a directory has arrived before, and some of its source is still to be deleted."""
        if self.aside.kind() == "directory" or not self.done.exists():
            return False
        if self._target.kind() == "directory" and is_part_of(self._source, self._target):
            return True
        self.done.remove()  # it is from another time: what is there now is something else
        return False

    def is_unfinished(self) -> bool:
        """Whether a directory at the target is what an earlier attempt has brought so far."""
        if self._source.kind() != "directory":
            return False
        if self.is_arrived():
            return True
        if self._target.can_stage or not self.aside.exists():
            return False
        if look(self._target).keys() <= look(self._source).keys():
            return True
        self.aside.remove()  # as above
        return False


def make_empty(end: End) -> None:
    """Make an empty file, at once also within a transaction."""
    if end.can_stage:
        flags = os.O_CREAT | os.O_WRONLY
        end.ask_posix("open_handle", flags=flags, mode=stat.S_IRUSR | stat.S_IWUSR).close()
    else:
        end.ask("pipe_file", b"")
