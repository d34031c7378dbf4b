"""What ``chukaudit`` records of each operation."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Kind, Operation
from chuk_fsspec.wrappers.audit import AuditFileSystem, audit_context, verify
from chuk_fsspec.wrappers.audit.context import process_session, user_name
from chuk_fsspec.wrappers.audit.describe import NEVER, name_of
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.audit.audit_logs import Make, entries, said
from tests.wrappers.test_wrapper_closed import DenyingFileSystem, call

# ---- every operation


SILENT = {*NEVER, "get_mapper", "expand_path"}
"""Names that hand something out, or compute something, and ask nothing of the filesystem."""
ROWS = [
    row
    for table in (FSSPEC, POSIX)
    for row in table.values()
    if row.kind is not Kind.IDENTITY and row.name not in SILENT
]


SPECIAL: dict[str, Callable[[AuditFileSystem], object]] = {
    "mv": lambda fs: fs._forward(FSSPEC["mv"], "/d/f", "/g"),  # else it looks for its target first
    "pipe": lambda fs: fs.pipe({"/d/f": b"1", "/g": b"2"}),
    "write_text": lambda fs: fs.write_text("/d/f", "text"),
}


def ask(fs: AuditFileSystem, row: Operation, tmp_path: Path) -> None:
    if row.name in SPECIAL:
        SPECIAL[row.name](fs)
    else:
        call(fs.posix if row.posix else fs, row, tmp_path)


def is_refused(row: Operation) -> bool:
    """Whether it is refused as what it is, and not in steps of others."""
    return row.kind is Kind.KERNEL and row.name not in ("invalidate_cache", "end_transaction")


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_operation_is_on_record(row: Operation, fs: AuditFileSystem, tmp_path: Path) -> None:
    before = len(entries(fs))
    if row.name == "end_transaction":
        fs.start_transaction()
    with suppress(OSError, NotImplementedError):
        ask(fs, row, tmp_path)
    found = entries(fs)[before:]
    assert found
    if row.kind is Kind.KERNEL:
        [entry] = [entry for entry in found if entry.operation == name_of(row)]
        assert entry.effect == row.effect.value
        second = "/g" if row.name == "mv" else "/d/f"
        assert (entry.path, entry.path2) == ("/d/f" if row.paths else None, second if row.paths[1:] else None)
        assert entry.decision in ("allowed", "failed")
        assert bool(entry.error) == (entry.decision == "failed")


@pytest.mark.parametrize("row", [row for row in ROWS if is_refused(row)], ids=name_of)
def test_every_refusal_is_on_record(row: Operation, chukmem: MemoryFileSystem, make: Make, tmp_path: Path) -> None:
    fs = make(fs=DenyingFileSystem(chukmem), effects=[])
    with pytest.raises(PermissionError):
        ask(fs, row, tmp_path)
    entry = entries(fs)[-1]
    assert (entry.operation, entry.decision, entry.error) == (name_of(row), "refused", "EACCES")
    assert entry.effect == row.effect.value


def test_a_record_says_who_what_and_how(fs: AuditFileSystem) -> None:
    fs.pipe_file("/d/f", b"12345")
    fs.pipe_file("/d/f", b"123")
    first, second = entries(fs)
    assert first.actor == user_name()
    assert first.session == process_session()
    assert (first.operation, first.effect, first.path, first.decision) == ("pipe_file", "write", "/d/f", "allowed")
    assert (first.etag_before, first.bytes_written, second.bytes_written) == (None, 5, 3)
    assert first.etag_after == second.etag_before != second.etag_after == fs.info("/d/f")["etag"]
    assert len(first.time) == 27
    assert 0 < first.duration < 60


def test_content_and_host_paths_are_not_on_record(fs: AuditFileSystem, tmp_path: Path) -> None:
    (tmp_path / "local-name").write_bytes(b"SECRET")
    fs.put(str(tmp_path / "local-name"), "/f")
    fs.pipe_file("/g", b"SECRET")
    fs.posix.setxattr("/g", "user.x", b"SECRET")
    fs.write_text("/h", "SECRET")
    fs.get("/h", str(tmp_path / "local-copy"))
    text = Path(fs.audit_log).read_text()
    assert "SECRET" not in text
    assert str(tmp_path) not in text
    assert "local-" not in text


def test_bulk_calls_have_a_record_for_each_file(fs: AuditFileSystem, tmp_path: Path) -> None:
    fs.pipe({"/a": b"1", "/b": b"22"})
    fs.cat(["/a", "/b", "/none"], on_error="omit")
    fs.copy(["/a", "/b"], ["/c", "/d"])
    fs.get(["/a", "/b"], [str(tmp_path / "a"), str(tmp_path / "b")])
    fs.put([str(tmp_path / "a"), str(tmp_path / "b")], ["/e", "/f"])
    fs.rm(["/a", "/b"])
    found = [entry for entry in entries(fs) if entry.effect != "list"]
    bulk = [(e.operation, e.path, e.path2, e.bytes_read, e.bytes_written, e.decision, e.error) for e in found]
    assert bulk == [
        ("pipe", "/a", None, None, 1, "allowed", None),
        ("pipe", "/b", None, None, 2, "allowed", None),
        ("cat_ranges", "/a", None, 1, None, "allowed", None),
        ("cat_ranges", "/b", None, 2, None, "allowed", None),
        ("cat_ranges", "/none", None, None, None, "failed", "ENOENT"),
        ("copy", "/a", "/c", None, 1, "allowed", None),
        ("copy", "/b", "/d", None, 2, "allowed", None),
        ("get", "/a", None, 1, None, "allowed", None),
        ("get", "/b", None, 2, None, "allowed", None),
        ("put", "/e", None, None, 1, "allowed", None),
        ("put", "/f", None, None, 2, "allowed", None),
        ("rm", "/a", None, None, None, "allowed", None),
        ("rm", "/b", None, None, None, "allowed", None),
    ]
    calls = [entry.call for entry in found]
    assert all(calls)
    assert len(set(calls)) == 6
    assert all(entry.etag_after for entry in found if entry.effect == "write")


def test_moves_show_the_state_under_both_names(fs: AuditFileSystem) -> None:
    fs.pipe_file("/a", b"1")
    etag = fs.info("/a")["etag"]
    fs.mv("/a", "/b")
    fs.posix.rename("/b", "/c")
    fs.rm_file("/c")
    moved = [entry for entry in entries(fs) if entry.effect in ("rename", "delete")]
    assert [(e.operation, e.path, e.path2, e.etag_before, e.etag_after) for e in moved] == [
        ("mv", "/a", "/b", etag, etag),
        ("posix.rename", "/b", "/c", etag, etag),
        ("rm_file", "/c", None, etag, None),
    ]


def test_arguments_that_are_no_content_are_on_record(fs: AuditFileSystem) -> None:
    fs.pipe_file("/f", b"12345")
    posix = fs.posix
    posix.chmod("/f", 0o640)
    posix.chown("/f", 1, 2)
    posix.truncate("/f", 3)
    posix.symlink("/elsewhere", "/l")
    posix.setxattr("/f", "user.mood", b"fine")
    fs.cat_file("/f", 1, 2)
    assert [detail for (detail,) in said(fs, "detail")] == [
        {},
        {"mode": "0o640"},
        {"uid": 1, "gid": 2, "follow_symlinks": True},
        {"size": 3},
        {"target": "/elsewhere"},
        {"name": "user.mood", "flags": 0},
        {"start": 1, "end": 2},
    ]


def test_paths_are_in_the_normal_form_and_what_is_none_is_as_given(fs: AuditFileSystem) -> None:
    fs.exists("chukaudit://d/./x//y/../f")
    for path in ("/../etc/passwd", "/a\0b", "/" + "x" * 300):
        with pytest.raises(OSError):
            fs.cat_file(path)
    found = entries(fs)
    assert found[0].path == "/d/x/f"
    assert [(entry.path, entry.decision, entry.error, entry.detail["given"]) for entry in found[1:]] == [
        (None, "failed", "EINVAL", "/../etc/passwd"),
        (None, "failed", "EINVAL", "/a\0b"),
        (None, "failed", "ENAMETOOLONG", "/" + "x" * 300),
    ]


def test_a_read_only_filesystem_below_refuses_on_record(make: Make, chukmem: MemoryFileSystem) -> None:
    fs = make(fs=ReadOnlyFileSystem(chukmem))
    with pytest.raises(OSError, match="Read-only"):
        fs.pipe_file("/f", b"1")
    with pytest.raises(FileNotFoundError):
        fs.cat_file("/f")
    with pytest.raises(ValueError, match="mode"):
        fs.open("/f", "q")
    assert said(fs, "decision", "error") == [("refused", "EROFS"), ("failed", "ENOENT"), ("failed", "ValueError")]


def test_what_a_policy_refuses_is_on_record_and_what_it_hides_is_as_it_was_seen(
    make: Make, chukmem: MemoryFileSystem
) -> None:
    chukmem.pipe({"/denied/f": b"1", "/hidden/f": b"2", "/free/f": b"3"})
    fs = make(fs=SecureFileSystem(chukmem, denied_paths=["/denied"], hidden_paths=["/hidden"]))
    with pytest.raises(PermissionError):
        fs.cat_file("/denied/f")
    with pytest.raises(FileNotFoundError):
        fs.cat_file("/hidden/f")
    assert fs.cat_file("/free/f") == b"3"
    assert said(fs, "path", "decision", "error") == [
        ("/denied/f", "refused", "EACCES"),
        ("/hidden/f", "failed", "ENOENT"),
        ("/free/f", "allowed", None),
    ]


# ---- what is recorded


def test_only_what_is_asked_for_is_recorded(make: Make) -> None:
    fs = make(effects=["write"])
    fs.pipe_file("/f", b"1")
    fs.cat_file("/f")
    fs.ls("/")
    with fs.open("/f") as file:
        file.read()
    fs.rm("/f")
    assert said(fs, "operation") == [("pipe_file",)]


def test_intents_are_recorded_before_the_change(
    make: Make, chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    fs = make(intents=True)
    seen: list[tuple[Any, ...]] = []
    rm_file = chukmem.rm_file

    def looking(path: str) -> None:
        seen.extend(said(fs, "operation", "path", "decision"))
        rm_file(path)

    monkeypatch.setattr(chukmem, "rm_file", looking)
    fs.pipe_file("/f", b"1")
    fs.cat_file("/f")
    fs.rm_file("/f")
    assert seen[-1] == ("rm_file", "/f", "begun")
    assert said(fs, "operation", "decision")[-2:] == [("rm_file", "begun"), ("rm_file", "allowed")]
    begun, done = entries(fs)[-2:]
    assert begun.call == done.call is not None
    assert [entry.decision for entry in entries(fs, operation="cat_file")] == ["allowed"]


def test_without_etags_no_state_is_asked_for(make: Make) -> None:
    fs = make(etags=False)
    fs.pipe_file("/f", b"1")
    fs.cp_file("/f", "/g")
    assert [entry.etag_after for entry in entries(fs)] == [None, None]


def test_records_are_chosen_by_filters(fs: AuditFileSystem) -> None:
    fs.pipe({"/d/a": b"1", "/dd": b"2"})
    with audit_context(actor="eve"):
        fs.mv("/d/a", "/e/a")
    assert {entry.path for entry in entries(fs, path="/d/")} == {"/d/a"}
    assert [entry.path2 for entry in entries(fs, path="e", operation="mv")] == ["/e/a"]
    assert {entry.actor for entry in entries(fs, actor="eve")} == {"eve"}
    since = entries(fs, actor="eve")[0].time
    assert len(entries(fs, since=since)) == len(entries(fs)) - 2
    assert len(entries(fs, until=since)) == 2
    assert entries(fs, decision="refused") == []


# ---- who


def test_instances_and_blocks_say_who_acts(make: Make) -> None:
    fs = make(actor="agent-1", session="run-1")
    fs.exists("/a")
    with audit_context(actor="agent-2"):
        fs.exists("/b")
        with audit_context(session="run-2"):
            fs.exists("/c")
    fs.exists("/d")
    assert said(fs, "path", "actor", "session") == [
        ("/a", "agent-1", "run-1"),
        ("/b", "agent-2", "run-1"),
        ("/c", "agent-2", "run-2"),
        ("/d", "agent-1", "run-1"),
    ]


def test_threads_and_tasks_do_not_share_a_context(fs: AuditFileSystem) -> None:
    barrier = threading.Barrier(4)

    def work(name: str) -> None:
        with audit_context(actor=name):
            barrier.wait()
            fs.exists(f"/{name}")

    threads = [threading.Thread(target=work, args=(f"thread-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def task(name: str) -> None:
        with audit_context(actor=name):
            await asyncio.sleep(0.001)
            fs.exists(f"/{name}")

    async def tasks() -> None:
        await asyncio.gather(*(task(f"task-{number}") for number in range(4)))

    asyncio.run(tasks())
    assert len(entries(fs)) == 8
    assert all(entry.path == f"/{entry.actor}" for entry in entries(fs))


# ---- as an fsspec filesystem


def test_it_chains_by_url_and_survives_json_and_pickle(tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    log = str(tmp_path / "audit.jsonl")
    options = {"chukaudit": {"log": log, "actor": "me"}, "chukmem": {"name": chukmem.name}}
    with fsspec.open("chukaudit::chukmem://d/f.txt", "w", **options) as file:
        file.write("text")
    fs, path = fsspec.url_to_fs("chukaudit::chukmem://d/f.txt", **options)
    assert isinstance(fs, AuditFileSystem)
    assert fs is fsspec.url_to_fs("chukaudit::chukmem://other", **options)[0]
    assert pickle.loads(pickle.dumps(fs)) is fs
    assert fsspec.AbstractFileSystem.from_json(fs.to_json()) is fs
    assert json.loads(fs.to_json())["log"] == log
    assert fs.cat_file(path) == b"text"
    assert {entry.actor for entry in entries(fs)} == {"me"}
    assert chukmem.cat_file("/d/f.txt") == b"text"
    assert verify(log).ok


def test_pandas_reads_and_writes_through_it(make: Make, tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    pandas = pytest.importorskip("pandas", minversion="3", reason="older ones know no chained URLs")
    options = {"chukaudit": {"log": str(tmp_path / "audit.jsonl")}, "chukmem": {"name": chukmem.name}}
    url = "chukaudit::chukmem://d/table.csv"
    pandas.DataFrame({"a": [1, 2]}).to_csv(url, index=False, storage_options=options)
    assert pandas.read_csv(url, storage_options=options)["a"].tolist() == [1, 2]
    closes = entries(make(), operation="close")
    assert (closes[0].path, closes[0].bytes_written, closes[0].bytes_read) == ("/d/table.csv", 6, None)


def test_a_view_without_links_is_on_record_too(fs: AuditFileSystem) -> None:
    fs.pipe_file("/f", b"1")
    view = fs.posix.nofollow
    view.cat_file("/f")
    assert said(fs, "operation", "path")[-1] == ("cat_file", "/f")
    assert view.fsid == fs.fsid


def test_capabilities_are_those_below(fs: AuditFileSystem, chukmem: MemoryFileSystem) -> None:
    below = dataclasses.replace(chukmem.capabilities, nodes=fs.capabilities.nodes, snapshots=False, whole_files=False)
    assert fs.capabilities == below


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"log": ""}, "give the path of the audit log"),
        ({"effects": ["write", "sing"]}, "effects: sing is none of none, list, read, write, delete, rename"),
        ({"actor": "x" * 257}, "actor must be text of at most 256"),
        ({"session": "x" * 257}, "session must be text"),
        ({"sync": "often"}, "sync must be one of"),
    ],
)
def test_options_that_make_no_sense(make: Make, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make(**options)


@pytest.mark.parametrize("missing", ["fcntl", "pwd", "sqlite3"])
def test_it_works_where_a_browser_lacks_something(missing: str, tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.modules[{missing!r}] = None
for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
    os.environ.pop(name, None)
from chuk_fsspec.wrappers.audit import AuditFileSystem, verify
from tests.audit.audit_logs import Make, entries, said
fs = AuditFileSystem(target_protocol="chukmem", log=sys.argv[1])
fs.pipe_file("/f", b"1")
assert verify(fs.audit_log).ok
print(next(fs.records(operation="pipe_file")).entry.actor)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "audit.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ("unknown" if missing == "pwd" else user_name())
