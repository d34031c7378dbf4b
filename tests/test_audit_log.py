"""The audit log by itself: its chain, what verify finds, and what becomes of it when writers die."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.wrappers.audit import Head, Report, read_head, read_records, verify
from chuk_fsspec.wrappers.audit.guard import SUFFIX
from chuk_fsspec.wrappers.audit.log import AuditLog, LogOptions, open_log
from chuk_fsspec.wrappers.audit.record import GAP, LOST, REPAIR, START
from tests.audit_logs import SUFFIXES, entry, run_python, start_python, write_log

LINES = 9
"""Of the log that is tampered with."""


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"audit{request.param}"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "audit.jsonl"
    write_log(path, LINES - 1).close()
    return path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return copied(original, tmp_path)


def copied(original: Path, directory: Path) -> Path:
    for name in (original.name, original.name + SUFFIX):
        shutil.copy(original.with_name(name), directory / name)
    return directory / original.name


def problems(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


def operations(path: Path) -> list[str]:
    return [record.entry.operation for record in read_records(str(path))]


# ---- the chain


def test_a_log_is_a_chain_that_other_tools_can_check(original: Path) -> None:
    previous = ""
    for number, line in enumerate(original.read_bytes().splitlines()):
        record = json.loads(line)
        body = line.replace(b',"hash":"%s"' % record["hash"].encode(), b"")
        assert record["hash"] == hashlib.sha256(body).hexdigest()
        assert (record["sequence"], record["previous"]) == (number, previous)
        previous = record["hash"]


def test_what_was_written_verifies(path: Path) -> None:
    log = write_log(path, 20)
    report = verify(str(path))
    assert report.ok
    assert (report.records, report.notes) == (21, ())
    assert report.head == read_head(str(path))
    assert operations(path) == [START, *["pipe_file"] * 20]
    log.close()
    assert verify(str(path)) == report


def test_both_kinds_hold_the_same_lines(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        write_log(tmp_path / f"audit{suffix}", 3).close()
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    rows = sqlite3.connect(tmp_path / "audit.db").execute("SELECT text FROM line ORDER BY sequence").fetchall()
    assert [sorted(json.loads(line)) for line in lines] == [sorted(json.loads(text)) for (text,) in rows]


def test_a_database_can_be_asked_by_sql(tmp_path: Path) -> None:
    write_log(tmp_path / "audit.db", 3).close()
    with sqlite3.connect(tmp_path / "audit.db") as database:
        asked = database.execute("SELECT sequence, path FROM record WHERE operation = 'pipe_file' AND path > '/f0'")
        assert asked.fetchall() == [(2, "/f1"), (3, "/f2")]
    database.close()


def test_names_that_are_no_text_survive(path: Path) -> None:
    name = "/caf\udce9 \n\"'\\ \u20ac \U0001f600"
    write_log(path, 0).add([entry(path=name)])
    assert [record.entry.path for record in read_records(str(path))] == [None, name]
    assert verify(str(path)).ok


def test_a_log_goes_on_where_it_ended(path: Path) -> None:
    write_log(path, 2).close()
    write_log(path, 2).close()
    assert verify(str(path)).ok
    assert operations(path) == [START, *["pipe_file"] * 4]


def test_only_its_owner_may_read_it(path: Path) -> None:
    write_log(path, 1).close()
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


# ---- tampering


@st.composite
def edits(draw: st.DrawFn) -> tuple[int, Callable[[list[bytes]], list[bytes]]]:
    """A change of a log's lines, and the first line that it touches."""
    first = draw(st.integers(0, LINES - 1))
    second = draw(st.integers(0, LINES - 1).filter(lambda number: number != first))
    if draw(st.booleans()):
        position = draw(st.floats(0, 1, exclude_max=True))
        difference = draw(st.integers(1, 255))

        def change(lines: list[bytes]) -> list[bytes]:
            line = bytearray(lines[first])
            line[int(position * len(line))] ^= difference
            return [*lines[:first], bytes(line), *lines[first + 1 :]]

        return first, change
    choices: list[Callable[[list[bytes]], list[bytes]]] = [
        lambda lines: lines[:first] + lines[first + 1 :],
        lambda lines: lines[:first],
        lambda lines: [lines[{first: second, second: first}.get(number, number)] for number in range(LINES)],
        lambda lines: [*lines[:first], lines[second], *lines[first:]],
        lambda lines: [*lines[:first], b"\n", *lines[first:]],
        lambda lines: [*lines[:first], b'{"sequence":7}\n', *lines[first:]],
        lambda lines: [*lines[:first], lines[second], *lines[first + 1 :]],
    ]
    return min(first, second), draw(st.sampled_from(choices))


