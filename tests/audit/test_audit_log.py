"""The audit log by itself: what it holds, and how it may be opened."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chuk_fsspec.wrappers.audit import read_head, read_records, verify
from chuk_fsspec.wrappers.audit.log import AuditLog, LogOptions, open_log
from chuk_fsspec.wrappers.audit.record import START
from tests.audit.audit_logs import SUFFIXES, entry, operations, write_log


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"audit{request.param}"


# ---- the chain


def test_a_log_is_a_chain_that_other_tools_can_check(tmp_path: Path) -> None:
    write_log(tmp_path / "audit.jsonl", 9).close()
    previous = ""
    for number, line in enumerate((tmp_path / "audit.jsonl").read_bytes().splitlines()):
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
    with closing(sqlite3.connect(tmp_path / "audit.db")) as database:
        rows = database.execute("SELECT text FROM line ORDER BY sequence").fetchall()
    assert [sorted(json.loads(line)) for line in lines] == [sorted(json.loads(text)) for (text,) in rows]


def test_a_database_can_be_asked_by_sql(tmp_path: Path) -> None:
    write_log(tmp_path / "audit.db", 3).close()
    with closing(sqlite3.connect(tmp_path / "audit.db")) as database:
        asked = database.execute("SELECT sequence, path FROM record WHERE operation = 'pipe_file' AND path > '/f0'")
        assert asked.fetchall() == [(2, "/f1"), (3, "/f2")]


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
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE note (text)")
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
