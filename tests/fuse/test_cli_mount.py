"""``chuk-fsspec mount`` and ``umount`` as a user has them: processes, signals, and what is left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chuk_adapters.fuse.unmounting import unmount
from chuk_fsspec.cli.mounts import find_mount, find_servers, watched
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for servers in /proc"),
    pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse cannot be opened"),
]

COMMAND = Path(sys.executable).parent / "chuk-fsspec"
WAIT = 20.0
"""Seconds: longer than anything here takes, shorter than the patience of whoever runs the tests."""


def chuk(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "chuk_fsspec", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=WAIT, check=False)


@dataclass
class Bench:
    """An empty mount point, and the servers started on it."""

    point: Path
    servers: list[int] = field(default_factory=list)

    def mount(self, *arguments: str, url: str = "chukmem://") -> int:
        """Mount in the background; the server's process id."""
        done = chuk("mount", url, self.point, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        found = re.search(r"process (\d+)", done.stdout)
        assert found is not None
        self.servers.append(int(found[1]))
        return self.servers[-1]

    def umount(self, *arguments: str) -> None:
        done = chuk("umount", self.point, *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"unmounted {self.point}\n", "")

    @property
    def is_mounted(self) -> bool:
        return find_mount(self.point) is not None


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    point = tmp_path / "mnt"
    point.mkdir()
    bench = Bench(point)
    yield bench
    with contextlib.suppress(OSError):
        unmount(point, lazy=True)
    for pid in bench.servers:
        if not is_gone(pid, wait=0):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def in_the_foreground(bench: Bench) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts servers in the foreground; each is live when this returns."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "chuk_fsspec",
            "mount",
            "--foreground",
            "chukmem://",
            str(bench.point),
            *arguments,
        ]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(server)
        assert server.stdout is not None
        assert server.stdout.readline().startswith("mounted chukmem:// on ")
        return server

    yield start
    for server in running:
        server.kill()
        server.communicate()


def is_gone(pid: int, wait: float = WAIT) -> bool:
    """Whether a process ends within some seconds."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        return bool(poll.poll(wait * 1000))
    finally:
        os.close(process)


@contextlib.contextmanager
def user_inside(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose current directory is on the mount."""
    user = subprocess.Popen(["sleep", "60"], cwd=directory)
    try:
        yield user
    finally:
        user.kill()
        user.wait()


# ---- mounting


@pytest.mark.parametrize("transport", ["kernel", "fusepy"])
def test_a_mount_lasts_from_mount_to_umount(bench: Bench, transport: str):
    if transport == "fusepy":
        pytest.importorskip("mfusepy")
    server = bench.mount("--transport", transport)
    assert find_servers(bench.point) == [server]
    (bench.point / "d").mkdir()
    (bench.point / "d" / "file").write_text("by a program")
    assert (bench.point / "d" / "file").read_text() == "by a program"
    bench.umount()
    assert is_gone(server, wait=0)
    assert os.listdir(bench.point) == []


def test_mount_says_that_chukmem_ends_with_the_mount(bench: Bench):
    said = chuk("mount", "chukmem://", bench.point).stdout
    assert re.fullmatch(rf"mounted chukmem:// on {bench.point} \(process \d+; its files end with the unmount\)\n", said)
    bench.umount()


def test_the_server_is_in_a_session_of_its_own_and_holds_none_of_our_files(bench: Bench):
    server = bench.mount()
    assert os.getsid(server) == server
    assert os.readlink(f"/proc/{server}/fd/0") == os.devnull
    bench.umount()


def test_a_directory_of_a_filesystem_can_be_mounted(bench: Bench, tmp_path: Path):
    (tmp_path / "source" / "d").mkdir(parents=True)
    (tmp_path / "source" / "d" / "old").write_text("was there")
    bench.mount(url=f"file://{tmp_path}/source/d")
    assert (bench.point / "old").read_text() == "was there"
    (bench.point / "new").write_text("is there now")
    bench.umount()
    assert (tmp_path / "source" / "d" / "new").read_text() == "is there now"


