"""Snapshots that a filesystem takes of itself: taking, reading and deleting them."""

from __future__ import annotations

import errno
import os
import pickle
import stat
from collections.abc import Callable

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.snapshots import Snapshot, snapshots_of
from chuk_fsspec.testing.checks import fails_with, node_at
from chuk_fsspec.testing.needs import needs
from chuk_fsspec.testing.snapshot_changes import (
    EACH,
    LARGE,
    Change,
    SnapshotFixtures,
    Take,
    change_all,
    everything,
    replace,
    set_attributes,
    write_in_place,
)


@needs("snapshots", "write", "random_write", "symlinks", "hardlinks", "attributes", "xattrs", "shared_between_threads")
class Snapshots(SnapshotFixtures):
    """``fs.snapshots`` (``contract.Snapshots``)."""

    # ---- what is taken

    def test_a_snapshot_says_what_it_is(self, fs: AbstractFileSystem, take: Take) -> None:
        name = f"{take()}-described"
        taken = fs.snapshots.create(name, "before the migration")
        assert taken == Snapshot(name, "before the migration", taken.created_ns)
        assert fs.snapshots.taken()[-1] == taken
        fs.snapshots.delete(name)
        assert taken not in fs.snapshots.taken()

    def test_they_are_listed_in_the_order_in_which_they_were_taken(self, fs: AbstractFileSystem, take: Take) -> None:
        names = [take() for _ in range(5)]
        assert [one.name for one in fs.snapshots.taken()][-5:] == names

    def test_a_filesystem_that_takes_snapshots_gives_them(self, fs: AbstractFileSystem) -> None:
        assert snapshots_of(fs) is not None

    # ---- reading

    @pytest.mark.parametrize("change", EACH, ids=lambda one: one.__name__)
    def test_the_past_stays_as_it_was(
        self,
        fs: AbstractFileSystem,
        tree: str,
        take: Take,
        change: Change,
    ) -> None:
        before = everything(fs, tree)
        name = take()
        early = fs.snapshots.at(name)
        assert everything(early, tree) == before
        change(fs, tree)
        assert everything(fs, tree) != before
        assert everything(early, tree) == before
        assert everything(fs.snapshots.at(name), tree) == before

    def test_the_past_has_all_of_the_surface(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        past = fs.snapshots.at(take())
        change_all(fs, tree)
        assert past.ls(tree, detail=False) == sorted(
            f"{tree}/{name}" for name in ("empty", "file", "hard", "large", "link", "tree")
        )
        assert past.cat_file(f"{tree}/large", 1000, -1000) == LARGE[1000:-1000]
        assert past.cat_ranges([f"{tree}/file", f"{tree}/large"], [1, 2], [3, 4]) == [b"on", LARGE[2:4]]
        with past.open(f"{tree}/large") as file:
            file.seek(5000)
            assert file.read(10) == LARGE[5000:5010]
        with past.open(f"{tree}/file", "r") as file:
            assert file.read() == "content"
        assert past.glob(f"{tree}/tr*/**") == [
            f"{tree}/tree",
            f"{tree}/tree/a",
            f"{tree}/tree/below",
            f"{tree}/tree/below/b",
        ]
        assert past.exists(f"{tree}/tree/below/b")
        assert not past.exists(f"{tree}/new")
        assert past.isdir(f"{tree}/empty")
        assert past.cat_file(f"{tree}/link") == b"content"
        assert past.posix.nofollow.posix.readlink(f"{tree}/link") == "file"
        with past.posix.open_handle(f"{tree}/large") as handle:
            assert handle.pread(10, 300) == LARGE[300:310]
            assert handle.stat().st_size == len(LARGE)
        assert past.posix.statvfs().block_size > 0

    def test_the_past_can_be_walked_by_nodes(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        past = fs.snapshots.at(take())
        fs.rm(tree, recursive=True)
        nodes = past.posix.nodes
        below = node_at(nodes, f"{tree}/tree/below")
        assert [name for name, _ in nodes.entries(below)] == ["b"]
        assert nodes.parent(below) is node_at(nodes, f"{tree}/tree")
        file = node_at(nodes, f"{tree}/tree/below/b")
        assert nodes.getattr(file).size == 1
        assert b"".join(nodes.read(file, 10, 0)) == b"B"
        with fails_with(errno.EROFS):
            nodes.write(file, b"x", 0)
        with fails_with(errno.EROFS):
            nodes.create(below, "new", stat.S_IFREG | 0o644, 0, 0)

    def test_holes_are_where_they_were(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        with fs.posix.open_handle(f"{tree}/sparse", os.O_RDWR | os.O_CREAT) as handle:
            handle.pwrite(b"x", 10 << 20)
        past = fs.snapshots.at(take())
        fs.pipe_file(f"{tree}/sparse", b"full")
        nodes = past.posix.nodes
        node = node_at(nodes, f"{tree}/sparse")
        assert node.allocated < 1 << 20
        assert 0 < nodes.seek(node, 0, os.SEEK_DATA) <= 10 << 20
        assert nodes.seek(node, 0, os.SEEK_HOLE) == 0

    @pytest.mark.parametrize(
        "change",
        [
            lambda fs, root: fs.pipe_file(f"{root}/file", b""),
            lambda fs, root: fs.pipe_file(f"{root}/new", b"x" * 1_000_000),
            lambda fs, root: fs.open(f"{root}/new", "wb").close(),
            lambda fs, root: fs.open(f"{root}/file", "ab").close(),
            lambda fs, root: fs.rm_file(f"{root}/file"),
            lambda fs, root: fs.rm(root, recursive=True),
            lambda fs, root: fs.mkdir(f"{root}/new"),
            lambda fs, root: fs.mv(f"{root}/file", f"{root}/new"),
            lambda fs, root: fs.cp_file(f"{root}/file", f"{root}/new"),
            lambda fs, root: fs.posix.chmod(f"{root}/file", 0o777),
            lambda fs, root: fs.posix.truncate(f"{root}/file", 1),
            lambda fs, root: fs.posix.setxattr(f"{root}/file", "user.k", b""),
            lambda fs, root: fs.posix.open_handle(f"{root}/file", os.O_RDWR),
            lambda fs, root: fs.posix.open_handle(f"{root}/file", os.O_RDONLY | os.O_TRUNC),
        ],
    )
    def test_the_past_is_only_read(
        self,
        fs: AbstractFileSystem,
        tree: str,
        take: Take,
        change: Change,
    ) -> None:
        before = everything(fs, tree)
        past = fs.snapshots.at(take())
        assert not past.capabilities.write
        assert snapshots_of(past) is None
        with fails_with(errno.EROFS):
            change(past, tree)
        assert everything(past, tree) == everything(fs, tree) == before

    def test_the_past_opens_by_its_arguments(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        name = take()
        fs.pipe_file(f"{tree}/file", b"new")
        past = type(fs)(*fs.storage_args, **fs.storage_options, at=name)
        assert past.cat_file(f"{tree}/file") == b"content"
        again = pickle.loads(pickle.dumps(past))  # noqa: S301 - of our own making
        assert again.cat_file(f"{tree}/file") == b"content"
        assert AbstractFileSystem.from_json(past.to_json()).cat_file(f"{tree}/file") == b"content"
        options = {**fs.storage_options, "at": name}
        with fsspec.open(f"{fs.protocol}:/{tree}/file", **options) as file:
            assert file.read() == b"content"
        assert past.fsid != fs.fsid
        assert past.fsid != fs.snapshots.at(take()).fsid

    # ---- deleting

    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
    def test_they_are_deleted_in_any_order(
        self, fs: AbstractFileSystem, tree: str, take: Take, order: tuple[int, ...]
    ) -> None:
        states = {}
        for change in (write_in_place, set_attributes, replace, change_all):
            change(fs, tree)
            states[take()] = everything(fs, tree)
        now = everything(fs, tree)
        names = list(states)
        for number in order:
            fs.snapshots.delete(names[number])
            del states[names[number]]
            for name, state in states.items():
                assert everything(fs.snapshots.at(name), tree) == state
            assert everything(fs, tree) == now

    def test_a_deleted_snapshot_is_stale(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        name = take()
        past = fs.snapshots.at(name)
        nodes = past.posix.nodes
        node = node_at(nodes, f"{tree}/file")
        fs.snapshots.delete(name)
        looks: list[Callable[[], object]] = [
            lambda: past.info("/"),
            lambda: past.ls(tree),
            lambda: past.cat_file(f"{tree}/file"),
            lambda: nodes.getattr(node),
            lambda: nodes.lookup(nodes.root, tree[1:]),
            lambda: nodes.read(node, 1, 0),
        ]
        for look in looks:
            with fails_with(errno.ESTALE):
                look()

    def test_a_name_can_be_used_again(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        name = take()
        old = fs.snapshots.at(name)
        fs.snapshots.delete(name)
        fs.pipe_file(f"{tree}/file", b"second")
        fs.snapshots.create(name)
        fs.pipe_file(f"{tree}/file", b"third")
        assert fs.snapshots.at(name).cat_file(f"{tree}/file") == b"second"
        assert type(fs)(*fs.storage_args, **fs.storage_options, at=name).cat_file(f"{tree}/file") == b"second"
        with fails_with(errno.ESTALE):
            old.cat_file(f"{tree}/file")

    # ---- errors

    def test_what_cannot_be_done_is_an_error(self, fs: AbstractFileSystem, take: Take) -> None:
        name = take()
        with fails_with(errno.EEXIST, name):
            fs.snapshots.create(name)
        for bad in ("", ".", "..", "a/b", "a\0b"):
            with fails_with(errno.EINVAL):
                fs.snapshots.create(bad)
        with fails_with(errno.ENAMETOOLONG):
            fs.snapshots.create("n" * 256)
        for missing in (fs.snapshots.restore, fs.snapshots.delete, fs.snapshots.at):
            with fails_with(errno.ENOENT, "no-such-snapshot"):
                missing("no-such-snapshot")
        with fails_with(errno.ENOENT):
            type(fs)(*fs.storage_args, **fs.storage_options, at="no-such-snapshot")

    @needs("transactions")
    def test_in_a_transaction_nothing_is_taken_or_restored(self, fs: AbstractFileSystem, tree: str, take: Take) -> None:
        name = take()
        with fs.transaction:
            fs.rm_file(f"{tree}/file")
            with fails_with(errno.EBUSY):
                fs.snapshots.create("in-between")
            with fails_with(errno.EBUSY):
                fs.snapshots.restore(name)
        assert not fs.exists(f"{tree}/file")
        assert "in-between" not in [one.name for one in fs.snapshots.taken()]
