"""Other filesystem objects on the same store: one that follows no links, and the files as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsspec import AbstractFileSystem

from chuk_fsspec.engine.snapshots import InodeSnapshots

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem
    from chuk_fsspec.engine.shared import SharedState
    from chuk_fsspec.engine.tree import Tree


class StoreViews(AbstractFileSystem):
    """What makes them, of a filesystem that knows its ``inodes``."""

    inodes: Tree
    follow_links: bool

    def without_links(self) -> InodeFileSystem:
        """The view of this store that follows no links (``Posix.nofollow``)."""
        if not self.follow_links:
            return self
        return self._view(self.inodes.shared, follow_links=False)

    def as_of(self, snapshot: str) -> InodeFileSystem:
        """The view of this store as it was (``Snapshots.at``). ENOENT."""
        return self._view(self.inodes.shared.past(snapshot), at=snapshot)

    @property
    def snapshots(self) -> InodeSnapshots:
        """Snapshots of this filesystem."""
        return InodeSnapshots(self)

    def _view(self, shared: SharedState, **changed: Any) -> InodeFileSystem:
        """A filesystem of the same arguments but for those that are changed, on a store."""
        options = {**self.storage_options, **changed}
        try:
            view = type(self)(*self.storage_args, **options)
            if view.inodes.shared is shared:
                return view
        except FileNotFoundError:
            pass
        # The arguments open another store by now, in which there may be no such snapshot.
        view = type(self)(*self.storage_args, **{**options, "at": ""}, skip_instance_cache=True)
        view.stand_on(shared, options.get("at", ""))
        view.storage_options = options
        return view