def test_a_plain_directory_keeps_links_and_modes(bench: Bench, tmp_path: Path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("content")
    (tmp_path / "outside").write_text("not of the source")
    bench.mount(url=str(source))
    (bench.point / "link").symlink_to("file")
    (bench.point / "out").symlink_to(tmp_path / "outside")
    os.link(bench.point / "file", bench.point / "other")
    (bench.point / "file").chmod(0o640)
    os.utime(bench.point / "file", ns=(10**18, 10**18))
    assert (bench.point / "link").read_text() == "content"
    assert (bench.point / "out").read_text() == "not of the source"  # the kernel follows it, outside of the mount
    mounted = find_mount(bench.point)
    assert mounted is not None
    assert mounted.source == f"file://{source}"
    bench.umount()
    status = (source / "file").stat()
    assert (status.st_mode & 0o777, status.st_nlink, status.st_mtime_ns) == (0o640, 2, 10**18)
    assert os.readlink(source / "link") == "file"


def test_nothing_is_mounted_inside_of_itself(tmp_path: Path):
    (tmp_path / "source" / "mnt").mkdir(parents=True)
    (tmp_path / "link").symlink_to("source")
    for source in ("source", "link", f"file://{tmp_path}/source"):
        done = chuk("mount", source, "source/mnt", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "which cannot be shown in itself" in done.stderr
    done = chuk("mount", "source/mnt", "source/mnt", cwd=tmp_path)
    assert done.returncode == 1


def test_a_directory_of_chukmem_is_made_when_it_is_mounted(bench: Bench):
    bench.mount(url="chukmem://a/b")
    mounted = find_mount(bench.point)
    assert mounted is not None
    assert mounted.source == "chukmem://a/b"
    assert os.listdir(bench.point) == []


def test_read_only(bench: Bench):
    bench.mount("--read-only")
    with pytest.raises(OSError) as caught:
        (bench.point / "file").touch()
    assert caught.value.errno == errno.EROFS


def test_storage_options_reach_the_filesystem(bench: Bench):
    bench.mount("--option", "capacity=1000000", "--option", "name=work")
    with pytest.raises(OSError) as caught:
        (bench.point / "file").write_bytes(bytes(2_000_000))
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no safe path")
@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")
def test_modules_in_the_current_directory_are_not_taken_for_pythons(bench: Bench, tmp_path: Path):
    (tmp_path / "logging.py").write_text("raise SystemExit('this is not logging')")
    subprocess.run([COMMAND, "mount", "chukmem://", bench.point], cwd=tmp_path, check=True, timeout=WAIT)
    bench.umount()


# ---- what cannot be mounted


def test_the_servers_error_is_the_commands_error(bench: Bench):
    done = chuk("mount", "chukmen://", bench.point)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "chuk-fsspec: unknown protocol chukmen; did you mean chukmem:// ?\n"


def test_a_mount_point_can_be_used_once(bench: Bench):
    bench.mount()
    done = chuk("mount", "chukmem://", bench.point)
    assert done.returncode == 1
    assert done.stderr.startswith(f"chuk-fsspec: {bench.point}: chukmem:// is mounted there already")
    bench.umount()


def test_messages_can_go_to_a_file(bench: Bench, tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("kept\n")
    done = chuk("mount", "chukmen://", bench.point, "--log", log)
    assert done.stderr == "chuk-fsspec: unknown protocol chukmen; did you mean chukmem:// ?\n"
    assert log.read_text() == "kept\n" + done.stderr


# ---- ending


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_unmounts_cleanly(
    bench: Bench, in_the_foreground: Callable[..., subprocess.Popen[str]], number: signal.Signals
):
    server = in_the_foreground()
    (bench.point / "file").write_text("content")
    server.send_signal(number)
    assert server.wait(WAIT) == 0
    assert not bench.is_mounted
    assert server.communicate() == ("", "")


def test_a_server_in_the_background_obeys_sigterm(bench: Bench):
    server = bench.mount()
    os.kill(server, signal.SIGTERM)
    assert is_gone(server)
    assert not bench.is_mounted


def test_a_server_in_the_foreground_ends_with_its_mount(
    bench: Bench, in_the_foreground: Callable[..., subprocess.Popen[str]]
):
    server = in_the_foreground()
    bench.umount()
    assert server.wait(WAIT) == 0


def test_a_second_signal_does_not_wait_for_those_who_use_the_mount(
    bench: Bench, in_the_foreground: Callable[..., subprocess.Popen[str]]
):
    server = in_the_foreground()
    with user_inside(bench.point):
        server.terminate()
        wait_until(lambda: not bench.is_mounted)
        server.terminate()
        assert server.wait(WAIT) == 130
    assert "without waiting" in server.communicate()[1]


@pytest.mark.parametrize("transport", ["kernel", "fusepy"])
def test_umount_removes_what_a_killed_server_left(bench: Bench, transport: str):
    if transport == "fusepy":
        pytest.importorskip("mfusepy")
    server = bench.mount("--transport", transport)
    os.kill(server, signal.SIGKILL)
    assert is_gone(server)
    done = chuk("mount", "chukmem://", bench.point)
    assert f"chuk-fsspec umount {bench.point}" in done.stderr
    bench.umount()
    assert not bench.is_mounted


def test_umount_removes_a_dead_mount_that_is_in_use(bench: Bench):
    server = bench.mount()
    with user_inside(bench.point):
        os.kill(server, signal.SIGKILL)
        assert is_gone(server)
        bench.umount()
    assert not bench.is_mounted


def test_umount_leaves_a_mount_in_use_alone_unless_told(bench: Bench):
    server = bench.mount()
    with user_inside(bench.point):
        done = chuk("umount", bench.point)
        assert done.returncode == 1
        assert done.stderr == (
            f"chuk-fsspec: {bench.point} is in use; leave it with every shell and program, or add --lazy\n"
        )
        bench.umount("--lazy")
        assert not bench.is_mounted
        assert not is_gone(server, wait=0)
    assert is_gone(server)


def test_umount_hears_what_a_server_could_not_write_back(tmp_path: Path):
    script = "import sys; sys.stdin.read(); sys.stderr.write('chuk-fsspec: /f: kept in /spool\\nnoise\\n')"
    with open(tmp_path / "messages", "w+b") as messages:
        messages.write(b"chuk-fsspec: said before\n")
        messages.flush()
        server = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=messages)
        os.unlink(tmp_path / "messages")
        with watched([server.pid]) as wait:
            server.communicate()
            assert wait() == ["/f: kept in /spool"]


def test_umount_takes_a_path_through_a_symbolic_link(bench: Bench, tmp_path: Path):
    (tmp_path / "link").symlink_to(bench.point)
    server = bench.mount()
    assert chuk("umount", "link", cwd=tmp_path).stdout == f"unmounted {bench.point}\n"
    assert is_gone(server, wait=0)


def test_what_is_unmounted_cannot_be_unmounted_again(bench: Bench):
    bench.mount()
    bench.umount()
    done = chuk("umount", bench.point)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is not a mount point" in done.stderr


# ---- doctor


def test_the_doctor_mounts_here():
    done = chuk("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line[9:24].strip(): line for line in done.stdout.splitlines()}
    assert set(lines) >= {"Python", "fsspec", "chukmem://", "/dev/fuse", "kernel", "mounting", "libfuse", "git", "node"}
    assert all(line.startswith(("ok ", "missing ")) for line in lines.values())
    assert re.search(r"FUSE protocol 7\.\d+", lines["kernel"])
    assert "mounted, wrote and unmounted in" in lines["mounting"]
