"""The sandbox around the files: made or found, ended or left, paused, gone."""

from __future__ import annotations

import errno
import json
import pickle
from pathlib import Path

import fsspec
import pytest

from chuk_fsspec import MountedFileSystem
from chuk_fsspec.backends.e2b import E2BFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.errors import LinkInTheWay
from tests.e2b.service import Service


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root") / "made"


def test_one_that_was_made_ends_with_the_filesystem(service: Service, root: Path) -> None:
    with service.filesystem(root, timeout=77) as fs:
        fs.pipe_file("/f", b"content")
        assert service.cloud.machines[fs.sandbox_id].timeout == 77
        fs.set_timeout(99)
        assert service.cloud.machines[fs.sandbox_id].timeout == 99
    assert fs.sandbox_id not in service.cloud.machines
    with pytest.raises(OSError) as caught:
        fs.cat_file("/f")
    assert caught.value.errno == errno.ENOTCONN
    assert "make another" in str(caught.value)


def test_nothing_is_made_before_it_is_needed(service: Service, root: Path) -> None:
    before = service.cloud.requests.total()
    with service.filesystem(root):
        pass
    assert service.cloud.requests.total() == before
    assert not root.exists()


def test_one_that_was_there_is_left(service: Service, root: Path) -> None:
    machine = service.cloud.create(300)
    with service.filesystem(root, sandbox_id=machine.name) as fs:
        fs.pipe_file("/a/f", b"content")
    assert machine.name in service.cloud.machines
    assert (root / "a/f").read_bytes() == b"content"
    with service.filesystem(root, sandbox_id=machine.name, kill_on_close=True) as fs:
        assert fs.cat_file("/a/f") == b"content"
    assert machine.name not in service.cloud.machines


def test_a_paused_one_says_what_to_do_and_goes_on_when_attached(service: Service, root: Path) -> None:
    machine = service.cloud.create(300)
    with service.filesystem(root, sandbox_id=machine.name) as fs:
        fs.pipe_file("/f", b"content")
        machine.state = "paused"
        with pytest.raises(OSError) as caught:
            fs.cat_file("/f")
        assert caught.value.errno == errno.ENOTCONN
        assert caught.value.filename == "/f"
        assert "sandbox_id=" in str(caught.value)
    with service.filesystem(root, sandbox_id=machine.name) as fs:
        assert fs.cat_file("/f") == b"content"


def test_a_key_that_is_wrong_is_not_told(service: Service, root: Path) -> None:
    with service.filesystem(root, api_key="e2b_secret") as fs:
        with pytest.raises(PermissionError) as caught:
            fs.ls("/")
        assert "E2B_API_KEY" in str(caught.value)
        assert "secret" not in f"{caught.value} {fs!r} {fs._home.options!r}"


@pytest.mark.parametrize(
    ("options", "words"),
    [({"timeout": 86_401}, "greater than 24 hours"), ({"template": "no-such"}, "'no-such' not found")],
)
def test_one_that_cannot_be_made_says_why(service: Service, root: Path, options: dict, words: str) -> None:
    with service.filesystem(root, **options) as fs, pytest.raises(OSError, match=words) as caught:
        fs.exists("/f")
    assert caught.value.errno == errno.EIO  # and no file that is missing


def test_one_that_does_not_exist(service: Service, root: Path) -> None:
    with service.filesystem(root, sandbox_id="nobody") as fs, pytest.raises(OSError) as caught:
        fs.ls("/")
    assert caught.value.errno == errno.ENOTCONN


def test_copies_see_the_same_files(service: Service, root: Path) -> None:
    with service.filesystem(root) as fs:
        fs.pipe_file("/f", b"content")
        for copy in (pickle.loads(pickle.dumps(fs)), fsspec.AbstractFileSystem.from_json(fs.to_json())):
            assert copy.cat_file("/f") == b"content"
            copy.close()
        assert fs.cat_file("/f") == b"content"
        assert "api_key" not in json.loads(fs.to_json())


def test_who_follows_no_links_is_in_the_same_sandbox(service: Service, root: Path) -> None:
    with service.filesystem(root) as fs:
        fs.pipe_file("/f", b"content")
        fs.posix.symlink("f", "/link")
        sandboxes = set(service.cloud.machines)
        view = fs.posix.nofollow
        assert view.cat_file("/f") == b"content"
        with pytest.raises(LinkInTheWay):
            view.cat_file("/link")
        view.close()
        assert set(service.cloud.machines) == sandboxes
        assert fs.cat_file("/link") == b"content"


@pytest.mark.parametrize(
    "options", [{"root_dir": "relative"}, {"timeout": 0}, {"sandbox_id": "x", "template": "y"}, {"attempts": 0}]
)
def test_options_that_mean_nothing(options: dict) -> None:
    with pytest.raises(ValueError, match=r".+"):
        E2BFileSystem(**options)


def test_commands_and_paths(service: Service, root: Path) -> None:
    with service.filesystem(root) as fs:
        fs.pipe_file("/src/it's; rm $HOME", b"one\ntwo\n")
        done = fs.run(["wc", "-l", "it's; rm $HOME"], cwd="/src")
        assert (done.exit_code, done.stdout.split()[0]) == (0, "2")
        words = ["it's; rm $HOME", "$(id)", "", " a  b\n", "*", "-n", "x" * 100_000, "y" * 100_000]
        done = fs.run(["python3", "-c", "import os, sys; print(sys.argv[1:]); print(os.environ)", *words])
        assert done.stdout.startswith(f"{words}\n")
        assert "CHUK_WORD" not in done.stdout
        with pytest.raises(ValueError, match="at least one word"):
            fs.run([])
        assert fs.run("echo $WHO >&2; exit 3", env={"WHO": "me"}).exit_code == 3
        assert fs.run("echo made > made.txt").exit_code == 0
        assert fs.cat_file("/made.txt") == b"made\n"
        with pytest.raises(OSError) as caught:
            fs.run("sleep 5", timeout=0.2)
        assert caught.value.errno == errno.ETIMEDOUT


def test_code(service: Service, root: Path) -> None:
    pytest.importorskip("e2b_code_interpreter")
    with service.filesystem(root) as fs:
        assert fs.run_code("print(6 * 7)").logs.stdout == ["42\n"]
        assert fs.sandbox.run_code("1 / 0").error.name == "ZeroDivisionError"  # type: ignore[attr-defined]
        assert fs.sandbox.sandbox_id == fs.sandbox_id


def test_a_mount_point_beside_others(service: Service, root: Path) -> None:
    with service.filesystem(root) as fs:
        tree = MountedFileSystem({"/": MemoryFileSystem.private(), "/box": fs})
        tree.pipe({"/a/f": b"1", "/a/g": b"2"})
        tree.cp("/a", "/box/a", recursive=True)
        tree.mv("/box/a/f", "/back")
        assert fs.find("/") == ["/a/g"]
        assert tree.cat_file("/back") == b"1"
