"""Which snapshots are kept: the newest ones, and the last one of each of some days, weeks, months and years."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from chuk_fsspec.contract.snapshots import Snapshot

_PERIODS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "hourly": lambda moment: (moment.year, moment.month, moment.day, moment.hour),
    "daily": lambda moment: (moment.year, moment.month, moment.day),
    "weekly": lambda moment: tuple(moment.isocalendar())[:2],
    "monthly": lambda moment: (moment.year, moment.month),
    "yearly": lambda moment: (moment.year,),
}


@dataclass(frozen=True)
class Retention:
    """How many are kept by each rule; one that any rule keeps is kept. Days begin at midnight UTC, weeks on Monday.

    Attributes:
        last: the newest ones.
        hourly: the last one of each of so many hours that have one.
        daily: of each of so many days.
        weekly: of each of so many weeks.
        monthly: of each of so many months.
        yearly: of each of so many years.
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0

    def __post_init__(self) -> None:
        counts = vars(self)
        for name, count in counts.items():
            if count < 0:
                raise ValueError(f"keep_{name} must be 0 or more, not {count}")
        if not any(counts.values()):
            raise ValueError("say what to keep, such as keep_last=10 or keep_daily=7; all would be deleted otherwise")

    def kept(self, snapshots: Sequence[Snapshot]) -> list[Snapshot]:
        """Those to keep, in their order.

        Args:
            snapshots: all of them, oldest first.
        """
        newest_first = list(reversed(snapshots))
        names = {snapshot.name for snapshot in newest_first[: self.last]}
        for rule, period_of in _PERIODS.items():
            seen: set[tuple[int, ...]] = set()
            for snapshot in newest_first:
                period = period_of(datetime.fromtimestamp(snapshot.created_ns / 1e9, timezone.utc))
                if period not in seen and len(seen) < getattr(self, rule):
                    seen.add(period)
                    names.add(snapshot.name)
        return [snapshot for snapshot in snapshots if snapshot.name in names]
