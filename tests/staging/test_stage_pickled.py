"""Stages that are pickled: those in memory lead back to their process, those in a file go along."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.wrappers.staging import StageFileSystem
from tests.processes import python


@pytest.fixture
def base(tmp_path: Path) -> SqliteFileSystem:
    return SqliteFileSystem(database=str(tmp_path / "base.db"))


@pytest.fixture(params=["of an object", "of options"])
def staged(request: pytest.FixtureRequest, base: SqliteFileSystem) -> StageFileSystem:
    if request.param == "of an object":
        staged = base.stage()
    else:
        staged = fsspec.filesystem("chukstage", target_protocol="chuksqlite", target_options=base.storage_options)
    staged.pipe_file("/f", b"staged")
    return staged


def in_new_process(code: str, *arguments: str) -> list[str]:
    command = python(f"import pickle, sys\nfs = pickle.loads(bytes.fromhex(sys.argv[1]))\n{code}", *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("follows", [True, False])
def test_a_pickle_leads_back_to_the_stage(staged: StageFileSystem, follows: bool) -> None:
    view = staged if follows else staged.posix.nofollow
    again = pickle.loads(pickle.dumps(view))
    assert again == view
    assert again.cat_file("/f") == b"staged"
    again.pipe_file("/g", b"1")
    assert str(staged.diff()) == str(again.diff())
    assert pickle.loads(pickle.dumps(again)).posix.nofollow.find("/") == ["/f", "/g"]


def test_two_stages_of_one_filesystem_are_not_equal(base: SqliteFileSystem) -> None:
    assert base.stage() != base.stage()


def test_the_pickle_of_a_stage_that_has_ended_has_ended(base: SqliteFileSystem) -> None:
    with base.stage() as staged:
        pickled = pickle.dumps(staged)
    with fails_with(errno.ESTALE):
        pickle.loads(pickled).ls("/")


def test_in_another_process_it_says_where_the_changes_are(staged: StageFileSystem) -> None:
    code = """
for again in (fs, pickle.loads(pickle.dumps(fs))):
    for act in (
        lambda: again.cat_file("/f"), lambda: again.find("/"), lambda: again.exists("/f"), again.diff, again.commit,
        lambda: again.pipe_file("/g", b""), lambda: again.open("/g", "wb"), lambda: again.posix.nodes,
        lambda: again.posix.nofollow,
    ):
        try:
            print("no error:", act())
        except OSError as error:
            print(error.errno, error)
print(pickle.dumps(fs).hex())
"""
    *lines, returned = in_new_process(code, pickle.dumps(staged).hex())
    assert len(lines) == 18
    for line in lines:
        assert line.startswith(f"{errno.ENXIO} "), line
        assert f"process {os.getpid()} " in line
        assert "upper=" in line
    assert pickle.loads(bytes.fromhex(returned)).cat_file("/f") == b"staged"


def test_one_over_files_in_memory_is_refused_when_it_is_used(chukmem: MemoryFileSystem) -> None:
    """A pool of processes waits for ever for what cannot even be unpickled."""
    code = "try: fs.ls('/')\nexcept OSError as error: print(error.errno)"
    assert in_new_process(code, pickle.dumps(chukmem.stage()).hex()) == [str(errno.ENXIO)]


def test_one_in_a_file_goes_along(base: SqliteFileSystem, tmp_path: Path) -> None:
    staged = base.stage(upper=str(tmp_path / "upper.db"))
    staged.pipe_file("/f", b"staged")
    code = "fs.pipe_file('/g', fs.cat_file('/f'))"
    in_new_process(code, pickle.dumps(staged).hex())
    assert pickle.loads(pickle.dumps(staged)).cat_file("/g") == b"staged"
    assert not base.exists("/f")
