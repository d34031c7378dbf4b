"""Content on its way: what is written to an open file claims its room at once, and is booked when it is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.forwarding.files import ForwardingFile
from chuk_fsspec.wrappers.security.books import Books, Plan, Room
from chuk_fsspec.wrappers.security.ledger import NOTHING, Edited, Usage

Result = TypeVar("Result")


class Draft:
    """One file that is being written.

    While it is written, old and new content both take room. An edit in a copy (``r+``) or an append takes as much as
    the file grows.

    Args:
        books: where it is booked.
        path: absolute path without links.
        mode: as ``open`` has it.
        shows: whether others see what is written before the file is closed.
    """

    def __init__(self, books: Books, path: str, mode: str, *, shows: bool) -> None:
        self.books = books
        self.path = path
        self._mode = mode
        self._shows = shows
        self._base = 0
        self._extent = 0
        self._existed = False
        self._claimed = NOTHING
        self._is_open = True
        self.places: tuple[str, ...] = (path,)
        """The path, and the directories above it that have to be made with it."""

    def begin(self, open_it: Callable[[], Result]) -> Result:
        """Open the file below, if there is room for one more. EDQUOT; as ``open_it``."""
        if self.books.ledger.is_kept:
            self.books.ledger.ensure_counted(self.books.scan)
        with self.books.ledger.changing(self.path):
            info = self.books.known(self.path) if self._shows or self.books.ledger.is_kept else None
            self._existed = info is not None
            if not self.books.ledger.is_kept:
                return open_it()
            if info is not None and self._mode[0] in "ra":
                self._base = self._extent = info.get("size") or 0
            room = self.promise()
            try:
                file = open_it()
            except BaseException:
                self._give_back()
                raise
            if self._shows:
                self._show(room)
            return file

    def promise(self, size: int = 0) -> Room:
        """Claim what a file of this size takes, and remember the directories that come with it. EDQUOT."""
        room = self.books.measure(self._plan(None))
        self.places = (self.path, *room.made)
        self._claim(Usage(0, room.needed.files))
        if size:
            self.reach(size)
        return room

    def _show(self, room: Room) -> None:
        """Book what opening did already, and remember what is booked while others look at unbooked content."""
        ledger, path = self.books.ledger, self.path
        self.books.correct(self._plan(None), room)
        if path in ledger.edited:
            ledger.edited[path].writers += 1
        else:
            ledger.edited[path] = Edited(self.books.surveyor.look(path))

    def reach(self, extent: int) -> None:
        """Claim room for content up to this many bytes. EFBIG, EDQUOT."""
        self.books.check_size("open", self.path, extent)
        if self.books.ledger.is_kept:
            more = max(extent - self._base, 0) - self._claimed.size
            if more > 0:
                self._claim(Usage(more, 0))
        self._extent = max(self._extent, extent)

    def publish(self, act: Callable[[], Result]) -> Result:
        """Run what makes the content visible, and book it. EDQUOT if others took the room of what was there before."""
        if not self._is_open:
            return act()
        with self.books.ledger.changing(self.path):
            size = self._final_size()
            self.books.check_size("open", self.path, size)
            if not self.books.ledger.is_kept:
                return act()
            room = self.books.measure(self._plan(size))
            more = room.needed - self._claimed
            self._claim(Usage(max(more.size, 0), max(more.files, 0)))
            return self._book(act, room)

    def drop(self, act: Callable[[], None]) -> None:
        """Run what discards the content, and give the room back."""
        if not self._is_open or not self.books.ledger.is_kept:
            act()
        elif self._shows:
            with self.books.ledger.changing(self.path):
                self._book(act, self.books.measure(self._plan(None)))
        else:
            self._is_open = False
            self._give_back()
            act()

    def _book(self, act: Callable[[], Result], room: Room) -> Result:
        try:
            return act()
        finally:
            self._is_open = False
            self.books.correct(self._plan(None), room, claimed=self._claimed)
            self._claimed = NOTHING
            self._leave()

    @property
    def claimed(self) -> Usage:
        """Room that it holds."""
        return self._claimed

    @property
    def leaves_a_new_name(self) -> bool:
        """Whether the file is new, and discarding cannot take back what others have seen of it."""
        return self._shows and not self._existed

    def _final_size(self) -> int:
        """How long the file will be. What is appended comes after what is there by then."""
        if self._mode[0] != "a":
            return self._extent
        info = self.books.known(self.path)
        return (info.get("size") or 0 if info else 0) + self._extent - self._base

    def _plan(self, size: int | None) -> Plan:
        return Plan("open", sizes={self.path: size}, makes_parents=True)

    def _claim(self, needed: Usage) -> None:
        ledger = self.books.ledger
        short = ledger.claim(self.books.limits, needed.size, needed.files)
        if short:
            raise self.books.refusal("open", self.path, short)
        self._claimed += needed

    def _give_back(self) -> None:
        self.books.ledger.settle(self._claimed)
        self._claimed = NOTHING

    def _leave(self) -> None:
        edited = self.books.ledger.edited.get(self.path)
        if self._shows and edited is not None:
            edited.writers -= 1
            if not edited.writers:
                del self.books.ledger.edited[self.path]


class ChargedFile(ForwardingFile):
    """A file open for writing, whose content is claimed as it is written.

    After a write that is refused nothing of it is published, and each further write is refused alike.

    Args:
        file: the file below.
        path: absolute normal path, as the user knows it.
        mode: as ``open`` has it.
        draft: what is booked for it.
        commits: whether closing publishes it; otherwise ``commit`` does, or the end of the transaction.
        remove: takes away a new file that others have seen, and that was discarded.
    """

    def __init__(
        self, file: Any, path: str, mode: str, draft: Draft, *, commits: bool, remove: Callable[[], None]
    ) -> None:
        super().__init__(file, path, mode)
        self._draft = draft
        self._commits = commits
        self._remove = remove
        self._refusal: OSError | None = None
        self._dropped = False

    def write(self, data: Buffer, /) -> int:  # type: ignore[override]
        """Write all of ``data``. EFBIG, EDQUOT."""
        if not self._dropped or self._refusal is not None:
            self._reach(self.tell() + memoryview(data).nbytes)
        return super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        """Cut at ``size`` bytes, or where the position is. EFBIG, EDQUOT."""
        self._reach(self.tell() if size is None else size)
        return super().truncate(size)

    def _reach(self, extent: int) -> None:
        if self._refusal is not None:
            raise self._refusal
        try:
            self._draft.reach(extent)
        except OSError as error:
            self.discard()
            self._refusal = error
            raise

    def discard(self) -> None:
        """Drop what was written and give its room back."""
        self._refusal = None
        if not self._dropped:
            self._dropped = True
            self._draft.drop(super().discard)

    def commit(self) -> None:
        """Publish a closed file that was opened with ``autocommit=False``. EDQUOT."""
        self._draft.publish(super().commit)

    def close(self) -> None:
        """Close the file below, which publishes what was written. EDQUOT, with nothing published."""
        if self.closed:
            return
        if self._dropped or not self._commits:
            super().close()
            if self._dropped and self._draft.leaves_a_new_name:
                self._remove()
            return
        try:
            self._draft.publish(super().close)
        except OSError:
            if not self.closed:
                self.discard()
                self.close()
            raise


def complete(books: Books, drafts: list[Draft], act: Callable[[], Result]) -> Result:
    """Run the end of a transaction and book what becomes of its files.

    Args:
        books: where it is booked.
        drafts: files that are closed and not published.
        act: commits or rolls back.
    """
    if not books.ledger.is_kept:
        return act()
    claimed = sum((draft.claimed for draft in drafts), NOTHING)
    plan = Plan("transaction", sizes=dict.fromkeys([draft.path for draft in drafts]), makes_parents=True)
    with books.ledger.changing():
        room = _measured(books, plan)
        try:
            return act()
        finally:
            books.correct(plan, room, claimed=claimed)


def _measured(books: Books, plan: Plan) -> Room | None:
    """What is there; None where a link was put in the way since the files were opened."""
    try:
        return books.measure(plan)
    except LinkInTheWay:
        return None
