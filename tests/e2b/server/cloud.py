"""What the local service knows: its sandboxes, each with a directory of this machine for its files."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

API_KEY = "e2b_" + "0" * 40
ENVD_VERSION = "0.6.9"


class NotFoundHereError(Exception):
    """There is no such sandbox, or it does not run."""


@dataclass
class Machine:
    """A sandbox.

    Attributes:
        name: its id.
        token: what a request to it has to show.
        timeout: seconds that it is to live; they are noted and do not pass.
        state: "running" or "paused".
    """

    name: str
    token: str
    timeout: int
    state: str = "running"


@dataclass(frozen=True)
class Refusal:
    """An answer to one request, in place of what it asks for.

    Attributes:
        status: of HTTP.
        message: in its body.
        where: the path of the request; empty for any.
    """

    status: int
    message: str
    where: str = ""


@dataclass
class Cloud:
    """All of it.

    Attributes:
        root: the directory that all sandboxes see, under its own path; nothing outside of it is touched.
        machines: by id.
        requests: how many of each kind were made, by method and path.
        refusals: answers to give to the next requests to a sandbox.
        ahead: seconds by which the clock of its replies is ahead of ours.
    """

    root: Path
    machines: dict[str, Machine] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    ahead: float = 0.0

    def create(self, timeout: int) -> Machine:
        """Start a sandbox."""
        machine = Machine(f"i{secrets.token_hex(8)}", secrets.token_hex(16), timeout)
        self.machines[machine.name] = machine
        return machine

    def running(self, name: str, token: str) -> Machine:
        """The sandbox that a request is for. NotFoundHereError, PermissionError."""
        machine = self.machines.get(name)
        if machine is None or machine.state != "running":
            raise NotFoundHereError(name)
        if not secrets.compare_digest(token, machine.token):
            raise PermissionError("the access token is another one")
        return machine

    def refusal_of(self, path: str) -> Refusal | None:
        """The next refusal that is meant for a path; it is given once."""
        found = next((one for one in self.refusals if one.where in ("", path) and path != "/health"), None)
        if found is not None:
            self.refusals.remove(found)
        return found

    def real(self, path: str) -> str:
        """A path that was asked for, if it may be touched. PermissionError."""
        if not Path(path).is_relative_to(self.root):
            raise PermissionError(f"{path}: permission denied")
        return path
