"""Real programs, and the system calls they are made of, at work on a mounted chukmem."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shutil
import stat
import subprocess
import sys
import termios
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec import MemoryFileSystem

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="these are the tools and system calls of Linux"),
]

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
PATIENCE = 100
"""Seconds for one program."""

# Neither settings of the user's nor a hook that the tests were started from may change what the tools do.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTEST_"))} | {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
}


@pytest.fixture
def point(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[Path]:
    """Where an empty chukmem is mounted."""
    target = tmp_path / "mnt"
    target.mkdir()
    try:
        live = mount(chukmem, target, MountOptions(transport="kernel"))
    except OSError as error:
        if error.errno not in (errno.ENODEV, errno.EPERM, errno.EACCES):
            raise
        pytest.skip(f"this machine cannot mount: {error.strerror}")
    with live:
        yield target


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(cwd: Path, *command: str, code: int = 0) -> str:
    """What a program says; it must end with the given exit code."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def python(cwd: Path, code: str, *arguments: str) -> str:
    """Run Python in a process of its own: one that serves a mount must not map that mount's files into memory."""
    return run(cwd, sys.executable, "-c", code, *arguments)


def some_files(directory: Path) -> None:
    """Everything that a copy must keep."""
    directory.mkdir()
    (directory / "file").write_bytes(b"content" * 1000)
    (directory / "file").chmod(0o751)
    (directory / "sub").mkdir(mode=0o700)
    (directory / "sub/empty").touch()
    (directory / "link").symlink_to("sub/empty")
    os.link(directory / "file", directory / "sub/same")
    for name, moment in (("file", 1_000_000_000_123_456_789), ("sub/empty", 1_500_000_000_000_000_001)):
        os.utime(directory / name, ns=(moment, moment))
    if os.geteuid() == 0:
        os.chown(directory / "file", 1234, 5678)


def description(directory: Path) -> list[str]:
    """All that ``some_files`` made. Others look: ``os.scandir`` in this process may keep Python's lock meanwhile."""
    entries = run(directory, "find", ".", "-mindepth", "1", "-printf", "%P %M %U %G %l\\n")
    files = run(directory, "find", ".", "-type", "f", "-printf", "%P %T@ %n\\n", "-exec", "cksum", "{}", ";")
    return sorted([*entries.splitlines(), *files.splitlines()])


