"""``posix.nofollow``: the view of a filesystem with symbolic links on which none is ever followed."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.testing.checks import failing, fails_with, files_below, meets_link, names_below
from chuk_fsspec.testing.needs import needs
from chuk_fsspec.testing.path_acts import FOLLOWING, NOT_FOLLOWING, TAKEN_BY_A_LINK, Act

LINKS = ("link", "link-to-file", "link-to-nothing", "link-to-itself")


@needs("symlinks", "directories")
class Nofollow:
    """``posix.nofollow``."""

    @pytest.fixture
    def view(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        """The view of the filesystem under test."""
        nofollow: AbstractFileSystem = fs.posix.nofollow
        return nofollow

    @pytest.fixture
    def tree(self, fs: AbstractFileSystem, root: str) -> str:
        """A directory with a file ``f``, a directory ``d``, and links to both, to nothing and in a circle."""
        fs.pipe({f"{root}/f": b"content", f"{root}/d/e/f": b"below"})
        fs.posix.symlink("d", f"{root}/link")
        fs.posix.symlink(f"{root}/f", f"{root}/link-to-file")
        fs.posix.symlink("missing", f"{root}/link-to-nothing")
        fs.posix.symlink("link-to-itself", f"{root}/link-to-itself")
        return root

    def test_it_shows_the_same_files(self, fs: AbstractFileSystem, view: AbstractFileSystem, root: str) -> None:
        fs.pipe_file(f"{root}/d/f", b"content")
        assert view.cat_file(f"{root}/d/f") == b"content"
        view.pipe_file(f"{root}/d/g", b"new")
        view.mv(f"{root}/d", f"{root}/moved")
        assert files_below(fs, root) == {"moved/f": b"content", "moved/g": b"new"}
        assert capabilities_of(view).symlinks

    def test_its_own_view_follows_none_either(self, view: AbstractFileSystem, tree: str) -> None:
        with meets_link(f"{tree}/link"):
            view.posix.nofollow.cat_file(f"{tree}/link/e/f")

    @pytest.mark.parametrize("how", ["pickle", "json"])
    def test_it_can_be_handed_on(self, view: AbstractFileSystem, tree: str, how: str) -> None:
        again = view.from_json(view.to_json()) if how == "json" else pickle.loads(pickle.dumps(view))  # noqa: S301
        assert again.cat_file(f"{tree}/f") == b"content"
        with meets_link(f"{tree}/link"):
            again.cat_file(f"{tree}/link/e/f")

    # ---- a link before the last component

    @pytest.mark.parametrize("name", [*FOLLOWING, *NOT_FOLLOWING])
    def test_nothing_goes_past_a_link(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str, name: str
    ) -> None:
        act = _act(fs, name)
        before = _state(fs, tree)
        for path in (f"{tree}/link/e/f", f"{tree}/link/e", f"{tree}/link/missing", f"{tree}/link/missing/deeper"):
            with meets_link(f"{tree}/link"):
                act(view, path)
        for link in LINKS:
            with meets_link(f"{tree}/{link}"):
                act(view, f"{tree}/{link}/x")
        assert _state(fs, tree) == before

    def test_the_first_link_is_named_by_its_normal_path(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str
    ) -> None:
        fs.posix.symlink("../link", f"{tree}/d/inner")
        for path in (f"{tree}/d/inner/e/f", f"{tree}//d/./e/../inner/e//f/", fs.unstrip_protocol(f"{tree}/d/inner/f")):
            with meets_link(f"{tree}/d/inner"):
                view.cat_file(path)
            with meets_link(f"{tree}/d/inner"):
                view.pipe_file(path, b"")

    def test_both_ends_of_a_move_and_a_copy_are_looked_at(self, view: AbstractFileSystem, tree: str) -> None:
        for act in (view.mv, view.cp_file, view.posix.rename):
            for paths in ((f"{tree}/link/e/f", f"{tree}/new"), (f"{tree}/f", f"{tree}/link/new")):
                with meets_link(f"{tree}/link"):
                    act(*paths)
        assert names_below(view, f"{tree}/d") == ["e", "e/f"]

    def test_local_files(self, view: AbstractFileSystem, tree: str, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"local")
        for target in (f"{tree}/link/new", f"{tree}/link-to-file"):
            with meets_link(target.removesuffix("/new")):
                view.put_file(str(tmp_path / "f"), target)
            with meets_link(target.removesuffix("/new")):
                view.put(str(tmp_path / "f"), target)
        for source in (f"{tree}/link/e/f", f"{tree}/link-to-file"):
            with meets_link(source.removesuffix("/e/f")):
                view.get_file(source, str(tmp_path / "new"))
        assert not (tmp_path / "new").exists()
        assert view.cat_file(f"{tree}/f") == b"content"

    # ---- a link as the last component

    @pytest.mark.parametrize("name", FOLLOWING)
    def test_what_would_follow_a_final_link_stops(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str, name: str
    ) -> None:
        act = _act(fs, name)
        before = _state(fs, tree)
        for link in LINKS:
            with meets_link(f"{tree}/{link}"):
                act(view, f"{tree}/{link}")
        assert _state(fs, tree) == before

    @pytest.mark.parametrize(
        ("link", "target"), [("link", "d"), ("link-to-nothing", "missing"), ("link-to-itself", "link-to-itself")]
    )
    def test_links_are_shown_as_they_are(self, view: AbstractFileSystem, tree: str, link: str, target: str) -> None:
        info = view.info(f"{tree}/{link}")
        assert (info["type"], info["size"], info["islink"], info["destination"]) == ("link", len(target), True, target)
        assert info in view.ls(tree)
        assert view.find(tree, detail=True)[f"{tree}/{link}"] == info
        assert view.lexists(f"{tree}/{link}")
        assert view.posix.readlink(f"{tree}/{link}") == target

    def test_a_link_to_a_file_is_no_file(self, view: AbstractFileSystem, tree: str) -> None:
        info = view.info(f"{tree}/link-to-file")
        assert (info["type"], info["size"], info["destination"]) == ("link", len(f"{tree}/f"), f"{tree}/f")
        directory, directories, others = next(iter(view.walk(tree, detail=True)))
        assert (directory, list(directories), others["link-to-file"]["type"]) == (tree, ["d"], "link")
        assert others["link"]["type"] == "link"

    @pytest.mark.parametrize("remove", ["rm_file", "rm", "rm recursive", "delete", "posix.unlink"])
    def test_links_are_removed_themselves(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str, remove: str
    ) -> None:
        for link in LINKS:
            NOT_FOLLOWING[remove][1](view, f"{tree}/{link}")
        assert files_below(fs, tree) == {"f": b"content", "d/e/f": b"below"}

    def test_a_removed_tree_leaves_what_its_links_lead_to(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str
    ) -> None:
        fs.posix.symlink("../../f", f"{tree}/d/e/up")
        fs.mkdir(f"{tree}/other")
        fs.posix.symlink("../d", f"{tree}/other/d")
        view.rm(f"{tree}/other", recursive=True)
        assert fs.exists(f"{tree}/d/e/f")
        view.rm(f"{tree}/d", recursive=True)
        assert fs.cat_file(f"{tree}/f") == b"content"

    def test_links_move_themselves(self, view: AbstractFileSystem, tree: str) -> None:
        view.mv(f"{tree}/link", f"{tree}/d/moved")
        assert view.posix.readlink(f"{tree}/d/moved") == "d"
        view.posix.rename(f"{tree}/link-to-nothing", f"{tree}/d/renamed")
        assert view.posix.readlink(f"{tree}/d/renamed") == "missing"

    @needs("replace")
    def test_a_link_is_replaced_by_what_moves_there(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str
    ) -> None:
        view.mv(f"{tree}/f", f"{tree}/link")
        assert view.cat_file(f"{tree}/link") == b"content"
        assert names_below(fs, f"{tree}/d") == ["e", "e/f"]
        view.posix.rename(f"{tree}/link", f"{tree}/link-to-nothing")
        assert view.cat_file(f"{tree}/link-to-nothing") == b"content"
        assert not fs.exists(f"{tree}/missing")

    def test_a_directory_still_takes_what_moves_there(self, view: AbstractFileSystem, tree: str) -> None:
        view.mv(f"{tree}/f", f"{tree}/d")
        assert view.cat_file(f"{tree}/d/f") == b"content"
        with meets_link(f"{tree}/link"):
            view.mv(f"{tree}/d/f", f"{tree}/link/")

    @needs("attributes")
    def test_attributes_of_a_link_itself(self, view: AbstractFileSystem, tree: str) -> None:
        before = view.posix.lstat(f"{tree}/f").st_mtime_ns
        view.posix.utime(f"{tree}/link-to-file", ns=(1, 2), follow_symlinks=False)
        view.posix.chown(f"{tree}/link-to-file", -1, -1, follow_symlinks=False)
        assert view.posix.lstat(f"{tree}/link-to-file").st_mtime_ns == 2
        assert view.posix.lstat(f"{tree}/f").st_mtime_ns == before

    @needs("hardlinks")
    def test_a_second_name_of_a_link(self, view: AbstractFileSystem, tree: str) -> None:
        view.posix.link(f"{tree}/link", f"{tree}/second")
        assert view.posix.readlink(f"{tree}/second") == "d"

    @pytest.mark.parametrize("name", TAKEN_BY_A_LINK)
    def test_a_link_takes_its_name(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str, name: str
    ) -> None:
        act = _act(fs, name)
        before = _state(fs, tree)
        for link in LINKS:
            with fails_with(errno.EEXIST):
                act(view, f"{tree}/{link}")
        assert _state(fs, tree) == before

    def test_a_link_is_no_directory(self, view: AbstractFileSystem, tree: str) -> None:
        for rmdir in (view.rmdir, view.posix.rmdir):
            with fails_with(errno.ENOTDIR, f"{tree}/link"):
                rmdir(f"{tree}/link")

    @needs("random_write")
    def test_refusing_a_link_by_flag_is_no_link_in_the_way(self, view: AbstractFileSystem, tree: str) -> None:
        """Nobody is to read the link and ask again."""
        for link in LINKS:
            with fails_with(errno.ELOOP, f"{tree}/{link}"):
                NOT_FOLLOWING["posix.open_handle nofollow"][1](view, f"{tree}/{link}")

    # ---- links that come later

    @pytest.mark.parametrize("mode", ["wb", "ab"])
    @pytest.mark.parametrize("victim", ["d/new", "d/e/new/deeper"])
    def test_a_directory_that_became_a_link_before_the_file_is_closed(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str, mode: str, victim: str
    ) -> None:
        _require(fs, "append" if mode == "ab" else "write")
        fs.makedirs(f"{tree}/outside")
        file = view.open(f"{tree}/{victim}", mode)
        file.write(b"written")
        fs.mv(f"{tree}/d", f"{tree}/old")
        fs.posix.symlink("outside", f"{tree}/d")
        with meets_link(f"{tree}/d"):
            file.close()
        assert file.closed
        assert names_below(fs, f"{tree}/outside") == []
        assert not fs.exists(f"{tree}/old/new")

    @pytest.mark.parametrize("mode", ["wb", "ab"])
    def test_a_file_that_became_a_link_before_it_is_closed(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str, mode: str
    ) -> None:
        _require(fs, "append" if mode == "ab" else "write")
        fs.pipe_file(f"{tree}/victim", b"old")
        file = view.open(f"{tree}/victim", mode)
        file.write(b"written")
        fs.rm_file(f"{tree}/victim")
        fs.posix.symlink("f", f"{tree}/victim")
        with meets_link(f"{tree}/victim"):
            file.close()
        assert fs.cat_file(f"{tree}/f") == b"content"

    @needs("transactions")
    def test_a_link_in_the_way_undoes_a_transaction(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str
    ) -> None:
        before = _state(fs, tree)
        with meets_link(f"{tree}/link"), view.transaction:
            view.pipe_file(f"{tree}/new", b"new")
            view.rm_file(f"{tree}/d/e/f")
            view.mv(f"{tree}/f", f"{tree}/link/f")
        assert _state(fs, tree) == before
        with failing(view.transaction):
            view.mv(f"{tree}/link", f"{tree}/d/link")
        assert _state(fs, tree) == before

    def test_what_was_resolved_is_forgotten_when_a_link_takes_its_place(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str
    ) -> None:
        assert view.cat_file(f"{tree}/d/e/f") == b"below"
        assert fs.cat_file(f"{tree}/link/e/f") == b"below"
        fs.mv(f"{tree}/d", f"{tree}/old")
        fs.posix.symlink("old", f"{tree}/d")
        for name in ("e/f", "e"):
            with meets_link(f"{tree}/d"):
                view.info(f"{tree}/d/{name}")
        with meets_link(f"{tree}/d"):
            view.cat_file(f"{tree}/d/e/f")
        with meets_link(f"{tree}/d"):
            view.pipe_file(f"{tree}/d/e/f", b"")
        assert fs.cat_file(f"{tree}/link/e/f") == b"below"

    def test_a_removed_directory_and_a_link_in_its_place(
        self, fs: AbstractFileSystem, view: AbstractFileSystem, tree: str
    ) -> None:
        view.mkdir(f"{tree}/empty")
        assert not view.exists(f"{tree}/empty/f")
        view.rmdir(f"{tree}/empty")
        fs.posix.symlink("d/e", f"{tree}/empty")
        with meets_link(f"{tree}/empty"):
            view.exists(f"{tree}/empty/f")
        with meets_link(f"{tree}/empty"):
            view.pipe_file(f"{tree}/empty/new", b"")
        assert names_below(fs, f"{tree}/d") == ["e", "e/f"]


def _act(fs: AbstractFileSystem, name: str) -> Act:
    capability, act = {**FOLLOWING, **NOT_FOLLOWING}[name]
    _require(fs, capability)
    return act


def _require(fs: AbstractFileSystem, capability: str) -> None:
    if not getattr(capabilities_of(fs), capability):
        pytest.skip(f"needs {capability}, which this filesystem does not declare")


def _state(fs: AbstractFileSystem, root: str) -> dict[str, tuple[str, Any, bytes]]:
    """Kind, link target and content of everything below a directory."""
    return {
        path: (info["type"], info.get("destination"), fs.cat_file(path) if info["type"] == "file" else b"")
        for path, info in fs.find(root, withdirs=True, detail=True).items()
    }
