"""Changes by path, booked: room is made before, and what became of it is measured after."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from chuk_fsspec.contract.limits import Limits
from chuk_fsspec.wrappers.security.footprints import Footprint, Info, Surveyor
from chuk_fsspec.wrappers.security.gate import Gate
from chuk_fsspec.wrappers.security.ledger import NOTHING, Ledger, Usage

Result = TypeVar("Result")


@dataclass(frozen=True)
class Plan:
    """What an operation is going to change.

    Attributes:
        operation: its name, for the log.
        sizes: the paths that it makes or fills, and how many bytes each will have; None where that stays as it is.
        others: further paths that change.
        deep: whether all below ``others`` changes too.
        alters: whether it changes content or attributes of ``others``, and not only their names.
        makes_parents: whether missing directories above ``sizes`` are made.
        removes: whether paths go away, and with them directories that exist only through what they hold.
        exact: whether success means that exactly this happened.
    """

    operation: str
    sizes: Mapping[str, int | None] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    deep: bool = False
    alters: bool = False
    makes_parents: bool = False
    removes: bool = False
    exact: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """All that it is about."""
        return (*self.sizes, *self.others)


@dataclass
class Room:
    """What a plan needs.

    Attributes:
        before: what was there.
        needed: the growth for which there must be room.
        freed: bytes of what is replaced.
        made: directories that will be made.
        is_plain: whether all that was there has one name and no users.
    """

    before: Footprint = field(default_factory=Footprint)
    needed: Usage = NOTHING
    freed: int = 0
    made: list[str] = field(default_factory=list)
    is_plain: bool = True


class Books:
    """Keeps the ledger of one store right, for one user's limits.

    Args:
        ledger: the figures.
        limits: what this user may not exceed.
        surveyor: looks at the store.
        gate: notes refusals.
        keeps_directories: whether empty directories persist.
        may_copy: whether the store puts new files in the place of old ones: what is published, and, before it changes
            a file with several names, one of which may belong to somebody else, a copy of that.
    """

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        surveyor: Surveyor,
        gate: Gate,
        *,
        keeps_directories: bool,
        may_copy: bool,
    ) -> None:
        self.ledger = ledger
        self.limits = limits
        self.surveyor = surveyor
        self._gate = gate
        self.may_copy = may_copy
        self._keeps_directories = keeps_directories

    def scan(self) -> Usage:
        """Count everything."""
        found = Footprint()
        for info in self.surveyor.below("/"):
            found.add(info)
        return found.usage

    def usage(self) -> Usage:
        """All that is on the books, counted first if that was not done."""
        self.ledger.ensure_counted(self.scan)
        return self.ledger.used

    def change(self, paths: Iterable[str], plan_it: Callable[[], Plan], act: Callable[[], Result]) -> Result:
        """Run an operation if there is room for it.

        Args:
            paths: all that it reads or changes; none for whatever is below some.
            plan_it: tells what it is going to change.
            act: the operation. Where it fails, what it did is booked all the same.

        Raises:
            OSError: EFBIG, EDQUOT; of the operation.
        """
        if self.ledger.is_kept:
            self.ledger.ensure_counted(self.scan)
        with self.ledger.changing(*paths):
            plan = plan_it()
            for path, size in plan.sizes.items():
                self.check_size(plan.operation, path, size or 0)
            return self._charge(plan, act) if self.ledger.is_kept else act()

    def _charge(self, plan: Plan, act: Callable[[], Result]) -> Result:
        room = self.measure(plan)
        short = self.ledger.grow(self.limits, room.needed.size, room.needed.files)
        if short:
            raise self.refusal(plan.operation, plan.paths[0], short)
        is_exact = False
        try:
            result = act()
            is_exact = plan.exact and room.is_plain and not self.ledger.edited
        finally:
            if is_exact:
                self.ledger.book(-room.freed, 0)
            else:
                self.correct(plan, room, room.needed)
        return result

    def correct(self, plan: Plan, room: Room | None, booked: Usage = NOTHING, *, claimed: Usage = NOTHING) -> None:
        """Book what an operation did. Where that cannot be measured, the store is counted anew.

        Args:
            plan: what was to be changed.
            room: what was there before; None if that is not known.
            booked: what was booked in advance.
            claimed: a claim that is over.
        """
        happened = None
        if room is not None:
            with suppress(OSError):
                happened = self._happened(plan, room) - booked
        self.ledger.settle(claimed, happened or NOTHING)
        if happened is None:
            self.ledger.doubt()

    def check_size(self, operation: str, path: str, size: int) -> None:
        """EFBIG for a file that would be too large."""
        limit = self.limits.exceeded(file_size=size)
        if limit:
            raise self.refusal(operation, path, limit, errno.EFBIG)

    def refusal(self, operation: str, path: str, limit: str, code: int = errno.EDQUOT) -> OSError:
        """The error for a limit, noted."""
        return self._gate.over_quota(code, operation, path, limit)

    # ---- measuring, inside ``changing``

    def measure(self, plan: Plan) -> Room:
        """What is there before an operation, and what it needs."""
        room = Room()
        size = files = 0
        for path, new in plan.sizes.items():
            info = self.known(path)
            if info is None:
                room.made += self._new_parents(path, room.made) if plan.makes_parents else ()
                files += path not in room.made
                size += new or 0
                continue
            self._note(room, info)
            old = info.get("size") or 0
            if self._may_be_copied(info) or (new is not None and self._may_live_on(info)):
                size += old if new is None else new
                files += 1
            elif new is not None and info["type"] == "file":
                size += max(new - old, 0)
                room.freed += max(old - new, 0)
        for info in self._found(plan, self.known):
            self._note(room, info)
            if plan.alters and self._may_be_copied(info):
                size += info["size"]
                files += 1
        room.needed = Usage(size, files + len(room.made))
        return room

    def _may_be_copied(self, info: Info) -> bool:
        return self.may_copy and info["type"] == "file" and (info.get("nlink") or 1) > 1

    def _may_live_on(self, info: Info) -> bool:
        """Whether what is replaced may be there without a name, beside what replaces it."""
        return self.may_copy and self.ledger.has_users and self.ledger.is_used(info.get("ino", -1))

    def _new_parents(self, path: str, known: list[str]) -> list[str]:
        return [parent for parent in self.surveyor.missing_parents(path) if parent not in known]

    def _note(self, room: Room, info: Info) -> None:
        room.before.add(info)
        has_names = (info.get("nlink") or 1) > 1 and info["type"] != "directory"
        if has_names or (self.ledger.has_users and self.ledger.is_used(info.get("ino", -1))):
            room.is_plain = False

    def _happened(self, plan: Plan, room: Room) -> Usage:
        """What an operation did, for the books; what is still open without a name goes on to be counted."""
        after = Footprint()
        for path in (*plan.sizes, *room.made):
            info = self.surveyor.look(path)
            if info is not None:
                after.add(info)
            if path in self.ledger.edited:
                self.ledger.edited[path].info = info
        for info in self._found(plan, self.surveyor.look):
            after.add(info)
        change, gone = room.before.became(after)
        for item in gone:
            if item.ino is not None:
                self.ledger.lost_name(item.ino, item.size)
        if plan.removes and not self._keeps_directories:
            vanished = {one for path in plan.paths for one in self.surveyor.missing_parents(path)}
            change -= Usage(0, len(vanished))
        return change

    def _found(self, plan: Plan, look: Callable[[str], Info | None]) -> Iterable[Info]:
        """What there is of the other paths of a plan."""
        for path in plan.others:
            if plan.deep:
                yield from self.surveyor.below(path)
            elif (info := look(path)) is not None:
                yield info

    def known(self, path: str) -> Info | None:
        """What the books know of a path: of one that is being written in place, what was booked last."""
        edited = self.ledger.edited.get(path)
        return self.surveyor.look(path) if edited is None else edited.info
