"""``if_match`` and ``if_none_match`` in a stage, of files that are still the base's."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.testing.conditional import etag_of, refused
from chuk_fsspec.wrappers.staging import StageConflict, StageFileSystem, stage
from tests.staging.stage_bases import ALL, POSIX, fill


@pytest.fixture(params=POSIX)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractFileSystem:
    fs = POSIX[request.param](tmp_path)
    fill(fs)
    return fs


def _appended(staged: StageFileSystem, etag: str) -> None:
    with staged.open("/a/x", "ab", if_match=etag) as file:
        file.write(b"!")


def _edited(staged: StageFileSystem, etag: str) -> None:
    with staged.open("/a/x", "r+b", if_match=etag) as file:
        file.write(b"J")


CHANGES: dict[str, Callable[[StageFileSystem, str], object]] = {
    "pipe_file": lambda staged, etag: staged.pipe_file("/a/x", b"new", if_match=etag),
    "touch": lambda staged, etag: staged.touch("/a/x", if_match=etag),
    "open for appending": _appended,
    "open for editing": _edited,
    "rm_file": lambda staged, etag: staged.rm_file("/a/x", if_match=etag),
    "mv": lambda staged, etag: staged.mv("/a/x", "/moved", if_match=etag),
    "mv over it": lambda staged, etag: staged.mv("/k", "/a/x", if_target_match=etag),
    "cp_file": lambda staged, etag: staged.cp_file("/a/x", "/copy", if_source_match=etag),
    "cp_file over it": lambda staged, etag: staged.cp_file("/k", "/a/x", if_match=etag),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_etag_that_was_seen(base: AbstractFileSystem, change: str) -> None:
    staged = stage(base)
    CHANGES[change](staged, etag_of(staged, "/a/x"))
    assert staged.diff()
    assert base.cat_file("/a/x") == b"hello"


@pytest.mark.parametrize("change", CHANGES)
def test_the_base_was_changed_since(base: AbstractFileSystem, change: str) -> None:
    staged = stage(base)
    etag = etag_of(staged, "/a/x")
    base.pipe_file("/a/x", b"their")
    with pytest.raises(PreconditionFailed):
        CHANGES[change](staged, etag)
    assert not staged.diff()
    assert staged.cat_file("/a/x") == b"their"
    CHANGES[change](staged, etag_of(staged, "/a/x"))


def test_reading_looking_and_copying_leave_an_etag_as_it_is(base: AbstractFileSystem) -> None:
    staged = stage(base)
    etag = etag_of(staged, "/a/x")
    assert staged.cat_file("/a/x") == b"hello"
    staged.posix.chmod("/a/x", 0o600)
    copied = staged.cp_file("/a/x", "/copy", if_source_match=etag, if_none_match="*")
    assert (copied, staged.cat_file("/copy")) == (etag_of(staged, "/copy"), b"hello")
    assert stat.S_IMODE(staged.posix.stat("/copy").st_mode) == 0o600
    staged.mv("/a", "/b", recursive=True)
    staged.diff()
    staged.commit("/b")
    assert etag_of(staged, "/b/x") == etag
    staged.pipe_file("/b/x", b"new", if_match=etag)


def test_etags_are_those_of_the_stage(base: AbstractFileSystem) -> None:
    """What is written there has a new one, whatever the base has; and the base's own are no others by that."""
    staged = stage(base)
    below, above = etag_of(base, "/k"), etag_of(staged, "/k")
    told = staged.pipe_file("/k", b"new", if_match=above)
    assert told == etag_of(staged, "/k") != above
    with refused("/k", above, told):
        staged.pipe_file("/k", b"late", if_match=above)
    assert etag_of(base, "/k") == below
    staged.commit()
    assert etag_of(staged, "/k") == told
    assert etag_of(base, "/k") != below


def test_an_update_in_the_stage_begins_again_when_the_base_changes(base: AbstractFileSystem) -> None:
    base.pipe_file("/k", b"1")
    staged = stage(base)
    etag = etag_of(staged, "/k")
    base.pipe_file("/k", b"2")
    with pytest.raises(PreconditionFailed):
        staged.pipe_file("/k", b"%d" % (int(staged.cat_file("/k")) + 1), if_match=etag)
    etag = etag_of(staged, "/k")
    staged.pipe_file("/k", b"%d" % (int(staged.cat_file("/k")) + 1), if_match=etag)
    staged.commit()
    assert base.cat_file("/k") == b"3"


def test_a_condition_that_was_met_is_no_promise_of_the_base(base: AbstractFileSystem) -> None:
    """Between the write in the stage and the commit the base may change: the commit tells."""
    staged = stage(base)
    staged.pipe_file("/k", b"mine", if_match=etag_of(staged, "/k"))
    base.pipe_file("/k", b"theirs")
    with pytest.raises(StageConflict) as caught:
        staged.commit()
    assert caught.value.conflicts == {"/k": "was changed"}
    assert base.cat_file("/k") == b"theirs"


def test_in_a_transaction(base: AbstractFileSystem) -> None:
    staged = stage(base)
    etag = etag_of(staged, "/k")

    def block() -> None:
        with staged.transaction:
            staged.pipe_file("/new", b"1")
            staged.pipe_file("/k", b"mine", if_match=etag)
            base.pipe_file("/k", b"theirs")
            assert staged.cat_file("/k") == b"theirs"

    with pytest.raises(PreconditionFailed):
        block()
    assert not staged.diff()


def test_a_base_that_keeps_no_conditions(tmp_path: Path) -> None:
    assert not stage(ALL["fsspec's memory"](tmp_path)).capabilities.conditional_write
