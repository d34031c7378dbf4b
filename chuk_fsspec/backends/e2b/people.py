"""Who is who in a sandbox: E2B tells owners by name, and a filesystem by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chuk_fsspec.contract.attributes import OWN_GID, OWN_UID


@dataclass(frozen=True)
class People:
    """Users and groups of a sandbox.

    Who reads and writes there is shown as who runs this program, and the other way round: so the files of the one
    belong to the other, also on a mount.

    Attributes:
        uid: the number of the user who reads and writes.
        gid: of that user's group.
        users: numbers by name.
        groups: likewise.
    """

    uid: int
    gid: int
    users: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)

    def shown_uid(self, owner: str) -> int | None:
        """The number to show for an owner; None for a name that the sandbox did not have at first."""
        return _shown(owner, self.users, self.uid, OWN_UID)

    def shown_gid(self, group: str) -> int | None:
        """The number to show for a group; None for a name that the sandbox did not have at first."""
        return _shown(group, self.groups, self.gid, OWN_GID)

    def owner(self, uid: int | None, gid: int | None) -> str:
        """Numbers that were shown, as ``chown`` takes those of the sandbox; empty for none."""
        user = "" if uid is None else str(self.uid if uid == OWN_UID else uid)
        return user if gid is None else f"{user}:{self.gid if gid == OWN_GID else gid}"


def people_of(told: str) -> People:
    """Read what ``scripts.WHO`` prints: two numbers, then the lines of passwd(5) and of group(5)."""
    uid, gid, *lines = told.splitlines()
    fields = [line.split(":") for line in lines]
    users = {one[0]: int(one[2]) for one in fields if len(one) == 7}
    groups = {one[0]: int(one[2]) for one in fields if len(one) == 4}
    return People(int(uid), int(gid), users, groups)


def _shown(name: str, numbers: Mapping[str, int], theirs: int, ours: int) -> int | None:
    number = numbers.get(name)
    if number is None and name.isdecimal():
        number = int(name)  # E2B tells the number of who has no name
    return ours if number == theirs else number
