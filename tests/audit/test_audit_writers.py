"""Audit logs whose writers die, and logs with several writers."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.wrappers.audit import read_records, verify
from chuk_fsspec.wrappers.audit.record import REPAIR, START
from tests.audit.audit_logs import LINES, SUFFIXES, entry, operations, problems, run_python, start_python, write_log

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
        from tests.audit.audit_logs import entry, write_log
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
        from tests.audit.audit_logs import entry, write_log
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
        from tests.audit.audit_logs import entry, write_log
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


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_child_writes_on_when_its_parent_has_closed_the_log(tmp_path: Path, suffix: str) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from tests.audit.audit_logs import entry, write_log
        log = write_log(Path(sys.argv[1]), 3)
        parent = os.getpid()
        end, begin = os.pipe()
        if os.fork() == 0:
            log.add([entry()])
            os.write(begin, b"x")
            while os.getppid() == parent:
                log.add([entry()])
            for _ in range(100):
                log.add([entry()])
            os._exit(0)
        os.read(end, 1)
    """
    path = tmp_path / f"audit{suffix}"
    run_python(code, str(path))
    assert problems(verify(str(path))) == []
    assert len(operations(path)) >= 1 + 3 + 101


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
        from tests.audit.audit_logs import entry, write_log
        log = write_log(Path(sys.argv[1]), 1, sync="batch")
    """
    assert run_python(code, str(path)) == "done\n"
    assert operations(path) == [START, "pipe_file", "pipe_file"]
    assert verify(str(path)).ok
