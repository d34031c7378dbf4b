"""What a way of talking to the kernel must offer."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """One mount in the making, live, or over. Built from (nodes, mountpoint, options); see ``mounting.py``."""

    device: int
    """The open descriptor of the kernel's device, -1 where a library holds it."""

    def attach(self) -> None:
        """Mount. Returns when the kernel accepts requests; raises ``OSError`` with one line that says what to do."""

    def serve(self) -> None:
        """Answer requests until the filesystem is unmounted; called in a thread of its own."""

    def detach(self) -> None:
        """Unmount, from any thread: lazily if it is busy. Does nothing if it is unmounted already."""

    def nodes_held(self) -> int:
        """How many nodes the kernel holds at the moment, the root included; 0 where it does not say."""
