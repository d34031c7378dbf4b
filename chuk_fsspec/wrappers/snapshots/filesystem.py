"""``chuksnap``: any filesystem, with points in time to look at and to go back to."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.changes import Changes
from chuk_fsspec.contract.display import printable
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import is_inside, normalise
from chuk_fsspec.contract.snapshots import Snapshot, snapshots_of
from chuk_fsspec.wrappers.base import OwnInstances, WrapperFileSystem
from chuk_fsspec.wrappers.snapshots import naming
from chuk_fsspec.wrappers.snapshots.comparing import Comparison
from chuk_fsspec.wrappers.snapshots.entry import Tree
from chuk_fsspec.wrappers.snapshots.history import History, NativeHistory, StoredHistory
from chuk_fsspec.wrappers.snapshots.live import LiveTree
from chuk_fsspec.wrappers.snapshots.naming import NOW
from chuk_fsspec.wrappers.snapshots.repository import Repository
from chuk_fsspec.wrappers.snapshots.repository.checking import Damage
from chuk_fsspec.wrappers.snapshots.retention import Retention
from chuk_fsspec.wrappers.snapshots.text import with_text


@dataclass(frozen=True)
class LogEntry:
    """A snapshot, and what had changed since the one before it.

    Attributes:
        snapshot: the snapshot.
        changes: None for the first one.
    """

    snapshot: Snapshot
    changes: Changes | None

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.snapshot.created_ns / 1e9, timezone.utc)
        summary = "the first" if self.changes is None else self.changes.summary()
        parts = (printable(self.snapshot.name), moment.strftime("%Y-%m-%d %H:%M:%SZ"), summary)
        return "  ".join(filter(None, (*parts, printable(self.snapshot.description))))


class _FreshPast(OwnInstances):
    """Makes a new instance for each look at the past: a name may be given to another snapshot later."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - of a metaclass
        """Make an instance, or find it where it shows the present."""
        if kwargs.get("at"):
            kwargs["skip_instance_cache"] = True
        return super().__call__(*args, **kwargs)


