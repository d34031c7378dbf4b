"""Every version of the specification is read; what is no AgentFS file, or a newer one, is refused and left alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from chuk_fsspec.backends.agentfs import AgentFileSystem, Facts
from tests.agentfs.agentfs_files import CHUNK, THEN, Maker, pattern, state_of


@pytest.mark.parametrize("version", ["0.0", "0.1", "0.2", "0.4"])
def test_each_version(tmp_path: Path, version: str) -> None:
    maker = Maker(tmp_path / "agent.db", version)
    sub = maker.directory("sub")
    maker.entry(sub, "again", maker.file("big", pattern(3 * CHUNK + 5)))
    maker.link("link", "sub/again")
    fs = maker.open()
    assert fs.facts().version == version
    assert fs.facts().chunk_size == (CHUNK if version > "0.0" else 0)
    assert fs.cat("/link") == pattern(3 * CHUNK + 5)
    assert fs.cat_file("/big", CHUNK - 1, 2 * CHUNK + 1) == pattern(3 * CHUNK + 5)[CHUNK - 1 : 2 * CHUNK + 1]
    assert fs.info("/big")["nlink"] == 2
    assert fs.info("/sub")["mtime"] == THEN
    maker.entry(sub, "third", maker.run("SELECT ino FROM fs_dentry WHERE name = 'big'").fetchone()[0])
    assert fs.info("/big")["nlink"] == 3
    maker.close()


def test_holes_of_version_0_0(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db", "0.0")
    ino = maker.file("f", b"head")
    maker.run("INSERT INTO fs_data (ino, offset, size, data) VALUES (?, 10, 4, ?)", ino, b"tail")
    maker.run("UPDATE fs_inode SET size = 16 WHERE ino = ?", ino)
    assert maker.open().cat("/f") == b"head" + bytes(6) + b"tail" + bytes(2)
    maker.close()


@pytest.mark.parametrize("chunk", [1, 7, 4096, 1 << 20])
def test_chunks_of_any_size(tmp_path: Path, chunk: int) -> None:
    maker = Maker(tmp_path / "agent.db", chunk=chunk)
    maker.run("BEGIN")
    maker.file("f", pattern(10_000))
    maker.run("COMMIT")
    fs = maker.open()
    assert fs.cat("/f") == pattern(10_000)
    assert fs.cat_file("/f", 4999, 5003) == pattern(10_000)[4999:5003]
    maker.close()


def test_without_a_chunk_size_it_is_the_usual_one(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.file("f", pattern(5000))
    maker.run("DELETE FROM fs_config")
    assert maker.open().cat("/f") == pattern(5000)
    maker.close()


def test_an_older_file_that_another_program_brings_up_to_date(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db", "0.2")
    maker.file("f", b"x")
    fs = maker.open()
    assert fs.facts().version == "0.2"
    for column in ("rdev", "atime_nsec", "mtime_nsec", "ctime_nsec"):
        maker.run(f"ALTER TABLE fs_inode ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0")
    maker.run("UPDATE fs_inode SET mtime_nsec = 7")
    assert fs.facts().version == "0.4"
    assert fs.info("/f")["mtime_ns"] % 10**9 == 7
    maker.close()


def test_what_else_is_in_the_file(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.file("changed", b"in the delta")
    maker.run("CREATE TABLE kv_store (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    maker.run("INSERT INTO kv_store VALUES ('a', '1'), ('b', '2')")
    maker.run("CREATE TABLE tool_calls (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    maker.run("INSERT INTO tool_calls (name) VALUES ('t'), ('t'), ('t')")
    maker.run(
        "CREATE TABLE fs_whiteout (path TEXT PRIMARY KEY, parent_path TEXT NOT NULL, created_at INTEGER NOT NULL)"
    )
    maker.run("INSERT INTO fs_whiteout VALUES ('/gone', '/', 0)")
    maker.run("CREATE TABLE fs_overlay_config (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    maker.run("INSERT INTO fs_overlay_config VALUES ('base_path', '/project')")
    maker.run("CREATE TABLE fs_origin (delta_ino INTEGER PRIMARY KEY, base_ino INTEGER NOT NULL)")
    fs = maker.open()
    assert fs.facts() == Facts("0.4", CHUNK, 2, 3, is_overlay=True, base="/project", whiteouts=1)
    assert fs.find("/") == ["/changed"]
    maker.close()


# ---- refused


def others(path: Path, what: str) -> None:
    """Make a file that is no AgentFS database."""
    if what == "empty":
        path.write_bytes(b"")
    elif what == "text":
        path.write_text("not a database at all\n" * 100)
    elif what == "short":
        path.write_bytes(b"SQLite format 3\0")
    else:
        db = sqlite3.connect(path)
        statements = {
            "no tables": ["CREATE TABLE t (x)", "DROP TABLE t"],
            "other tables": ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"],
            "other columns": ["CREATE TABLE fs_inode (a)", "CREATE TABLE fs_dentry (b)"],
        }
        for statement in statements[what]:
            db.execute(statement)
        db.close()


@pytest.mark.parametrize("what", ["empty", "text", "short", "no tables", "other tables", "other columns"])
def test_other_files_are_refused_and_left_alone(tmp_path: Path, what: str) -> None:
    path = tmp_path / "other.db"
    others(path, what)
    before = state_of(tmp_path)
    with pytest.raises(ValueError, match="not an AgentFS database") as caught:
        AgentFileSystem(database=str(path))
    assert "other.db" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("version", ["0.5", "1.0", "12.3", "0.4.1-next", "new"])
def test_newer_versions_are_refused(tmp_path: Path, version: str) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.run("UPDATE fs_config SET value = ? WHERE key = 'schema_version'", version)
    maker.close()
    before = state_of(tmp_path)
    with pytest.raises(ValueError, match=version):
        maker.open()
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("size", ["0", "-1", "many", "4096.5", "9" * 30, ""])
def test_impossible_chunk_sizes_are_refused(tmp_path: Path, size: str) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.run("UPDATE fs_config SET value = ? WHERE key = 'chunk_size'", size)
    with pytest.raises(ValueError, match="chunk"):
        maker.open()
    maker.close()


def test_a_view_in_the_place_of_a_table_is_refused(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.run("ALTER TABLE fs_dentry RENAME TO real")
    maker.run("""CREATE VIEW fs_dentry AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
        SELECT id, 'x' || id AS name, 1 AS parent_ino, 1 AS ino FROM n""")
    with pytest.raises(ValueError, match="fs_dentry"):
        maker.open()
    maker.close()


@pytest.mark.parametrize("statement", ["DELETE FROM fs_inode", "UPDATE fs_inode SET mode = 33188"])
def test_a_root_is_needed(tmp_path: Path, statement: str) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.run(statement)
    with pytest.raises(ValueError, match="root directory"):
        maker.open()
    maker.close()


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_an_error_that_says_what_to_do(tmp_path: Path, kept: float) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.run("BEGIN")
    for number in range(300):
        maker.file(f"f{number}", pattern(3000))
    maker.run("COMMIT")
    maker.close()
    size = os.path.getsize(maker.path)
    os.truncate(maker.path, int(size * kept) // 4096 * 4096)
    before = state_of(tmp_path)
    with pytest.raises(OSError, match=r"agent\.db.*integrity_check|integrity_check.*agent\.db"):
        maker.open().cat([f"/f{number}" for number in range(300)])
    assert state_of(tmp_path) == before