@given(edit=edits())
def test_any_edit_of_a_file_is_found(
    original: Path, tmp_path_factory: pytest.TempPathFactory, edit: tuple[int, Callable[[list[bytes]], list[bytes]]]
) -> None:
    path = copied(original, tmp_path_factory.mktemp("edited"))
    lines = path.read_bytes().splitlines(keepends=True)
    first, change = edit
    edited = change(lines)
    path.write_bytes(b"".join(edited))
    report = verify(str(path))
    assert not report.ok
    place = report.problems[0].place
    if place is None:
        assert len(edited) < LINES or edited[-1] != lines[-1]
    else:
        assert place.line >= first + 1


@given(edit=edits())
def test_any_edit_of_a_database_is_found(
    tmp_path_factory: pytest.TempPathFactory, edit: tuple[int, Callable[[list[bytes]], list[bytes]]]
) -> None:
    path = tmp_path_factory.mktemp("edited") / "audit.db"
    write_log(path, LINES - 1, reserve=0).close()
    database = sqlite3.connect(path, isolation_level=None)
    lines = [text.encode() for (text,) in database.execute("SELECT text FROM line ORDER BY sequence")]
    database.execute("DELETE FROM line")
    for number, line in enumerate(edit[1](lines)):
        database.execute("INSERT INTO line VALUES (?, ?)", (number, line.decode("utf-8", "replace")))
    database.close()
    assert not verify(str(path)).ok


def test_what_is_wrong_is_said_with_the_line(copy: Path) -> None:
    lines = copy.read_bytes().splitlines(keepends=True)
    for edited, says in [
        ([*lines[:3], lines[3].replace(b"/f2", b"/f7"), *lines[4:]], ["line 4: it was changed"]),
        ([*lines[:3], *lines[6:]], ["line 4: 3 records before it are missing"]),
        (
            [*lines[:2], lines[3], lines[2], *lines[4:]],
            ["line 3: 1 records", "line 4: it is number 2 and", "line 5: 1"],
        ),
        ([*lines[:2], b"hello\n", *lines[2:]], ["line 3: it is no record"]),
        (lines[2:], ["line 1: 2 records before it are missing", "line 1: the beginning is missing"]),
        (lines[:-2], ["the end was cut off: the guard beside the log says"]),
        ([], ["there is no record", "the end was cut off"]),
    ]:
        copy.write_bytes(b"".join(edited))
        found = problems(verify(str(copy)))
        assert [text[: len(said)] for text, said in zip(found, says, strict=True)] == says


def test_a_log_that_was_chained_anew_is_told_by_a_head_kept_elsewhere(copy: Path) -> None:
    kept = read_head(str(copy))
    copy.unlink()
    copy.with_name(copy.name + SUFFIX).unlink()
    write_log(copy, LINES + 3).close()
    assert verify(str(copy)).ok
    for expect in (str(kept), kept):
        report = verify(str(copy), expect=expect)
        assert problems(report) == [
            f"line {LINES}: it is not the record {LINES - 1} of which the head that was kept knows"
        ]
    later = Head(LINES + 7, kept.hash)
    assert "the end was cut off: the head that was kept says" in problems(verify(str(copy), expect=later))[0]


def test_a_head_kept_elsewhere_stays_true_while_the_log_grows(copy: Path) -> None:
    kept = read_head(str(copy))
    write_log(copy, 4).close()
    assert verify(str(copy), expect=kept).ok
    for text in ("", "9", "9:", f"x:{kept.hash}", f"-1:{kept.hash}", f"{kept}0"):
        with pytest.raises(ValueError, match="head of an audit log"):
            Head.parse(text)


