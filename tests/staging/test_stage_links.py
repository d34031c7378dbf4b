"""Names of one file that a stage meets one after the other, in directories that it looks into at different times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec import stage
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.staging.stage_bases import POSIX, seen


@pytest.fixture
def base(chukmem: MemoryFileSystem) -> MemoryFileSystem:
    chukmem.pipe_file("/d/f", b"1")
    chukmem.posix.link("/d/f", "/f")
    return chukmem


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_they_stay_names_of_one_file(base: MemoryFileSystem, stages: int) -> None:
    staged = base
    for _ in range(stages):
        staged = stage(staged)
    assert seen(staged) == seen(base)
    staged.pipe_file("/d/f", b"22")
    assert staged.cat_file("/f") == b"22"


@pytest.mark.parametrize("stages", [1, 2])
def test_a_first_look_that_is_undone(base: MemoryFileSystem, stages: int) -> None:
    staged = base
    for _ in range(stages):
        staged = stage(staged)
    staged.start_transaction()
    staged.rm("/f")
    staged.transaction.complete(commit=False)
    assert seen(staged) == seen(base)


def test_a_number_that_is_given_to_another_file(base: MemoryFileSystem) -> None:
    """Under two names at once, between the two looks of the stage."""
    base.rm(["/d/f", "/f"])
    base.pipe({"/once": b"once"})
    staged = stage(base)
    assert staged.ls("/", detail=False) == ["/d", "/once"]
    base.mv("/once", "/d/once")
    base.posix.link("/d/once", "/d/twice")
    base.pipe_file("/d/once", b"other content")
    assert staged.cat_file("/d/twice") == b"other content"


def edit(staged: AbstractFileSystem) -> None:
    with staged.posix.open_handle("/d/f", 2) as handle:
        handle.pwrite(b"J", 0)


CHANGES = {
    "replaced": lambda staged: staged.pipe_file("/d/f", b"22"),
    "changed in place": edit,
    "moved": lambda staged: staged.mv("/d/f", "/d/h"),
    "chmod": lambda staged: staged.posix.chmod("/d/f", 0o600),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("make", POSIX.values(), ids=POSIX)
def test_a_name_that_is_met_after_a_commit(
    make: Callable[[Path], AbstractFileSystem], change: Callable[[AbstractFileSystem], None], tmp_path: Path
) -> None:
    base = make(tmp_path)
    base.pipe_file("/d/f", b"1")
    base.mkdir("/e")
    base.posix.link("/d/f", "/e/g")
    staged = stage(base)
    assert staged.ls("/d", detail=False) == ["/d/f"]
    change(staged)
    staged.commit()
    assert seen(staged) == seen(base)
    staged.pipe_file("/e/g", b"333")
    staged.commit()
    assert seen(staged) == seen(base)
    assert {base.cat_file(path) for path in base.find("/")} == {b"333"}
