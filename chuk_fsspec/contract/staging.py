"""``fs.stage()``, which every filesystem of this family has."""

from __future__ import annotations

from typing import Any

from fsspec import AbstractFileSystem, filesystem


class Stageable:
    """Gives a filesystem the method ``stage``."""

    def stage(self, **options: Any) -> AbstractFileSystem:
        """A stage over this filesystem: what is changed there stays there until it is committed (``chukstage``).

        Args:
            options: of ``StageFileSystem``, for example ``upper="/data/stage.db"`` for one that outlives the process.
        """
        return filesystem("chukstage", fs=self, **options)
