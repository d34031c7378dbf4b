"""What a stage shows, what its base is before and after a commit, and who wins if two want the same."""

from __future__ import annotations

import errno
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.changes import Kind
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with, in_threads
from chuk_fsspec.wrappers.staging import CommitIncomplete, StageConflict, StageFileSystem, stage
from chuk_fsspec.wrappers.staging.base import Base
from tests.engine.posix_machine import answer
from tests.staging.stage_bases import ALL, POSIX, change, fill, seen


@pytest.fixture(params=ALL)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractFileSystem:
    fs = ALL[request.param](tmp_path)
    fill(fs)
    return fs


@pytest.fixture(params=POSIX)
def posix_base(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractFileSystem:
    fs = POSIX[request.param](tmp_path)
    fill(fs)
    return fs


# ---- the base, before and after


def test_a_stage_shows_the_base(base):
    staged = stage(base)
    assert seen(staged).keys() >= seen(base).keys()
    assert not staged.diff()


def test_nothing_reaches_the_base_before_the_commit(base):
    before = seen(base)
    with stage(base) as staged:
        change(staged)
        assert staged.diff()
        assert seen(base) == before
    assert seen(base) == before


def test_abort_drops_everything(base):
    staged = stage(base)
    before = seen(staged)
    change(staged)
    staged.abort()
    assert not staged.diff()
    assert seen(staged) == before


def test_a_commit_makes_the_base_what_was_shown(posix_base):
    staged = stage(posix_base)
    change(staged)
    shown = seen(staged)
    staged.commit()
    assert seen(posix_base) == shown
    assert not staged.diff()
    assert seen(staged) == shown


def test_a_commit_is_what_the_same_steps_do_directly(posix_base, tmp_path):
    twin = MemoryFileSystem(f"twin-{tmp_path}")
    fill(twin)
    change(twin)
    staged = stage(posix_base)
    change(staged)
    staged.commit()

    def without_new_times(fs: AbstractFileSystem) -> dict[str, Any]:
        facts = {path: facts for path, facts in seen(fs).items() if path != "/mem"}  # a mount point
        return {path: (*one[:3], one[3] == 10**18, *one[4:]) for path, one in facts.items()}

    assert without_new_times(posix_base) == without_new_times(twin)


def test_content_goes_to_filesystems_that_know_nothing_else(base):
    staged = stage(base)
    change(staged)
    staged.commit()
    contents = {path: staged.cat_file(path) for path in staged.find("/") if staged.isfile(path)}
    for path, content in contents.items():
        assert base.cat_file(path) == content
    assert not [path for path in base.find("/") if "/" + path.strip("/") not in contents and not base.isdir(path)]


def test_what_was_not_changed_is_not_touched(posix_base):
    before = seen(posix_base)
    inodes = {path: posix_base.info(path)["ino"] for path in before}
    staged = stage(posix_base)
    staged.pipe_file("/new/file", b"1")
    staged.commit()
    after = seen(posix_base)
    assert {path: facts for path, facts in after.items() if path in before and path != "/"} == {
        path: facts for path, facts in before.items() if path != "/"
    }
    assert {path: posix_base.info(path)["ino"] for path in before} == inodes


def test_moving_a_directory_moves_it_below(posix_base):
    number = posix_base.info("/a")["ino"]
    staged = stage(posix_base)
    staged.mv("/a", "/moved", recursive=True)
    assert [str(change) for change in staged.diff()] == ["R /a -> /moved/"]
    staged.commit()
    assert posix_base.info("/moved")["ino"] == number
    assert posix_base.cat_file("/moved/d/y") == b"world"


def test_names_that_are_swapped(posix_base):
    staged = stage(posix_base)
    staged.posix.rename("/a", "/r", 2)
    staged.posix.rename("/k", "/z", 2)
    shown = seen(staged)
    staged.commit()
    assert seen(posix_base) == shown
    assert posix_base.cat_file("/k") == b"zz"


def test_a_directory_that_becomes_its_own_child_by_way_of_a_new_one(posix_base):
    staged = stage(posix_base)
    staged.mv("/a/d", "/d", recursive=True)
    staged.mv("/a", "/d/a", recursive=True)
    staged.mv("/d", "/a", recursive=True)
    shown = seen(staged)
    staged.commit()
    assert seen(posix_base) == shown


def test_kinds_that_change(posix_base):
    staged = stage(posix_base)
    staged.rm("/a", recursive=True)
    staged.pipe_file("/a", b"now a file")
    staged.rm("/k")
    staged.mkdir("/k/below")
    staged.rm("/z")
    staged.posix.symlink("k", "/z")
    shown = seen(staged)
    staged.commit()
    assert seen(posix_base) == shown
    assert posix_base.cat_file("/z2") == b"zz"


def test_one_byte_of_a_file_with_two_names(posix_base):
    staged = stage(posix_base)
    with closing(staged.posix.open_handle("/z2", 2)) as handle:
        handle.pwrite(b"Z", 1)
    assert staged.cat_file("/z") == b"zZ"
    staged.commit()
    assert posix_base.cat_file("/z") == posix_base.cat_file("/z2") == b"zZ"
    assert posix_base.info("/z")["ino"] == posix_base.info("/z2")["ino"]


# ---- the diff


@pytest.mark.parametrize("leads", [".", "./", "d/..", "../a/", "../a/."])
def test_attributes_by_way_of_a_link_to_a_directory(posix_base: AbstractFileSystem, leads: str) -> None:
    posix_base.posix.setxattr("/a", "user.t", b"1")
    posix_base.posix.symlink(leads, "/a/here")
    staged = stage(posix_base)
    assert staged.posix.readlink("/a/here") == leads
    assert staged.posix.listxattr("/a/here") == ["user.t"]
    staged.posix.setxattr("/a/here", "user.u", b"2")
    staged.commit()
    assert seen(posix_base) == seen(staged)
    assert posix_base.posix.getxattr("/a", "user.u") == b"2"


def test_the_diff_tells_each_kind(posix_base):
    staged = stage(posix_base)
    change(staged)
    found = staged.diff()
    assert [str(one) for one in found.renamed] == ["R /a -> /q/", "R /a/d/y -> /y"]
    assert [one.path for one in found.removed] == ["/empty", "/l", "/r", "/r/1", "/r/e", "/r/e/2"]
    assert [one.path for one in found.added] == ["/k2", "/n", "/n/e", "/n/e/w", "/q/d/y2", "/ql"]
    assert [one.path for one in found.modified] == ["/q/x", "/z", "/z2"]
    assert {one.path: one.attributes for one in found.attributes} == {"/k": ("mode", "xattrs")}
    assert str(found).endswith("6 added, 6 removed, 3 modified, 2 renamed, 1 with other attributes")
    assert "-zz\n" in staged.text_diff("/z")
    assert "+new!\n" in staged.text_diff("/z")


def test_what_was_put_back_is_no_difference(posix_base):
    staged = stage(posix_base)
    staged.mv("/a", "/b", recursive=True)
    staged.mv("/b", "/a", recursive=True)
    staged.posix.chmod("/k", 0o600)
    staged.posix.chmod("/k", 0o640)
    assert not staged.diff()


# ---- some of it


def test_a_commit_of_some_paths(posix_base):
    staged = stage(posix_base)
    change(staged)
    shown = seen(staged)
    done = staged.commit("/n/e")
    assert [one.path for one in done] == ["/n", "/n/e", "/n/e/w"]
    assert posix_base.cat_file("/n/e/w") == b"w"
    assert posix_base.cat_file("/a/x") == b"hello"
    assert [one.path for one in staged.commit(["/q/x"])] == ["/q", "/q/x"]
    assert posix_base.cat_file("/q/x") == b"Jello"
    assert posix_base.cat_file("/q/d/y") == b"world"
    assert seen(staged).keys() == shown.keys()
    staged.commit()
    assert {path: facts[4:] for path, facts in seen(posix_base).items()} == {
        path: facts[4:] for path, facts in shown.items()
    }
    assert not staged.diff()


def test_the_stage_goes_on_after_a_commit(posix_base):
    staged = stage(posix_base)
    for number in range(3):
        change(staged)
        staged.mv("/q", "/a", recursive=True)
        staged.commit()
        assert not staged.diff()
        assert seen(posix_base) == seen(staged)
        staged.rm([path for path in staged.ls("/", detail=False) if path != "/mem"], recursive=True)
        fill(staged)
        staged.pipe_file("/round", b"%d" % number)


# ---- stages on stages


def test_a_stage_of_a_stage(posix_base):
    before = seen(posix_base)
    outer = stage(posix_base)
    inner = outer.stage()
    change(inner)
    shown = seen(inner)
    assert seen(outer).keys() == before.keys()
    inner.commit()
    assert seen(outer) == shown
    assert seen(posix_base) == before
    outer.commit()
    assert seen(posix_base) == shown


# ---- somebody else


def test_the_second_of_two_writers_is_refused(base):
    first, second = stage(base), stage(base)
    for staged, text in ((first, b"first"), (second, b"second")):
        staged.pipe_file("/z", text)
        staged.pipe_file("/new", text)
    second.pipe_file("/only/second", b"2")
    first.commit()
    before = seen(base)
    with pytest.raises(StageConflict) as caught:
        second.commit()
    assert caught.value.errno == errno.ESTALE
    assert {"/new", "/z"} <= set(caught.value.paths)
    assert "/new" in str(caught.value)
    assert "/z" in str(caught.value)
    assert seen(base) == before
    assert second.cat_file("/z") == b"second"
    second.commit("/only")
    assert base.cat_file("/only/second") == b"2"
    assert second.cat_file("/new") == b"second"
    second.abort()
    assert second.cat_file("/z") == b"first"


OTHERS = {
    "changed": (lambda fs: fs.pipe_file("/a/x", b"theirs"), "/a/x", "was changed"),
    "removed": (lambda fs: fs.rm("/a/x"), "/a/x", "was removed"),
    "chmod": (lambda fs: fs.posix.chmod("/a/x", 0o600), "/a/x", "was changed"),
    "a name in a directory that goes": (lambda fs: fs.pipe_file("/r/theirs", b""), "/r/theirs", "appeared"),
    "a name that is taken": (lambda fs: fs.pipe_file("/mine", b""), "/mine", "appeared"),
    "the directory is gone": (lambda fs: fs.rm("/empty", recursive=True), "/empty", "was removed"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_conflicts(posix_base, what):
    staged = stage(posix_base)
    staged.find("/")
    staged.pipe_file("/a/x", b"mine")
    staged.rm("/r", recursive=True)
    staged.pipe_file("/mine", b"mine")
    staged.pipe_file("/empty/mine", b"mine")
    act, path, happened = OTHERS[what]
    act(posix_base)
    before = seen(posix_base)
    with pytest.raises(StageConflict) as caught:
        staged.commit()
    assert caught.value.conflicts == {path: happened}
    assert seen(posix_base) == before
    assert staged.cat_file("/a/x") == b"mine"


def test_what_nobody_changed_here_may_change_there(posix_base):
    staged = stage(posix_base)
    staged.find("/")
    staged.pipe_file("/a/x", b"mine")
    posix_base.pipe_file("/k", b"theirs")
    assert staged.cat_file("/k") == b"theirs"
    assert staged.size("/k") == 6
    staged.commit()
    assert (posix_base.cat_file("/a/x"), posix_base.cat_file("/k")) == (b"mine", b"theirs")


def test_what_was_read_before_somebody_changed_it(posix_base):
    """Read, changed by somebody else, changed here: that would lose an update."""
    staged = stage(posix_base)
    number = staged.cat_file("/z")
    posix_base.pipe_file("/z", b"theirs")
    staged.pipe_file("/z", number + b"+")
    with pytest.raises(StageConflict):
        staged.commit()


def test_a_part_of_a_file_that_changed_underneath_is_never_mixed(posix_base):
    staged = stage(posix_base)
    with closing(staged.posix.open_handle("/a/x", 2)) as handle:
        handle.pwrite(b"J", 0)
    posix_base.pipe_file("/a/x", b"other")
    with fails_with(errno.ESTALE, "/a/x"):
        staged.cat_file("/a/x")


# ---- when it fails


@pytest.mark.parametrize("allowed", range(0, 24, 3))
@pytest.mark.parametrize("kind", ["chukmem", "chuklocal"])
def test_a_commit_that_fails_half_way_is_taken_back(kind, allowed, tmp_path, monkeypatch):
    """The base refuses a change after so many: with transactions and without, everything is as it was."""
    base = POSIX[kind](tmp_path)
    fill(base)
    staged = stage(base)
    change(staged)
    before, shown = seen(base), seen(staged)
    left = [allowed]

    def refusing(original: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == -1:
                raise OSError(errno.ENOSPC, "No space left on device", arguments[-1])
            return original(*arguments, **options)

        return call

    posix = type(base.posix)
    with monkeypatch.context() as patch:
        for name in ("rename", "symlink", "link", "chmod", "utime", "setxattr", "open_handle"):
            patch.setattr(posix, name, refusing(getattr(posix, name)))
        error = answer(staged.commit)
    if isinstance(error, OSError):
        assert error.errno == errno.ENOSPC
        assert {path: facts for path, facts in seen(base).items() if path != "/"} == {
            path: facts for path, facts in before.items() if path != "/"
        }
        assert seen(staged) == shown
        staged.commit()
    assert seen(base) == shown


def test_what_could_not_be_taken_back_is_told(tmp_path, monkeypatch):
    base = LocalFileSystem(root=str(tmp_path))
    fill(base)
    staged = stage(base)
    staged.mv("/k", "/k2")
    staged.posix.symlink("k2", "/last")
    posix = type(base.posix)
    original = posix.rename

    def rename(self: Any, source: str, path: str, flags: int = 0) -> None:
        if path == "/k":
            raise OSError(errno.EIO, "Input/output error", path)
        original(self, source, path, flags)

    def symlink(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/last")

    monkeypatch.setattr(posix, "rename", rename)
    monkeypatch.setattr(posix, "symlink", symlink)
    with pytest.raises(CommitIncomplete) as caught:
        staged.commit()
    assert any(what.startswith("/k moved to") for what in caught.value.applied)
    assert caught.value.kept.startswith("/.chukstage-")
    assert base.isdir(caught.value.kept)


def test_the_diff_of_a_discarded_stage_is_empty():
    staged = stage(MemoryFileSystem("stage-over"))
    staged.close()
    with fails_with(errno.ESTALE):
        staged.ls("/")


def test_kinds_have_letters():
    assert [kind.value for kind in Kind] == ["A", "D", "M", "R", "P"]
    assert issubclass(CommitIncomplete, OSError)
    assert issubclass(StageFileSystem, AbstractFileSystem)


def test_stages_that_commit_at_once_lose_nothing(posix_base: AbstractFileSystem) -> None:
    """Each looks, changes and commits, and begins again when it is refused."""
    posix_base.pipe_file("/count", b"0")

    def count(_: int) -> None:
        done = 0
        while done < 5:
            with stage(posix_base) as staged:
                staged.pipe_file("/count", b"%d" % (int(staged.cat_file("/count")) + 1))
                with suppress(StageConflict):
                    staged.commit()
                    done += 1

    in_threads(4, count)
    assert posix_base.cat_file("/count") == b"20"


def test_an_equal_change_of_somebody_else_is_a_change(
    posix_base: AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes after the stage has looked at the base, and before it has compared the contents."""
    posix_base.pipe_file("/count", b"4")
    open_base = Base.open

    def written_before(base: Base, path: str) -> Any:
        posix_base.pipe_file("/count", b"5")
        return open_base(base, path)

    with stage(posix_base) as staged:
        staged.pipe_file("/count", b"%d" % (int(staged.cat_file("/count")) + 1))
        monkeypatch.setattr(Base, "open", written_before)
        with pytest.raises(StageConflict) as caught:
            staged.commit()
        assert caught.value.paths == ("/count",)


def test_directories_of_a_host_without_a_root_are_committed(tmp_path: Path) -> None:
    """Each mount has a place of its own for what is on its way; what goes from one to another is copied."""
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        (root / "deep").mkdir(parents=True)
        for name in ("changed", "gone", "moved", "crossing"):
            (root / "deep" / name).write_text(name)
    a, b = map(str, roots)
    base = MountedFileSystem({top: LocalFileSystem(root=top, durable=False) for top in (a, b)})
    with stage(base) as staged:
        for top, other in ((a, b), (b, a)):
            staged.pipe_file(f"{top}/deep/changed", b"otherwise")
            staged.rm_file(f"{top}/deep/gone")
            staged.mv(f"{top}/deep/moved", f"{top}/moved")
            staged.mv(f"{top}/deep/crossing", f"{other}/crossed")
            staged.pipe_file(f"{top}/new/file", b"new")
        expected = {path: staged.cat_file(path) for path in staged.find("/")}
        staged.commit()
        assert not staged.diff()
    assert {path: base.cat_file(path) for path in base.find("/")} == expected
    for root in roots:
        assert sorted(path.name for path in root.iterdir()) == ["crossed", "deep", "moved", "new"]
