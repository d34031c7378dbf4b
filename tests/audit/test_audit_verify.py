"""What is found when somebody tampers with an audit log."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.wrappers.audit import Head, read_head, verify
from chuk_fsspec.wrappers.audit.guard import SUFFIX
from chuk_fsspec.wrappers.audit.record import GAP
from tests.audit.audit_logs import LINES, copied, entry, operations, problems, write_log

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
        ([*lines[:3], *lines[6:]], ["line 4: 3 records are missing before it"]),
        (
            [*lines[:2], lines[3], lines[2], *lines[4:]],
            ["line 3: 1 record is", "line 4: it is number 2 and", "line 5: 1 record is"],
        ),
        ([*lines[:2], b"hello\n", *lines[2:]], ["line 3: it is no record"]),
        (lines[2:], ["line 1: 2 records are missing before it", "line 1: the beginning is missing"]),
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
    assert problems(report)[0].endswith(": 5 records are missing before it")
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