class SnapshotFileSystem(WrapperFileSystem, metaclass=_FreshPast):
    """Reads and writes pass through. Snapshots are taken by the filesystem itself, if it can, or kept in a store.

    With ``at``, by option or at the end of a URL (``chuksnap://?at=before::chuklocal::file:///work/data.csv``), it is
    the filesystem as it was, only to be read.
    """

    protocol = "chuksnap"
    passes_nodes = True
    passes_readers = True

    def __init__(
        self,
        fs: AbstractFileSystem | None = None,
        fo: str = "",
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        store: str = "",
        store_options: dict[str, Any] | None = None,
        root: str = "/",
        at: str = "",
        workers: int = 0,
        **kwargs: Any,
    ) -> None:
        """Wrap a filesystem.

        Args:
            fs: the filesystem; or
            fo: the path that a chained URL gives; not used.
            target_protocol: the protocol to make the filesystem of.
            target_options: its storage options.
            store: URL of the directory that snapshots are kept in; made when the first one is taken. Empty for
                filesystems that take snapshots of themselves. It must not lie inside ``root``.
            store_options: storage options of that URL.
            root: the directory that snapshots are of, with all below it; an absolute path.
            at: show this snapshot, and not the present.
            workers: files that are read at the same time; 0 for 16 on asynchronous filesystems and 1 on others.
            kwargs: fsspec's own options.

        Raises:
            OSError: ENOENT for a snapshot ``at`` that there is not; ENOTSUP for ``at`` without any snapshots.
            ValueError: for a negative number of workers, and as ``WrapperFileSystem``.
        """
        if workers < 0:
            raise ValueError(f"workers must be 0 or more, not {workers}")
        self._root = normalise(root)
        self._at, self._workers = at, workers
        self._store, self._store_options = store, store_options
        super().__init__(fs=fs, fo=fo, target_protocol=target_protocol, target_options=target_options, **kwargs)

    # ---- taking snapshots

    def create_snapshot(
        self, name: str | None = None, description: str = "", callback: Callback = DEFAULT_CALLBACK
    ) -> Snapshot:
        """Take a snapshot.

        A filesystem that takes snapshots of itself does so at one moment, in a time that does not depend on how many
        files there are. From any other, what changed since the last snapshot is read, while others may write: each file
        is whole, and one that changed while it was read is read again.

        Args:
            name: the name, as of a file; by default the time.
            description: what it is for.
            callback: told how many bytes were read.

        Returns:
            The snapshot; of a store, a ``StoredSnapshot`` that says what was read and added.

        Raises:
            OSError: EEXIST if the name is taken; EINVAL, ENAMETOOLONG for what is no name; ESTALE for a file that
                changed each time it was read; ENOTSUP without a store where one is needed; EBUSY, EROFS, ENOSPC.
        """
        name = naming.fresh_name() if name is None else naming.checked(name)
        return self._history.create(name, description, callback)

    def list_snapshots(self) -> list[Snapshot]:
        """All snapshots, oldest first."""
        return list(self._history.taken())

    def log(self, limit: int | None = None) -> Iterator[LogEntry]:
        """Snapshots with what had changed since the one before each, newest first; compared as they are asked for.

        Args:
            limit: how many; None for all.
        """
        taken = list(self._history.taken())
        for number in range(len(taken) - 1, -1, -1)[:limit]:
            changes = self.diff(taken[number - 1].name, taken[number].name) if number else None
            yield LogEntry(taken[number], changes)

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot and give back the space that only it needs. ENOENT, EROFS."""
        self._history.delete([name])

    def prune(
        self,
        *,
        keep_last: int = 0,
        keep_hourly: int = 0,
        keep_daily: int = 0,
        keep_weekly: int = 0,
        keep_monthly: int = 0,
        keep_yearly: int = 0,
        dry_run: bool = False,
    ) -> list[Snapshot]:
        """Forget old snapshots. Of each hour, day and so on the last one counts; one that any rule keeps is kept.

        Args:
            keep_last: so many of the newest.
            keep_hourly: one of each of so many hours that have one.
            keep_daily: of each of so many days, in UTC.
            keep_weekly: of each of so many weeks.
            keep_monthly: of each of so many months.
            keep_yearly: of each of so many years.
            dry_run: only say which ones it would be.

        Returns:
            Those that were forgotten, oldest first.

        Raises:
            ValueError: if nothing is to be kept, or for a negative number.
        """
        rules = Retention(keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly)
        taken = list(self._history.taken())
        kept = {snapshot.name for snapshot in rules.kept(taken)}
        gone = [snapshot for snapshot in taken if snapshot.name not in kept]
        if not dry_run:
            self._history.delete([snapshot.name for snapshot in gone])
        return gone

    def verify(self, deep: bool = False, callback: Callback = DEFAULT_CALLBACK) -> list[Damage]:
        """Whether every snapshot can be brought back.

        Args:
            deep: read everything that is stored, and compare checksums; else only look whether it is there.
            callback: told how many bytes were read.

        Returns:
            What is damaged, by snapshot and path; nothing if all is well.
        """
        return list(self._history.verify(deep, callback))

    # ---- using them

    def diff(self, a: str, b: str = NOW, text: bool = False) -> Changes:
        """What changed from one snapshot to another, or to the present.

        Args:
            a: name of the first.
            b: name of the second; "now" for the filesystem as it is.
            text: compare the contents of files line by line too.

        Returns:
            The changes, in the order of their paths; with ``text``, ``TextChanges`` that hold a unified diff.

        Raises:
            OSError: ENOENT for an unknown name.
        """
        before, after = self._tree(a), self._tree(b)
        changes = Comparison(before, after).changes(self._root)
        return with_text(changes, before, after) if text else changes

    def restore(self, name: str, paths: Iterable[str] | None = None, callback: Callback = DEFAULT_CALLBACK) -> None:
        """Make the filesystem what it was, or some paths with all below them. What was made later is gone.

        Contents, modes, owners, links, extended attributes and times of the last change are back, as far as the
        filesystem has them. What is equal is left alone, files are replaced one by one in one step each, and an
        interrupted restore can be run again; where the filesystem has transactions or takes snapshots itself, all of it
        happens or nothing. Snapshots stay, later ones too.

        Args:
            name: of the snapshot.
            paths: absolute paths; None for everything.
            callback: told how many bytes were written.

        Raises:
            OSError: ENOENT for an unknown name or path; EIO for content that is damaged in the store; ENOTSUP for what
                the filesystem cannot keep; EPERM, at the end, for owners that this user may not give; ENOSPC, EROFS.
            ValueError: for an empty list of paths, or a string instead of a list.
        """
        self._history.restore(name, self._chosen(paths), callback)

    def at(self, name: str) -> SnapshotFileSystem:
        """The filesystem as it was, only to be read. It answers ESTALE once the snapshot is deleted. ENOENT."""
        options = {**self.storage_options, "at": name}
        view: SnapshotFileSystem = type(self)(*self.storage_args, **options)
        return view

    def _chosen(self, paths: Iterable[str] | None) -> Sequence[str]:
        if paths is None:
            return ()
        if isinstance(paths, str):
            raise ValueError(f"paths must be a list such as [{paths!r}], not a string")
        chosen = [self._normal(path) for path in paths]
        if not chosen:
            raise ValueError("paths is empty; leave it out to restore everything")
        outside = next((path for path in chosen if not is_inside(path, self._root)), None)
        if outside is not None:
            raise os_error(errno.ENOENT, outside, hint=f"snapshots are of {self._root}")
        return chosen

    def _tree(self, name: str) -> Tree:
        return LiveTree(self.__below, self._root) if name == NOW else self._history.tree(name)

    @property
    def _history(self) -> History:
        if self._at:
            raise os_error(errno.EROFS, hint=f"this is the snapshot {self._at!r}; ask the filesystem itself")
        if self.__history is None:
            raise not_supported(
                "snapshots; this filesystem takes none of itself, so pass store, the URL of a directory to keep them in"
            )
        return self.__history

    # ---- what lies below

    def _view(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        self.__history = self._find_history(fs)
        self.__below = fs
        if not self._at:
            return fs
        if self.__history is None:
            raise not_supported("at without store: this filesystem takes no snapshots of itself")
        return self.__history.view(self._at)

    def _find_history(self, fs: AbstractFileSystem) -> History | None:
        if self._store:
            return StoredHistory(fs, Repository(self._store, self._store_options), self._root, self._workers)
        native = snapshots_of(fs)
        return None if native is None else NativeHistory(fs, native, self._root)

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        return dataclasses.replace(super()._offer(capabilities), snapshots=False)

    def _sibling(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        """The same wrapper over another view, which is of the same moment already."""
        kept = ("store", "store_options", "root", "workers")
        return type(self)(fs=fs, **{name: self.storage_options[name] for name in kept if name in self.storage_options})

    # ---- URLs

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, str) and path.startswith(f"{cls.protocol}://"):
            path, _ = naming.split_url(path)
        return super()._strip_protocol(path)

    @classmethod
    def _get_kwargs_from_urls(cls, path: str) -> dict[str, Any]:
        _, name = naming.split_url(path) if path.startswith(f"{cls.protocol}://") else ("", "")
        return {"at": name} if name else {}

    def unstrip_protocol(self, name: str) -> str:
        """The URL of a path, which names the snapshot where this is one."""
        return naming.url_of(super().unstrip_protocol(self._normal(name)), self._at)

    def _normal(self, path: Any) -> Any:
        if isinstance(path, str) and path.startswith(f"{self.protocol}://"):
            _, asked = naming.split_url(path)
            if asked and asked != self._at:
                raise os_error(errno.EINVAL, path, hint=f"this is not the snapshot {asked!r}; use at({asked!r})")
        return super()._normal(path)
