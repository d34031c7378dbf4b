"""Which sandbox, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SandboxOptions:
    """What a user says about a sandbox. What is empty is left to E2B.

    Attributes:
        sandbox_id: of one that is there; empty to make one.
        template: what a new one is made from.
        timeout: seconds that it lives from now on, unless it is prolonged.
        user: of the sandbox, who reads and writes.
        api_key: of the account; empty for the environment variable E2B_API_KEY.
        kill: whether it ends when the filesystem is closed.
    """

    sandbox_id: str
    template: str
    timeout: int | None
    user: str
    kill: bool
    api_key: str = field(repr=False)

    def __post_init__(self) -> None:
        """ValueError for options that mean nothing together."""
        if self.timeout is not None and self.timeout <= 0:
            raise ValueError(f"timeout is more than 0 seconds, not {self.timeout}")
        if self.sandbox_id and self.template:
            raise ValueError("sandbox_id is a sandbox that is there: template cannot be given")
