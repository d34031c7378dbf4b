"""Audit logs that are full, and disks that are."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_fsspec.wrappers.audit import read_records, verify
from chuk_fsspec.wrappers.audit.log import AuditLog
from chuk_fsspec.wrappers.audit.record import LOST, REPAIR, START
from tests.audit.audit_logs import SUFFIXES, entry, operations, problems, run_python, write_log
from tests.disks import small_disk

# ---- files that are full


def test_a_full_file_is_put_aside_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 30, rotate_at=4000).close()
    write_log(path, 30, rotate_at=4000).close()
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names[:3] == ["audit.000001.jsonl", "audit.000002.jsonl", "audit.000003.jsonl"]
    assert all(file.stat().st_size < 4600 for file in tmp_path.glob("*.jsonl"))
    report = verify(str(path))
    assert problems(report) == []
    assert operations(path).count("pipe_file") == 60

    (tmp_path / "audit.000001.jsonl").unlink()
    report = verify(str(path))
    assert "audit.000002.jsonl line 1: " in problems(report)[0]
    assert verify(str(path), partial=True).ok
    (tmp_path / "audit.000003.jsonl").unlink()
    assert not verify(str(path), partial=True).ok


def test_a_writer_that_died_between_two_files_is_followed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    write_log(path, 5).close()
    path.rename(tmp_path / "audit.000001.jsonl")
    write_log(path, 1).close()
    assert verify(str(path)).ok
    assert operations(path).count(START) == 2


# ---- disks that are full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    with small_disk(tmp_path / "disk", "1m") as point:
        yield point


def fill(place: Path) -> Path:
    """A file that takes all the room that is left."""
    filler = place / "filler"
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(fd, bytes(4096))
    except OSError:
        os.close(fd)
    return filler


def write_until_refused(log: AuditLog) -> tuple[int, OSError]:
    """How many operations were done and recorded, and why the next one was refused before it was done."""
    for number in itertools.count():
        try:
            log.check_ready()
        except OSError as error:
            return number, error
        log.add([entry(number)])
    raise AssertionError


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_refuses_before_and_keeps_what_was_done(disk: Path, suffix: str) -> None:
    log = write_log(disk / f"audit{suffix}", 0)
    done, refusal = write_until_refused(log)
    assert refusal.errno == errno.ENOSPC
    assert "nothing was done" in str(refusal)
    assert str(disk) not in str(refusal)
    report = verify(log.path)
    assert problems(report) == []
    assert operations(Path(log.path)).count("pipe_file") == done
    log.close()


def test_operations_go_on_once_there_is_room_again(disk: Path) -> None:
    log = write_log(disk / "audit.jsonl", 0)
    filler = fill(disk)
    write_until_refused(log)
    filler.unlink()
    log.check_ready()
    log.add([entry()])
    assert problems(verify(log.path)) == []
    log.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_went_unrecorded_is_counted_in_the_log(disk: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    log = write_log(disk / f"audit{suffix}", 0, on_error="continue", reserve=0)
    filler = fill(disk)
    for number in range(100):
        log.check_ready()
        log.add([entry(number)])
    assert "operations went unrecorded" in caplog.text
    filler.unlink()
    log.add([entry()])
    recorded = list(read_records(log.path))
    [lost] = [record.entry.detail["operations"] for record in recorded if record.entry.operation == LOST]
    assert lost == 101 - operations(Path(log.path)).count("pipe_file")
    assert verify(log.path).ok
    assert verify(log.path).notes
    log.close()


def test_a_file_that_may_not_grow_refuses_what_comes_after(tmp_path: Path) -> None:
    code = """
        import resource, sys
        from pathlib import Path
        from tests.audit.audit_logs import entry, write_log
        log = write_log(Path(sys.argv[1]), 1, reserve=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        said = []
        for number in range(100):
            try:
                log.check_ready()
            except OSError as error:
                said.append(f"refused {error.strerror}")
                continue
            try:
                log.add([entry(number)])
            except OSError as error:
                said.append(f"unrecorded {error.strerror}")
        print(len(said), *said[:2], sep=";")
    """
    path = tmp_path / "audit.jsonl"
    number, first, second = run_python(code, str(path)).strip().split(";")
    assert first.startswith("unrecorded File too large: the operation was carried out")
    assert second.startswith("refused File too large: nothing was done")
    assert int(number) > 90
    write_log(path, 1, reserve=0).close()
    report = verify(str(path))
    assert problems(report) == []
    assert REPAIR in operations(path)
