"""Import and export: everything arrives, and what cannot is said."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.callbacks import Callback
from hypothesis import given, settings
from hypothesis import strategies as st

from chuk_fsspec.backends.agentfs import AgentFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import join
from chuk_fsspec.transfer import LeftOut, export_agentfs, import_agentfs
from chuk_fsspec.transfer.agentfs_database import AgentDatabase
from chuk_fsspec.vfs import open_vfs
from tests.agentfs.agentfs_files import CHUNK, Maker, pattern, state_of

Described = dict[str, tuple[Any, ...]]


def described(fs: Any, path: str = "/", *, times: bool = True) -> Described:
    """Everything that a transfer keeps, by path; hard links as the first path that leads to the same file."""
    nodes: NodeOperations = fs.posix.nodes
    top = nodes.root
    for name in filter(None, path.split("/")):
        found = nodes.lookup(top, name)
        assert found is not None
        top = found
    first: dict[int, str] = {}
    result: Described = {}
    pending: list[tuple[str, Node]] = [("/", top)]
    while pending:
        place, node = pending.pop()
        kind = stat.S_IFMT(node.mode)
        content: object = None
        if kind == stat.S_IFREG:
            content = b"".join(nodes.read(node, node.size, 0)), first.setdefault(node.ino, place)
        elif kind == stat.S_IFLNK:
            content = nodes.readlink(node)
        elif kind == stat.S_IFDIR:
            children = sorted(nodes.entries(node), key=lambda entry: entry[0], reverse=True)
            pending += [(join(place, name), child) for name, child in children]
        else:
            content = node.rdev
        links = node.nlink if kind == stat.S_IFREG else 0
        stamps = (node.atime_ns, node.mtime_ns) if times else ()
        result[place] = node.mode, node.uid, node.gid, links, *stamps, content
    return result


def fill(fs: Any, top: str = "") -> None:
    """One of everything."""
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2_500_000):
        fs.pipe_file(f"{top}/size-{size}", pattern(size))
    fs.pipe_file(f"{top}/sub/déjà vu/名前", b"\0\xff")
    fs.makedirs(f"{top}/empty/er")
    posix = fs.posix
    posix.link(f"{top}/size-1", f"{top}/sub/again")
    posix.link(f"{top}/size-1", f"{top}/sub/and again")
    posix.symlink("../size-1", f"{top}/sub/link")
    posix.symlink("/nowhere", f"{top}/dangling")
    posix.mknod(f"{top}/fifo", stat.S_IFIFO | 0o640)
    posix.mknod(f"{top}/socket", stat.S_IFSOCK | 0o600)
    posix.mknod(f"{top}/disk", stat.S_IFBLK | 0o660, os.makedev(8, 300))
    posix.chmod(f"{top}/size-4096", 0o4755)
    posix.chmod(f"{top}/sub", 0o2751)
    posix.chmod(f"{top}/empty", 0)
    posix.chown(f"{top}/sub/déjà vu/名前", 1000, 100)
    posix.chown(f"{top}/sub/link", 5, 6, follow_symlinks=False)
    posix.utime(f"{top}/size-0", ns=(1_000_000_001, 2_000_000_002))
    posix.utime(f"{top}/dangling", ns=(3, 4), follow_symlinks=False)
    posix.utime(f"{top}/empty/er", ns=(-5, -7_000_000_001))
    posix.utime(f"{top}/sub", ns=(11, 12))


def new_memory(name: str) -> MemoryFileSystem:
    drop_store(name)
    return MemoryFileSystem(name=name, skip_instance_cache=True)


def agent(path: Path) -> AgentFileSystem:
    return AgentFileSystem(database=str(path), skip_instance_cache=True)


def test_there_and_back(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fill(chukmem, "/project")
    wanted = described(chukmem, "/project")
    report = export_agentfs(chukmem, "/project", tmp_path / "agent.db")
    assert (report.files, report.directories, report.symlinks, report.special_files) == (7, 4, 2, 3)
    assert (report.hard_links, report.left_out_count) == (2, 0)
    assert report.bytes == 0 + 1 + 3 * CHUNK + 2_500_000 + 2
    assert described(agent(tmp_path / "agent.db")) == wanted
    back = new_memory("back")
    result = import_agentfs(tmp_path / "agent.db", back, "/a/b")
    assert (result.files, result.directories, result.symlinks, result.special_files) == (7, 4, 2, 3)
    assert (result.hard_links, result.bytes, result.left_out_count) == (2, report.bytes, 0)
    assert (result.without_attributes, result.without_owners, result.changed_meanwhile) == (0, 0, False)
    assert described(back, "/a/b") == wanted
    drop_store("back")


names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)
trees: Any = st.recursive(
    st.one_of(
        st.binary(max_size=30),
        st.integers(0, 3 * CHUNK),
        st.tuples(st.text(st.characters(codec="ascii"), min_size=1).filter(lambda t: "\0" not in t)),
    ),
    lambda inner: st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def plant(fs: Any, path: str, tree: Any) -> None:
    if isinstance(tree, dict):
        fs.makedirs(path, exist_ok=True)
        for name, inner in tree.items():
            plant(fs, join(path, name), inner)
    elif isinstance(tree, tuple):
        fs.posix.symlink(tree[0], path)
    else:
        fs.pipe_file(path, tree if isinstance(tree, bytes) else pattern(tree, 3))


@settings(max_examples=40)
@given(tree=st.dictionaries(names, trees, max_size=4), mode=st.integers(0, 0o7777))
def test_any_tree_there_and_back(tmp_path_factory: pytest.TempPathFactory, tree: Any, mode: int) -> None:
    path = tmp_path_factory.mktemp("any") / "agent.db"
    fs, back = new_memory("any"), new_memory("any-back")
    plant(fs, "/", tree)
    for name in tree:
        if not stat.S_ISLNK(fs.posix.lstat(f"/{name}").st_mode):
            fs.posix.chmod(f"/{name}", mode)
    export_agentfs(fs, "/", path)
    assert described(agent(path)) == described(fs)
    import_agentfs(path, back)
    assert described(back) == described(fs)
    assert back.find("/", withdirs=True) == agent(path).find("/", withdirs=True) == fs.find("/", withdirs=True)


def test_into_and_out_of_a_directory_of_the_host(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root keeps owners and makes devices")
    fill(chukmem)
    export_agentfs(chukmem, "/", tmp_path / "agent.db")
    (tmp_path / "host").mkdir()
    local = fsspec.filesystem("chuklocal", root=str(tmp_path / "host"))
    report = import_agentfs(tmp_path / "agent.db", local)
    assert report.left_out_count == 0
    assert (tmp_path / "host" / "sub" / "again").stat().st_nlink == 3
    assert os.readlink(tmp_path / "host" / "sub" / "link") == "../size-1"
    # Reading stamps the time of access on a host.
    assert described(local, times=False) == described(chukmem, times=False)
    assert local.posix.lstat("/size-0").st_mtime_ns == 2_000_000_002
    export_agentfs(local, "/", tmp_path / "again.db")
    assert described(agent(tmp_path / "again.db"), times=False) == described(chukmem, times=False)


def test_into_a_plain_filesystem_says_what_is_lost(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fill(chukmem)
    export_agentfs(chukmem, "/", tmp_path / "agent.db")
    plain = fsspec.filesystem("file")
    report = import_agentfs(tmp_path / "agent.db", plain, str(tmp_path / "plain"))
    assert (tmp_path / "plain" / "size-2500000").read_bytes() == pattern(2_500_000)
    assert (tmp_path / "plain" / "sub" / "again").read_bytes() == pattern(1)
    assert (tmp_path / "plain" / "empty" / "er").is_dir()
    assert report.copied_links == 2
    assert report.without_attributes == 7 + 2 + 4 + 1
    assert report.left_out_count == 5
    assert LeftOut("/sub/link", "the target has no symbolic links") in report.left_out
    assert LeftOut("/disk", "the target has no device nodes") in report.left_out


def test_out_of_a_plain_filesystem(tmp_path: Path) -> None:
    (tmp_path / "plain" / "sub").mkdir(parents=True)
    (tmp_path / "plain" / "sub" / "f").write_bytes(pattern(10_000))
    report = export_agentfs(fsspec.filesystem("file"), str(tmp_path / "plain"), tmp_path / "agent.db")
    assert (report.files, report.directories) == (1, 1)
    assert agent(tmp_path / "agent.db").cat("/sub/f") == pattern(10_000)


def test_holes(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    with chukmem.posix.open_handle("/sparse", os.O_CREAT | os.O_RDWR) as handle:
        handle.pwrite(b"middle", 300_000)
        handle.truncate(3_000_000)
    export_agentfs(chukmem, "/", tmp_path / "agent.db")
    assert agent(tmp_path / "agent.db").cat("/sparse") == chukmem.cat("/sparse")
    with closing(sqlite3.connect(tmp_path / "agent.db")) as db:
        (stored,) = db.execute("SELECT sum(length(data)) FROM fs_data").fetchone()
    assert stored == 3_000_000  # all of it is there, for programs that know no holes
    maker = Maker(tmp_path / "holes.db")
    ino = maker.file("f", b"start")
    maker.run("INSERT INTO fs_data VALUES (?, 100000, ?)", ino, b"far")
    maker.run("UPDATE fs_inode SET size = ? WHERE ino = ?", 1 << 40, ino)
    back = new_memory("holes")
    report = import_agentfs(maker.path, back)
    assert back.info("/f")["size"] == 1 << 40
    assert back.cat_file("/f", 100_000 * CHUNK, 100_000 * CHUNK + 4) == b"far\0"
    assert report.bytes < 3 * CHUNK
    assert back.posix.stat("/f").st_blocks < 1000
    maker.close()
    drop_store("holes")


def test_what_agentfs_has_no_place_for(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    chukmem.pipe_file("/f", b"x")
    chukmem.pipe_file("/\udcff", b"x")
    chukmem.makedirs("/d\udcfe/below")
    chukmem.posix.symlink("a\udcff", "/link")
    chukmem.posix.setxattr("/f", "user.a", b"1")
    chukmem.posix.setxattr("/f", "user.b", b"2")
    chukmem.posix.setxattr("/", "user.c", b"3")
    report = export_agentfs(chukmem, "/", tmp_path / "agent.db")
    assert (report.xattrs, report.with_xattrs) == (3, 2)
    assert [entry.path for entry in report.left_out] == ["/d\udcfe", "/link", "/\udcff"]
    assert all("UTF-8" in entry.reason for entry in report.left_out)
    assert agent(tmp_path / "agent.db").find("/") == ["/f"]


def test_the_report_tells_of_damage_and_of_what_is_no_file(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.file("good", b"good")
    bad = maker.file("bad content", pattern(3 * CHUNK))
    maker.run("UPDATE fs_data SET data = 'text' WHERE ino = ? AND chunk_index = 2", bad)
    maker.entry(1, "leads nowhere", 99)
    maker.file("..", b"odd")
    maker.run("CREATE TABLE kv_store (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    maker.run("INSERT INTO kv_store VALUES ('a', '1')")
    maker.run("CREATE TABLE fs_overlay_config (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    maker.run("INSERT INTO fs_overlay_config VALUES ('base_path', '/base')")
    report = import_agentfs(maker.path, chukmem)
    assert chukmem.find("/") == ["/%2E%2E", "/good"]
    assert sorted(entry.path for entry in report.left_out) == ["/bad content", "/leads nowhere"]
    assert (report.files, report.kv_entries, report.tool_calls, report.overlay_base) == (2, 1, 0, "/base")
    maker.close()


def test_progress_counts_every_byte(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fill(chukmem)
    there, back = Callback(), Callback()
    report = export_agentfs(chukmem, "/", tmp_path / "agent.db", callback=there)
    import_agentfs(tmp_path / "agent.db", new_memory("progress"), callback=back)
    assert there.value == back.value == report.bytes
    drop_store("progress")


@pytest.mark.parametrize("chunk_size", [1000, 65536, 3 << 20])
def test_other_chunk_sizes(chukmem: MemoryFileSystem, tmp_path: Path, chunk_size: int) -> None:
    chukmem.pipe_file("/f", pattern(2_500_001))
    export_agentfs(chukmem, "/", tmp_path / "agent.db", chunk_size=chunk_size)
    fs = agent(tmp_path / "agent.db")
    assert fs.facts().chunk_size == chunk_size
    assert fs.cat("/f") == pattern(2_500_001)
    with pytest.raises(ValueError, match="chunk_size"):
        export_agentfs(chukmem, "/", tmp_path / "other.db", chunk_size=0)


def test_large_files_pass_through_little_memory(tmp_path: Path) -> None:
    size = 64 << 20
    (tmp_path / "host").mkdir()
    with open(tmp_path / "host" / "large", "wb") as file:
        file.writelines(os.urandom(1 << 20) for _ in range(64))
    local = fsspec.filesystem("chuklocal", root=str(tmp_path / "host"))
    tracemalloc.start()
    try:
        export_agentfs(local, "/", tmp_path / "agent.db")
        (tmp_path / "back").mkdir()
        back = fsspec.filesystem("chuklocal", root=str(tmp_path / "back"))
        report = import_agentfs(tmp_path / "agent.db", back)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.bytes == size
    assert peak < 16 << 20
    assert (tmp_path / "back" / "large").read_bytes() == (tmp_path / "host" / "large").read_bytes()


# ---- what is refused, and what is left after an error


def test_a_directory_that_is_in_use_is_no_target(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.file("f", b"x")
    chukmem.pipe_file("/used/mine", b"mine")
    with pytest.raises(OSError) as caught:
        import_agentfs(maker.path, chukmem, "/used")
    assert caught.value.errno == errno.ENOTEMPTY
    with pytest.raises(OSError):
        import_agentfs(maker.path, chukmem, "/used/mine")
    assert chukmem.find("/") == ["/used/mine"]
    maker.close()


def test_a_failed_import_leaves_nothing(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.run("BEGIN")
    for number in range(1200):
        maker.file(f"{number:04}", pattern(300))
    maker.file("z-too-large", pattern(1_000_000))
    maker.run("COMMIT")
    drop_store("agentfs-small")
    small = MemoryFileSystem(name="agentfs-small", capacity=500_000, skip_instance_cache=True)
    with pytest.raises(OSError) as caught:
        import_agentfs(maker.path, small, "/in/here")
    assert caught.value.errno == errno.ENOSPC
    assert small.find("/") == []
    assert not small._intrans
    maker.close()
    drop_store("agentfs-small")


def test_an_import_inside_a_transaction_is_undone_with_it(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    maker.file("f", b"x")

    def change_ones_mind() -> None:
        with chukmem.transaction:
            import_agentfs(maker.path, chukmem, "/in")
            assert chukmem.cat("/in/f") == b"x"
            raise KeyError

    with pytest.raises(KeyError):
        change_ones_mind()
    assert chukmem.find("/", withdirs=True) == ["/"]
    maker.close()


def test_other_files_are_not_imported(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database")
    with pytest.raises(ValueError, match=r"notes\.txt is not an AgentFS database"):
        import_agentfs(tmp_path / "notes.txt", chukmem, "/in")
    with pytest.raises(FileNotFoundError):
        import_agentfs(tmp_path / "none.db", chukmem, "/in")
    assert not chukmem.exists("/in")


def test_an_existing_file_stays_unless_told(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    chukmem.pipe_file("/f", b"new")
    path = tmp_path / "agent.db"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        export_agentfs(chukmem, "/", path)
    assert state_of(tmp_path).keys() == {"agent.db"}
    assert path.read_bytes() == b"precious"
    export_agentfs(chukmem, "/", path, overwrite=True)
    assert agent(path).cat("/f") == b"new"
    assert os.listdir(tmp_path) == ["agent.db"]


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_a_database_in_use_is_not_replaced(chukmem: MemoryFileSystem, tmp_path: Path, ending: str) -> None:
    (tmp_path / f"agent.db{ending}").write_bytes(b"a log that would be taken for that of the new file")
    for overwrite in (False, True):
        with pytest.raises(OSError) as caught:
            export_agentfs(chukmem, "/", tmp_path / "agent.db", overwrite=overwrite)
        assert caught.value.errno == errno.EBUSY
    assert os.listdir(tmp_path) == [f"agent.db{ending}"]


def test_leftovers_of_a_closed_database_go(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db", journal_mode="wal")
    maker.close()
    (tmp_path / "agent.db-wal").touch()
    (tmp_path / "agent.db-shm").write_bytes(bytes(100))
    export_agentfs(chukmem, "/", tmp_path / "agent.db", overwrite=True)
    assert os.listdir(tmp_path) == ["agent.db"]


def test_a_failed_export_leaves_the_old_file(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    chukmem.pipe_file("/f", b"old")
    export_agentfs(chukmem, "/", path)
    before = state_of(tmp_path)

    def fail_halfway() -> None:
        with AgentDatabase(str(path), overwrite=True, chunk_size=CHUNK) as database:
            database.add_content(database.new_ino(), 0, b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    with pytest.raises(NotADirectoryError):
        export_agentfs(chukmem, "/f", path, overwrite=True)
    with pytest.raises(FileNotFoundError):
        export_agentfs(chukmem, "/none", path, overwrite=True)
    assert state_of(tmp_path) == before
    with pytest.raises(FileNotFoundError) as caught:
        export_agentfs(chukmem, "/", tmp_path / "no" / "agent.db")
    assert str(tmp_path) not in str(caught.value)


def test_who_comes_first_keeps_the_name(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    path = tmp_path / "agent.db"
    with pytest.raises(FileExistsError), AgentDatabase(str(path), overwrite=False, chunk_size=CHUNK):
        path.write_bytes(b"faster")
    assert path.read_bytes() == b"faster"
    assert os.listdir(tmp_path) == ["agent.db"]


def test_the_database_is_as_the_specification_says(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fill(chukmem)
    export_agentfs(chukmem, "/", tmp_path / "agent.db")
    db = sqlite3.connect(tmp_path / "agent.db")

    def ask(sql: str) -> list[Any]:
        return db.execute(sql).fetchall()

    assert ask("PRAGMA integrity_check") == [("ok",)]
    assert dict(ask("SELECT key, value FROM fs_config")) == {"chunk_size": "4096", "schema_version": "0.4"}
    assert ask("SELECT count(*) FROM fs_inode WHERE ino = 1 AND nlink = 1") == [(1,)]
    assert ask("SELECT name FROM fs_dentry WHERE ino = 1") == []
    assert ask("SELECT d.name FROM fs_dentry d LEFT JOIN fs_inode i USING (ino) WHERE i.ino IS NULL") == []
    sizes = """SELECT i.ino FROM fs_inode i LEFT JOIN fs_data d USING (ino) WHERE (i.mode & 61440) = 32768
        GROUP BY i.ino HAVING i.size != coalesce(sum(length(d.data)), 0)"""
    assert ask(sizes) == []
    names_of = """SELECT i.ino FROM fs_inode i JOIN fs_dentry d USING (ino)
        GROUP BY i.ino HAVING i.nlink != count(*)"""
    assert ask(names_of) == []
    partial = """SELECT ino FROM fs_data d WHERE length(data) != 4096
        AND chunk_index < (SELECT max(chunk_index) FROM fs_data WHERE ino = d.ino)"""
    assert ask(partial) == []
    db.close()


def test_a_mounted_tree_and_a_wrapper(chukmem: MemoryFileSystem, tmp_path: Path) -> None:
    fill(chukmem)
    secured = fsspec.filesystem("chukreadonly", fs=chukmem)
    export_agentfs(secured, "/", tmp_path / "agent.db")
    assert described(agent(tmp_path / "agent.db")) == described(chukmem)
    over_agent = fsspec.filesystem("chukreadonly", fs=agent(tmp_path / "agent.db"))
    assert over_agent.cat("/sub/again") == pattern(1)
    nodes = open_vfs(over_agent)
    assert len(nodes.entries(nodes.root)) == len(chukmem.ls("/"))
    export_agentfs(over_agent, "/", tmp_path / "copy.db")
    assert described(agent(tmp_path / "copy.db")) == described(chukmem)