def test_a_cut_end_stays_on_record_when_writing_goes_on(copy: Path) -> None:
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(lines[:-2]))
    write_log(copy, 2).close()
    assert operations(copy)[-3:] == [GAP, "pipe_file", "pipe_file"]
    report = verify(str(copy))
    assert problems(report)[0].startswith(f"line {LINES - 1}: when this was written, the records before it")
    assert report.problem_count == 1
    assert report.head == Head(LINES + 2, read_head(str(copy)).hash)


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_guard_that_was_tampered_with_stays_on_record(copy: Path, damage: str) -> None:
    guard = copy.with_name(copy.name + SUFFIX)
    if damage == "missing":
        guard.unlink()
        report = verify(str(copy))
        assert report.ok
        assert "records cut off its end would not show" in report.notes[0]
    else:
        guard.write_bytes(guard.read_bytes().replace(b'"sequence":', b'"sequence":1', 1))
        assert "the anchor in the guard" in problems(verify(str(copy)))[0]
    write_log(copy, 1).close()
    assert GAP in operations(copy)
    assert not verify(str(copy)).ok


def test_a_guard_that_was_removed_is_made_again(path: Path) -> None:
    log = write_log(path, 1)
    guard = path.with_name(path.name + SUFFIX)
    guard.unlink()
    for number in range(2):
        log.check_ready()
        log.add([entry(number)])
    assert guard.stat().st_size > 256
    assert verify(str(path)).ok
    assert verify(str(path)).notes == ()


def test_a_log_that_was_removed_does_not_begin_again_from_nothing(path: Path) -> None:
    log = write_log(path, 4)
    path.unlink()
    log.add([entry()])
    report = verify(str(path))
    assert problems(report)[0].endswith(": 5 records before it are missing")
    assert report.head is not None
    assert report.head.sequence == 6


# ---- keys


def test_who_has_no_key_can_neither_chain_anew_nor_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "secret")
    write_log(path, 3, key_env="AUDIT_KEY").close()
    assert verify(str(path), key_env="AUDIT_KEY").ok
    with pytest.raises(ValueError, match="sealed with a key"):
        verify(str(path))
    with pytest.raises(ValueError, match="begun with a key"):
        write_log(path, 1)
    monkeypatch.setenv("OTHER_KEY", "guess")
    assert verify(str(path), key_env="OTHER_KEY").problem_count >= 4
    with pytest.raises(ValueError, match="key does not fit"):
        write_log(path, 1, key_env="OTHER_KEY")
    with pytest.raises(ValueError, match="set the environment variable NO_KEY"):
        verify(str(path), key_env="NO_KEY")
    assert b"secret" not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_an_unsealed_log_is_no_substitute_for_a_sealed_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "secret")
    write_log(path, 3).close()
    assert not verify(str(path), key_env="AUDIT_KEY").ok
    with pytest.raises(ValueError, match="begun without a key"):
        write_log(path, 1, key_env="AUDIT_KEY")


# ---- writers that die


def test_a_torn_line_is_closed_off_and_said(copy: Path) -> None:
    with copy.open("ab") as file:
        file.write(b'{"sequence":9,"time":"2026')
    report = verify(str(copy))
    assert report.ok
    assert "it is torn: its writer died" in report.notes[0]
    write_log(copy, 1).close()
    assert operations(copy)[-2:] == [REPAIR, "pipe_file"]
    report = verify(str(copy))
    assert report.ok
    assert f"line {LINES + 1}: it is torn: its writer died, which line {LINES + 2} says" in report.notes


def test_a_torn_line_that_was_changed_is_no_torn_line(copy: Path) -> None:
    with copy.open("ab") as file:
        file.write(b'{"sequence":9')
    write_log(copy, 1).close()
    copy.write_bytes(copy.read_bytes().replace(b'{"sequence":9\n', b'{"sequence":8\n'))
    assert problems(verify(str(copy))) == [f"line {LINES + 1}: it is no record"]