class TestPrograms:
    """What people run in a workspace."""

    @needs("git")
    def test_git(self, point: Path) -> None:
        project = point / "project"
        project.mkdir()
        run(project, "git", "init", "--quiet", "--initial-branch=main")
        for number in range(50):
            (project / f"{number}.txt").write_text(f"{number}\n" * 100)
        assert "?? 0.txt" in run(project, "git", "status", "--short")
        run(project, "git", "add", ".")
        run(project, "git", "commit", "--quiet", "--message=first")
        assert run(project, "git", "status", "--short") == ""
        (project / "0.txt").write_text("changed\n")
        assert run(project, "git", "status", "--short") == " M 0.txt\n"
        run(project, "git", "commit", "--quiet", "--all", "--message=second")
        run(project, "git", "gc", "--quiet")
        run(point, "git", "clone", "--quiet", "project", "clone")
        assert run(point / "clone", "git", "log", "--format=%s") == "second\nfirst\n"
        run(point / "clone", "git", "fsck", "--strict")
        assert run(point / "clone", "git", "status", "--short") == ""

    @needs("npm")
    @pytest.mark.skipif(os.environ.get("CHUK_TEST_NPM") != "1", reason="set CHUK_TEST_NPM=1 to install from npm")
    @pytest.mark.timeout(300)
    def test_npm_tsc_and_eslint(self, point: Path) -> None:
        shutil.copytree(ROOT / "scripts/demo/typescript", point / "project")
        project = point / "project"
        run(project, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
        assert "src/report.ts(9,5): error TS2322" in run(project, "node_modules/.bin/tsc", code=1)
        assert "prefer-const" in run(project, "node_modules/.bin/eslint", ".", code=1)

    def test_pytest(self, point: Path) -> None:
        (point / "test_it.py").write_text("def test_it(tmp_path):\n    assert tmp_path.exists()\n")
        assert "1 passed" in run(point, sys.executable, "-m", "pytest", "--rootdir=.", "--basetemp=temporary")
        assert (point / ".pytest_cache").is_dir()

    @pytest.mark.parametrize("journal", ["wal", "delete"])
    def test_sqlite_in_two_processes(self, point: Path, journal: str) -> None:
        insert = (
            "import sqlite3, sys\n"
            "db = sqlite3.connect('db', timeout=60, isolation_level=None)\n"
            "for number in range(100):\n"
            "    db.execute('INSERT INTO t VALUES (?, ?)', (sys.argv[1], number))\n"
        )
        mode = python(
            point,
            "import sqlite3, sys\n"
            "db = sqlite3.connect('db')\n"
            "print(db.execute(f'PRAGMA journal_mode={sys.argv[1]}').fetchone()[0])\n"
            "db.execute('CREATE TABLE t (who, number, PRIMARY KEY (who, number))')\n",
            journal,
        )
        assert mode.strip() == journal
        writers = [subprocess.Popen([sys.executable, "-c", insert, who], cwd=point) for who in ("a", "b")]
        assert [writer.wait(PATIENCE) for writer in writers] == [0, 0]
        counted = python(
            point,
            "import sqlite3\n"
            "db, other = sqlite3.connect('db'), sqlite3.connect('db')\n"
            "with db: db.execute('DELETE FROM t WHERE number >= 90')\n"
            "print(other.execute('SELECT count(*) FROM t').fetchone()[0])\n"
            "print(other.execute('PRAGMA integrity_check').fetchone()[0])\n",
        )
        assert counted.split() == ["180", "ok"]

    @needs("gcc", "make")
    def test_gcc_and_make(self, point: Path) -> None:
        (point / "hello.h").write_text('#define HELLO "hello"\n')
        (point / "hello.c").write_text('#include <stdio.h>\n#include "hello.h"\nint main(void) { puts(HELLO); }\n')
        (point / "Makefile").write_text("hello: hello.c hello.h\n\tgcc -g -o $@ $<\n")
        run(point, "make")
        assert run(point, "./hello") == "hello\n"
        assert "up to date" in run(point, "make")
        (point / "hello.h").write_text('#define HELLO "changed"\n')
        assert "gcc" in run(point, "make")
        assert run(point, "./hello") == "changed\n"

    def test_a_virtual_environment(self, point: Path) -> None:
        run(point, sys.executable, "-m", "venv", "--without-pip", "env")
        answer = run(point, "env/bin/python", "-c", "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)")
        assert answer.split() == ["True", str(point / "env")]

    @needs("rg")
    def test_ripgrep(self, point: Path) -> None:
        for number in range(20):
            (point / f"{number:02}").mkdir()
            (point / f"{number:02}/text").write_text(f"nothing\nneedle {number}\n")
        assert len(run(point, "rg", "--no-config", "needle").splitlines()) == 20
        assert run(point, "rg", "--no-config", "--files-with-matches", "needle 7$") == "07/text\n"

    @needs("vim")
    def test_vim(self, point: Path) -> None:
        (point / "text").write_text("one two\n")
        # vim keeps no backups below /tmp unless it is told to.
        keep = "set swapfile backup backupskip="
        run(point, "vim", "-Nesu", "NONE", "-c", keep, "-c", "%s/one/three/", "-c", "wq", "text")
        assert (point / "text").read_text() == "three two\n"
        assert (point / "text~").read_text() == "one two\n"
        assert sorted(os.listdir(point)) == ["text", "text~"]

    @needs("cp")
    def test_cp(self, point: Path, tmp_path: Path) -> None:
        some_files(point / "original")
        run(point, "cp", "-a", "original", "copy")
        run(point, "cp", "-a", "copy", str(tmp_path / "outside"))
        run(point, "cp", "-a", str(tmp_path / "outside"), "back")
        assert description(point / "original") == description(point / "copy") == description(point / "back")
        assert (point / "back/file").samefile(point / "back/sub/same")

    @needs("rsync")
    def test_rsync(self, point: Path) -> None:
        some_files(point / "original")
        run(point, "rsync", "-aHX", "original/", "copy")
        assert description(point / "original") == description(point / "copy")
        assert run(point, "rsync", "-aHX", "--itemize-changes", "original/", "copy") == ""

    @needs("tar")
    def test_tar(self, point: Path) -> None:
        some_files(point / "original")
        run(point, "tar", "--create", "--format=posix", "--file=all.tar", "original")
        (point / "copy").mkdir()
        run(point / "copy", "tar", "--extract", "--preserve-permissions", "--numeric-owner", "--file=../all.tar")
        assert description(point / "original") == description(point / "copy/original")

    @needs("unzip")
    def test_unzip(self, point: Path) -> None:
        with zipfile.ZipFile(point / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(50):
                archive.writestr(f"d/{number}", f"{number}" * 1000)
        run(point, "unzip", "-q", "all.zip")
        names = os.listdir(point / "d")
        assert sorted(map(int, names)) == list(range(50))
        assert all((point / "d" / name).read_text() == name * 1000 for name in names)

    @needs("rm")
    def test_rm(self, point: Path) -> None:
        deep = point / "tree"
        for level in range(60):
            deep /= f"{level:02}"
            deep.mkdir(parents=True)
            for number in range(10):
                (deep / f"file {number}").write_text("x")
        run(point, "rm", "-rf", "tree")
        assert os.listdir(point) == []

    @needs("df", "du")
    def test_df_and_du(self, point: Path) -> None:
        files_free = os.statvfs(point).f_ffree
        (point / "file").write_bytes(bytes(8 * MIB))
        figures = os.statvfs(point)
        assert (figures.f_blocks - figures.f_bfree) * figures.f_frsize >= 8 * MIB
        assert files_free - figures.f_ffree == 1
        assert run(point, "df", "--output=target", ".").splitlines()[-1] == str(point)
        assert int(run(point, "df", "--output=used", "--block-size=1M", ".").split()[-1]) >= 8
        assert int(run(point, "du", "--block-size=1M", "file").split()[0]) == 8

    @needs("dd")
    def test_dd_past_the_page_cache(self, point: Path) -> None:
        content = os.urandom(MIB)
        (point / "in").write_bytes(content)
        run(point, "dd", "if=in", "of=out", "bs=64k", "iflag=direct", "oflag=direct", "status=none")
        assert (point / "out").read_bytes() == content


class TestSharing:
    """Two processes and one file."""

    def test_shared_memory_maps(self, point: Path) -> None:
        (point / "file").write_bytes(bytes(3 * 4096))
        answer = python(
            point,
            "import mmap, os\n"
            "file = open('file', 'r+b')\n"
            "ours = mmap.mmap(file.fileno(), 0)\n"
            "before = ours[5000]\n"  # our page is there before the other process changes it
            "if os.fork() == 0:\n"
            "    theirs = mmap.mmap(os.open('file', os.O_RDWR), 0)\n"
            "    theirs[5000:5005] = b'hello'\n"
            "    os._exit(0)\n"
            "os.wait()\n"
            "print(before, ours[5000:5005].decode(), os.pread(file.fileno(), 5, 5000).decode())\n"
            "ours.flush()\n",
        )
        assert answer.split() == ["0", "hello", "hello"]
        assert (point / "file").read_bytes()[5000:5005] == b"hello"

    @pytest.mark.parametrize("kind", ["lockf", "flock"])
    def test_locks(self, point: Path, kind: str) -> None:
        hold = f"import fcntl; f = open('lock', 'w'); fcntl.{kind}(f, fcntl.LOCK_EX); print(flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", hold], cwd=point, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            lock = getattr(fcntl, kind)
            with (point / "lock").open("w") as file:
                with pytest.raises(BlockingIOError):
                    lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                holder.communicate(b"\n", timeout=PATIENCE)
                lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_a_fifo(self, point: Path) -> None:
        os.mkfifo(point / "fifo")
        with subprocess.Popen(["cat", "fifo"], cwd=point, stdout=subprocess.PIPE) as reader:
            run(point, "sh", "-c", "echo through the fifo > fifo")
            assert reader.communicate(timeout=PATIENCE)[0] == b"through the fifo\n"

    def test_appending(self, point: Path) -> None:
        append = "for i in $(seq 200); do echo $0 $i >> log; done"
        writers = [subprocess.Popen(["sh", "-c", append, who], cwd=point) for who in ("a", "b")]
        assert [writer.wait(PATIENCE) for writer in writers] == [0, 0]
        assert sorted((point / "log").read_text().splitlines()) == sorted(
            f"{w} {i}" for w in "ab" for i in range(1, 201)
        )


class TestSystemCalls:
    """What programs do that a simple filesystem cannot."""

    def test_hard_links(self, point: Path) -> None:
        (point / "one").write_text("content")
        os.link(point / "one", point / "two")
        with (point / "two").open("a") as file:
            file.write(", and more")
        assert (point / "one").read_text() == "content, and more"
        assert (point / "one").stat().st_nlink == 2
        (point / "one").unlink()
        assert (point / "two").stat().st_nlink == 1

    def test_extended_attributes(self, point: Path) -> None:
        (point / "file").touch()
        os.setxattr(point / "file", "user.note", b"some \0 bytes")
        assert os.getxattr(point / "file", "user.note") == b"some \0 bytes"
        assert os.listxattr(point / "file") == ["user.note"]
        os.removexattr(point / "file", "user.note")
        with pytest.raises(OSError, match="No data"):
            os.getxattr(point / "file", "user.note")

    def test_holes(self, point: Path) -> None:
        fd = os.open(point / "file", os.O_RDWR | os.O_CREAT)
        try:
            os.posix_fallocate(fd, 0, 4 * MIB)
            assert os.fstat(fd).st_size == 4 * MIB
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"data", 2 * MIB)
            os.ftruncate(fd, 4 * MIB)
            assert os.lseek(fd, 0, os.SEEK_HOLE) == 0
            start = os.lseek(fd, 0, os.SEEK_DATA)
            assert 2 * MIB - 65536 <= start <= 2 * MIB
            assert start < os.lseek(fd, start, os.SEEK_HOLE) <= 2 * MIB + 65536
            assert os.fstat(fd).st_blocks * 512 <= 128 * 1024
        finally:
            os.close(fd)

    @needs("fallocate", "du")
    def test_punching_a_hole(self, point: Path) -> None:
        (point / "file").write_bytes(b"x" * 4 * MIB)
        run(point, "fallocate", "--punch-hole", "--offset=1MiB", "--length=2MiB", "file")
        assert run(point, "du", "--block-size=1M", "file").split()[0] == "2"
        assert (point / "file").read_bytes() == b"x" * MIB + bytes(2 * MIB) + b"x" * MIB

    def test_an_open_file_without_a_name(self, point: Path) -> None:
        with (point / "file").open("w+b", buffering=0) as file:
            (point / "file").unlink()
            assert os.listdir(point) == []
            file.write(b"still here")
            file.seek(0)
            assert file.read() == b"still here"
            assert os.fstat(file.fileno()).st_nlink == 0

    def test_a_temporary_file_gets_a_name(self, point: Path) -> None:
        fd = os.open(point, os.O_TMPFILE | os.O_RDWR, 0o640)
        root = os.open("/", os.O_RDONLY)
        try:
            os.write(fd, b"complete")
            assert os.listdir(point) == []
            # With a directory given, link() calls linkat(), which follows the link in /proc.
            os.link(f"/proc/self/fd/{fd}", point / "named", src_dir_fd=root)
        finally:
            os.close(root)
            os.close(fd)
        assert (point / "named").read_bytes() == b"complete"
        assert (point / "named").stat().st_nlink == 1
        assert stat.S_IMODE((point / "named").stat().st_mode) == 0o640

    def test_ioctl_knows_nothing(self, point: Path) -> None:
        with (point / "file").open("w") as file, pytest.raises(OSError, match="Inappropriate ioctl"):
            fcntl.ioctl(file, termios.TCGETS, bytes(64))

    def test_poll_is_always_ready(self, point: Path) -> None:
        with (point / "file").open("w+b") as file:
            poll = select.poll()
            poll.register(file, select.POLLIN | select.POLLOUT)
            assert poll.poll(1000) == [(file.fileno(), select.POLLIN | select.POLLOUT)]

    def test_a_sparse_file_of_one_tebibyte(self, point: Path) -> None:
        path = point / "huge"
        path.touch()
        os.truncate(path, 1 << 40)
        assert path.stat().st_size == 1 << 40
        assert path.stat().st_blocks == 0
        with path.open("r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"last")
            file.seek(-8, os.SEEK_END)
            assert file.read() == b"\0\0\0\0last"
        assert path.stat().st_blocks * 512 <= 128 * 1024