def test_a_record_that_was_cut_is_no_torn_line(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-10])
    assert not verify(str(copy)).ok
    write_log(copy, 1).close()
    assert not verify(str(copy)).ok


def test_a_last_line_that_lacks_only_its_end_is_kept(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-1])
    write_log(copy, 1).close()
    assert verify(str(copy)).ok
    assert verify(str(copy)).records == LINES + 1


@pytest.mark.parametrize("beginning", [b"", b"{", b'{"sequence":0,"time":"20'])
def test_a_log_that_never_got_its_first_record_begins_anew(tmp_path: Path, beginning: bytes) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(beginning)
    write_log(path, 1).close()
    assert verify(str(path)).ok
    assert operations(path) == [START, "pipe_file"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_killed_writer_leaves_a_log_that_verifies(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"audit{suffix}"
    code = """
        import sys
        from tests.audit_logs import entry, write_log
        log = write_log(__import__("pathlib").Path(sys.argv[1]), 1)
        print("ready", flush=True)
        while True:
            log.add([entry(), entry()])
    """
    for moment in range(5):
        process = start_python(code, str(path))
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 * moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert verify(str(path)).ok
    write_log(path, 1).close()
    report = verify(str(path))
    assert report.ok
    assert report.records > 10


# ---- several writers


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_processes_and_threads_extend_one_chain(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"audit{suffix}"
    code = """
        import sys, threading
        from pathlib import Path
        from tests.audit_logs import entry, write_log
        log = write_log(Path(sys.argv[1]), 0, rotate_at=int(sys.argv[2]))
        def work():
            for number in range(50):
                log.add([entry(number), entry(number)] if number % 5 else [entry(number)])
        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    """
    rotate_at = "20000" if suffix == ".jsonl" else "0"
    processes = [start_python(code, str(path), rotate_at) for _ in range(2)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    report = verify(str(path))
    assert problems(report) == []
    assert operations(path).count("pipe_file") == 2 * 4 * (40 * 2 + 10)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_parent_and_child_extend_one_chain_after_a_fork(tmp_path: Path, suffix: str) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from tests.audit_logs import entry, write_log
        log = write_log(Path(sys.argv[1]), 3)
        children = [os.fork() for _ in range(2)]
        for number in range(100):
            log.add([entry(number)])
        if 0 in children:
            os._exit(0)
        print(sorted(os.waitpid(child, 0)[1] for child in children))
    """
    path = tmp_path / f"audit{suffix}"
    assert run_python(code, str(path)) == "[0, 0]\n"
    assert problems(verify(str(path))) == []
    assert operations(path).count("pipe_file") == 3 + 4 * 100


def test_verify_can_look_while_others_write(path: Path) -> None:
    log = write_log(path, 1)
    ends = threading.Event()

    def write() -> None:
        while not ends.is_set():
            log.add([entry(), entry(), entry()])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        reports = [verify(str(path))]
        while len(reports) < 10 or reports[-1].records == reports[0].records:
            reports.append(verify(str(path)))
    finally:
        ends.set()
        thread.join()
    assert not any(problems(report) for report in reports)


def test_a_record_may_be_made_while_another_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Garbage collection, or a signal, may close a file at any moment."""
    log = write_log(path, 1)
    append = type(log._sink).append
    nested = [entry(7), entry(8)]

    def interrupted(sink: Any, lines: Any) -> int:
        if nested:
            log.check_ready()
            log.add([nested.pop()])
        return append(sink, lines)

    monkeypatch.setattr(type(log._sink), "append", interrupted)
    log.add([entry(2)])
    assert [record.entry.path for record in read_records(str(path))][1:] == ["/f0", "/f2", "/f8", "/f7"]
    assert verify(str(path)).ok


def test_a_program_may_record_to_its_very_end(path: Path) -> None:
    code = """
        import atexit, sys
        from pathlib import Path
        def last():
            log.check_ready()
            log.add([entry(1)])
            print("done")
        atexit.register(last)
        from tests.audit_logs import entry, write_log
        log = write_log(Path(sys.argv[1]), 1, sync="batch")
    """
    assert run_python(code, str(path)) == "done\n"
    assert operations(path) == [START, "pipe_file", "pipe_file"]
    assert verify(str(path)).ok


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
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)  # a test that failed may have left its log open


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
def test_a_full_disk_refuses_before_and_keeps_what_was_done(small_disk: Path, suffix: str) -> None:
    log = write_log(small_disk / f"audit{suffix}", 0)
    done, refusal = write_until_refused(log)
    assert refusal.errno == errno.ENOSPC
    assert "nothing was done" in str(refusal)
    assert str(small_disk) not in str(refusal)
    report = verify(log.path)
    assert problems(report) == []
    assert operations(Path(log.path)).count("pipe_file") == done
    log.close()


def test_operations_go_on_once_there_is_room_again(small_disk: Path) -> None:
    log = write_log(small_disk / "audit.jsonl", 0)
    filler = fill(small_disk)
    write_until_refused(log)
    filler.unlink()
    log.check_ready()
    log.add([entry()])
    assert problems(verify(log.path)) == []
    log.close()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_went_unrecorded_is_counted_in_the_log(
    small_disk: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = write_log(small_disk / f"audit{suffix}", 0, on_error="continue", reserve=0)
    filler = fill(small_disk)
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
        from tests.audit_logs import entry, write_log
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


# ---- what it costs


def test_a_record_costs_the_same_in_a_long_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No record reads the log: the calls that touch the file are counted, not timed."""
    log = write_log(path, 10)
    counted = {"read": 0}
    read = os.read

    def counting(fd: int, size: int) -> bytes:
        counted["read"] += 1
        return read(fd, size)

    monkeypatch.setattr(os, "read", counting)
    for number in range(200):
        log.add([entry(number)])
    assert counted["read"] == 0


@pytest.mark.parametrize("sync", ["none", "batch", "each"])
def test_how_records_reach_the_disk(path: Path, sync: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[None] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(fsync(fd)))
    log = write_log(path, 5, sync=sync)
    if path.suffix == ".jsonl":
        assert len(synced) == (5 if sync == "each" else 0)
    log.close()
    assert verify(str(path)).ok


# ---- arguments


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("audit.txt", {}, "must end in .jsonl"),
        ("audit.jsonl", {"sync": "often"}, "sync must be one of"),
        ("audit.jsonl", {"on_error": "hope"}, "on_error must be"),
        ("audit.jsonl", {"rotate_at": -1}, "rotate_at must be"),
        ("audit.jsonl", {"reserve": -1}, "reserve must be"),
        ("audit.db", {"rotate_at": 10}, "a database is not rotated"),
        ("audit.db", {"key_env": "NO_SUCH_KEY"}, "set the environment variable NO_SUCH_KEY"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, name: str, options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write_log(tmp_path / name, 0, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"hello", b"hello\nworld\n", b'{"json": 1}\n', bytes(5000)])
def test_other_files_are_left_alone(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"notes{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no audit log"):
        write_log(path, 0)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_others_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE note (text)")
    database.close()
    with pytest.raises(ValueError, match="is no audit log"):
        write_log(path, 0)
    with pytest.raises(ValueError, match="no audit log"):
        verify(str(path))


def test_one_process_writes_a_log_in_one_way(path: Path) -> None:
    log = write_log(path, 1)
    assert open_log(str(path), LogOptions()) is log
    link = path.with_name(f"link{path.suffix}")
    link.symlink_to(path)
    assert open_log(str(link), LogOptions()) is log
    with pytest.raises(ValueError, match="sync: this process has this log open with 'none'"):
        open_log(str(path), LogOptions(sync="each"))


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_log(tmp_path / "none" / "audit.jsonl", 0)
    with pytest.raises(FileNotFoundError):
        verify(str(tmp_path / "audit.jsonl"))
    with pytest.raises(FileNotFoundError):
        verify(str(tmp_path / "audit.db"))


def test_a_log_without_owner_is_closed(tmp_path: Path) -> None:
    log: AuditLog | None = write_log(tmp_path / "audit.db", 1)
    del log
    assert sorted(file.name for file in tmp_path.iterdir()) == ["audit.db", "audit.db.guard"]
