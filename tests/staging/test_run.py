"""``chuk-fsspec run`` as a user has it: real tools, signals, a terminal, and what is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.cli.mounts import read_mountinfo
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/mountinfo"),
    pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="/dev/fuse cannot be opened"),
]

WAIT = 60.0
"""Seconds: longer than anything here takes."""
RUN = [sys.executable, "-m", "chuk_fsspec", "run"]

WORDS = Path(__file__).with_name("words")
"""A program in C."""

PLAIN = {key: value for key, value in os.environ.items() if key not in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")}
"""The environment without that of a `make` that these tests may be run by."""

MAKEFILE = """
CFLAGS = -Isrc -O1
prog: build/main.o build/add.o build/libmul.a
\tgcc -o $@ build/main.o build/add.o -Lbuild -lmul
build/libmul.a: build/mul.o
\tar rcsD $@ $<
build/%.o: src/%.c src/math.h | build
\tgcc $(CFLAGS) -c -o $@ $<
build:
\tmkdir -p build
.INTERMEDIATE: build/mul.o
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A C project of several files."""
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "Makefile").write_text(MAKEFILE)
    (project / "src/math.h").write_text("int add(int, int);\nint mul(int, int);\n")
    (project / "src/add.c").write_text('#include "math.h"\nint add(int a, int b) { return a + b; }\n')
    (project / "src/mul.c").write_text('#include "math.h"\nint mul(int a, int b) { return a * b; }\n')
    (project / "src/main.c").write_text(
        '#include <stdio.h>\n#include "math.h"\nint main(void) { printf("%d\\n", mul(add(1, 2), 14)); return 0; }\n'
    )
    return project


@pytest.fixture(autouse=True)
def nothing_stays_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    yield
    assert mounts(tmp_path) == []
    assert list(temporary.iterdir()) == []


def mounts(below: Path) -> list[str]:
    table = os.fsdecode(Path("/proc/self/mountinfo").read_bytes())
    return [mounted.path for mounted in read_mountinfo(table) if mounted.path.startswith(f"{below}/")]


def chuk_run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [*RUN, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=WAIT, check=False, stdin=subprocess.DEVNULL
    )


def tree(directory: Path, *, with_times: bool) -> dict[str, tuple[Any, ...]]:
    """Everything below a directory: kind and mode, content, and when it was changed."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(directory))] = (
            status.st_mode,
            content,
            status.st_nlink if path.is_file() else 0,
            status.st_mtime_ns if with_times else 0,
        )
    return found


@pytest.mark.skipif(not (shutil.which("make") and shutil.which("gcc")), reason="needs make and gcc")
class TestMake:
    def test_discarded_it_leaves_the_original_untouched(self, project: Path) -> None:
        before = tree(project, with_times=True)
        done = chuk_run("--discard", "--", "make", cwd=project)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-8:] == [
            "A /build/",
            *(line for line in done.stderr.splitlines() if line.startswith("A /build/") and line != "A /build/"),
            *(line for line in done.stderr.splitlines() if line.startswith("A /prog")),
            "5 added",
            "discarded",
        ]
        assert tree(project, with_times=True) == before

    def test_committed_it_is_what_running_it_directly_makes(self, project: Path, tmp_path: Path) -> None:
        twin = Path(shutil.copytree(project, tmp_path / "twin"))
        sources = tree(project, with_times=True)
        done = chuk_run("--yes", "--", "make", cwd=project)
        assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "committed: 5 added")
        subprocess.run(["make"], cwd=twin, check=True, capture_output=True)
        assert tree(project, with_times=False) == tree(twin, with_times=False)
        after = tree(project, with_times=True)
        assert {path: after[path] for path in sources} == sources
        assert subprocess.run(["./prog"], cwd=project, capture_output=True, check=True).stdout == b"42\n"
        again = subprocess.run(["make"], cwd=project, env=PLAIN, capture_output=True, text=True, check=True)
        assert again.stdout == "make: 'prog' is up to date.\n"

    def test_an_edit_and_a_build(self, project: Path) -> None:
        subprocess.run(["make"], cwd=project, check=True, capture_output=True)
        script = "sed -i s/14/7/ src/main.c && make && mv src/math.h src/all.h && ln prog prog2 && rm build/add.o"
        done = chuk_run("--yes", "--", "sh", "-c", script, cwd=project)
        lines = [line.split(" (")[0] for line in done.stderr.splitlines()]
        assert lines == [
            "D /build/add.o",
            "M /build/main.o",
            "M /prog",
            "A /prog2",
            "R /src/math.h -> /src/all.h",
            "M /src/main.c",
            "1 added, 1 removed, 3 modified, 1 renamed",
            "committed: 1 added, 1 removed, 3 modified, 1 renamed",
        ]
        assert os.path.samefile(project / "prog", project / "prog2")
        assert subprocess.run(["./prog"], cwd=project, capture_output=True, check=True).stdout == b"21\n"

    def test_a_program_with_its_library(self, tmp_path: Path) -> None:
        """Built by two at once, with dependencies that the compiler finds, two kinds of library, and links."""
        words = Path(shutil.copytree(WORDS, tmp_path / "words"))
        twin = Path(shutil.copytree(WORDS, tmp_path / "twin"))
        before = tree(words, with_times=True)
        build = ("make", "-j2", "check", "install")
        done = chuk_run("--discard", "--full", "--", *build, cwd=words)
        assert done.returncode == 0, done.stderr
        assert tree(words, with_times=True) == before
        subprocess.run(build, cwd=twin, env=PLAIN, check=True, capture_output=True)
        made = tree(twin, with_times=False)
        shown = {line.split(" (")[0].rstrip("/") for line in done.stderr.splitlines() if line.startswith("A ")}
        assert shown == {f"A /{path}" for path in made.keys() - before.keys()}

        done = chuk_run("--yes", "--", *build, cwd=words)
        assert done.returncode == 0, done.stderr
        assert tree(words, with_times=False) == made
        assert os.path.samefile(words / "out/bin/words", words / "out/bin/wordcount")
        counted = subprocess.run(
            ["out/bin/words", "-n1", "tests/sample.txt"], cwd=words, capture_output=True, check=True
        )
        assert counted.stdout == b"6 the\n"

        done = chuk_run("--yes", "--", "sh", "-c", "touch include/reader.h && make", cwd=words)
        assert done.returncode == 0, done.stderr
        assert "src/reader.c" in done.stdout
        assert "src/table.c" not in done.stdout  # it does not include what was touched
        again = subprocess.run(["make"], cwd=words, env=PLAIN, capture_output=True, text=True, check=True)
        assert again.stdout == "make: Nothing to be done for 'all'.\n"


@pytest.mark.skipif(not shutil.which("npm"), reason="needs npm")
@pytest.mark.timeout(300)
class TestNpm:
    @pytest.fixture
    def package(self, tmp_path: Path) -> Path:
        """A project that depends on another one, which npm unpacks from an archive, so that no registry is asked."""
        library = tmp_path / "library"
        (library / "lib").mkdir(parents=True)
        manifest = {"name": "library", "version": "1.0.0", "main": "lib/a.js", "bin": {"library": "lib/a.js"}}
        (library / "package.json").write_text(json.dumps(manifest))
        (library / "lib/a.js").write_text("#!/usr/bin/env node\nmodule.exports = 42;\n")
        for number in range(60):
            (library / f"lib/{number}.js").write_text(f"module.exports = {number};\n")
        project = tmp_path / "package"
        project.mkdir()
        subprocess.run(["npm", "pack", "--silent", str(library)], cwd=project, check=True, capture_output=True)
        needs = {"library": "file:library-1.0.0.tgz"}
        (project / "package.json").write_text(json.dumps({"name": "p", "version": "1.0.0", "dependencies": needs}))
        return project

    INSTALL = ("npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel=error")

    def test_discarded_and_committed(self, package: Path, tmp_path: Path) -> None:
        twin = Path(shutil.copytree(package, tmp_path / "twin"))
        before = tree(package, with_times=True)
        done = chuk_run("--discard", "--", *self.INSTALL, cwd=package)
        assert done.returncode == 0, done.stderr
        assert any(line.startswith("A /node_modules/ (") for line in done.stderr.splitlines())
        assert any(line.startswith("A /package-lock.json") for line in done.stderr.splitlines())
        assert tree(package, with_times=True) == before
        done = chuk_run("--yes", "--", *self.INSTALL, cwd=package)
        assert done.returncode == 0, done.stderr
        subprocess.run(self.INSTALL, cwd=twin, check=True, capture_output=True)
        assert tree(package, with_times=False) == tree(twin, with_times=False)

    @pytest.mark.slow
    def test_packages_of_the_registry(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As people have it: dozens of packages, unpacked in parallel, renamed into place, with links to programs."""
        asking = ["npm", "view", "left-pad", "version", "--fetch-retries=0", "--fetch-timeout=10000"]
        if subprocess.run(asking, cwd=tmp_path, capture_output=True, check=False).returncode:
            pytest.skip("the npm registry cannot be reached")
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
        package = tmp_path / "server"
        package.mkdir()
        (package / "package.json").write_text(json.dumps({"name": "server", "version": "1.0.0", "private": True}))
        (package / "index.js").write_text("console.log(typeof require('express')(), require('left-pad')(7, 3, 0));\n")
        install = ("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "express@4.21.2", "left-pad@1.3.0")
        before = tree(package, with_times=True)

        done = chuk_run("--discard", "--full", "--", *install, cwd=package)
        assert done.returncode == 0, done.stderr
        assert tree(package, with_times=True) == before
        shown = {line.split(" (")[0].rstrip("/") for line in done.stderr.splitlines() if line[:2] in ("A ", "M ", "D ")}

        done = chuk_run("--yes", "--", "sh", "-c", f"{' '.join(install)} && node index.js", cwd=package)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "function 007"
        after = tree(package, with_times=True)
        added = {f"A /{path}" for path in after.keys() - before.keys()}
        assert shown == added | {"M /package.json"}
        assert len(added) > 500
        assert after["index.js"] == before["index.js"]
        works = subprocess.run(["node", "index.js"], cwd=package, capture_output=True, text=True, check=True)
        assert works.stdout == "function 007\n"

        twin = tmp_path / "twin"
        twin.mkdir()
        (twin / "package.json").write_text(json.dumps({"name": "server", "version": "1.0.0", "private": True}))
        shutil.copy(package / "index.js", twin)
        subprocess.run([*install, "--prefer-offline"], cwd=twin, check=True, capture_output=True)
        assert tree(package, with_times=False) == tree(twin, with_times=False)


class TestCommand:
    def test_its_exit_code_is_passed_on_and_nothing_committed(self, project: Path) -> None:
        before = tree(project, with_times=True)
        done = chuk_run("--yes", "--", "sh", "-c", "echo out; touch new; exit 7", cwd=project)
        assert (done.returncode, done.stdout) == (7, "out\n")
        assert "exit code 7, so --yes commits nothing" in done.stderr
        assert tree(project, with_times=True) == before

    def test_one_that_is_killed(self, project: Path) -> None:
        done = chuk_run("--yes", "--", "sh", "-c", "touch new; kill -9 $$", cwd=project)
        assert done.returncode == 128 + signal.SIGKILL
        assert not (project / "new").exists()

    def test_one_that_is_not_there(self, project: Path) -> None:
        done = chuk_run("--yes", "--", "no-such-command", cwd=project)
        assert done.returncode == 127
        assert "no-such-command: command not found" in done.stderr

    def test_nothing_changed(self, project: Path) -> None:
        done = chuk_run("--yes", "--", "true", cwd=project)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing changed\n")

    def test_without_a_terminal_somebody_has_to_decide_before(self, project: Path) -> None:
        done = chuk_run("--", "true", cwd=project)
        assert done.returncode == 1
        assert "add --yes, --discard or --keep FILE" in done.stderr
        assert chuk_run("--yes", cwd=project).returncode == 1

    def test_a_conflict_is_shown_and_nothing_is_lost(self, project: Path, tmp_path: Path) -> None:
        stage = tmp_path / "stage.db"
        script = f"echo mine > Makefile; echo theirs > {project}/Makefile"
        done = chuk_run("--keep", stage, "--yes", "--", "sh", "-c", script, cwd=project)
        assert done.returncode == 1
        assert "/Makefile was changed" in done.stderr
        assert (project / "Makefile").read_text() == "theirs\n"
        done = chuk_run("--keep", stage, "--discard", "--", "cat", "Makefile", cwd=project)
        assert done.stdout == "mine\n"

    def test_what_is_kept_goes_on(self, project: Path, tmp_path: Path) -> None:
        stage = tmp_path / "stage.db"
        done = chuk_run("--keep", stage, "--", "sh", "-c", "echo 1 > one; mv src source", cwd=project)
        assert done.stderr.splitlines()[-1] == f"kept in {stage}"
        assert not (project / "one").exists()
        done = chuk_run("--keep", stage, "--yes", "--", "sh", "-c", "echo 2 >> one; ls", cwd=project)
        assert done.stdout.split() == ["Makefile", "one", "source"]
        assert (project / "one").read_text() == "1\n2\n"
        assert sorted(path.name for path in project.iterdir()) == ["Makefile", "one", "source"]

    def test_on_any_url_at_any_place(self, tmp_path: Path) -> None:
        database = tmp_path / "w.db"
        SqliteFileSystem(database=str(database)).pipe_file("/d/f", b"1")
        (tmp_path / "here").mkdir()
        url = f"chuksqlite://d::file://{database}"
        done = chuk_run("--on", url, "--at", tmp_path / "here", "--yes", "--", "sh", "-c", "pwd; cp f g", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"{tmp_path}/here\n")
        read = [
            sys.executable,
            "-c",
            f"import fsspec; fs = fsspec.filesystem('chuksqlite', database={str(database)!r}); print(fs.find('/'))",
        ]
        assert subprocess.run(read, capture_output=True, text=True, check=True).stdout == "['/d/f', '/d/g']\n"
        (tmp_path / "here").rmdir()


# ---- signals


@contextlib.contextmanager
def running(project: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run whose command has made a file and waits."""
    script = "import time; open('started', 'w').close(); print('ready', flush=True); time.sleep(60)"
    command = [*RUN, *options, "--", sys.executable, "-c", script]
    process = subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_for_the_command(project: Path, number: int, tmp_path: Path) -> None:
    with running(project, "--yes") as process:
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=WAIT)
        assert process.returncode == 128 + number
    assert b"A /started" in errors
    assert not (project / "started").exists()
    assert mounts(tmp_path) == []


def test_it_is_killed_itself(project: Path, tmp_path: Path) -> None:
    with running(project, "--yes") as process:
        assert len(mounts(tmp_path)) == 1
        process.kill()
        wait_until(lambda: not mounts(tmp_path) and not os.listdir(tmp_path / "tmp"))
    assert not (project / "started").exists()


def test_the_kept_file_is_not_seen_in_the_stage(project: Path) -> None:
    keep = ("--keep", "changes.db")
    chuk_run(*keep, "--", "sh", "-c", "find . > found; echo 1 > one", cwd=project)
    done = chuk_run(*keep, "--", "sh", "-c", "find . | sort; rm found", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "changes.db" not in done.stdout
    assert "./one" in done.stdout
    assert done.stderr.splitlines()[-1] == "kept in changes.db"
    done = chuk_run(*keep, "--yes", "--", "true", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "one").exists()
    assert not (project / "found").exists()
    assert (project / "changes.db").exists()


def test_a_directory_with_the_kept_file_is_not_removed(project: Path) -> None:
    (project / "d").mkdir()
    done = chuk_run("--keep", "d/changes.db", "--yes", "--", "rmdir", "d", cwd=project)
    assert done.returncode == 1
    assert "/d/changes.db" in done.stderr
    assert (project / "d" / "changes.db").exists()


def test_it_is_mounted_inside_of_what_it_shows(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is for whoever works in the directory of temporary files, or gives --at there."""
    (project / "tmp" / "deep").mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(project / "tmp" / "deep"))
    for options in ((), ("--at", "tmp/deep")):
        done = chuk_run("--discard", *options, "--", "find", "tmp", cwd=project)
        assert (done.returncode, done.stdout, done.stderr) == (0, "tmp\ntmp/deep\n", "nothing changed\n")


def test_a_directory_keeps_no_changes(project: Path) -> None:
    done = chuk_run("--keep", "src", "--", "true", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--keep src is a directory; name a file" in done.stderr


# ---- a terminal


@pytest.mark.parametrize(("typed", "is_committed"), [("y", True), ("yes", True), ("n", False), ("", False)])
def test_it_asks(project: Path, typed: str, is_committed: bool) -> None:
    ours, theirs = pty.openpty()
    command = [*RUN, "--", "sh", "-c", "echo 1 > new"]
    with subprocess.Popen(command, cwd=project, stdin=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        os.write(ours, f"{typed}\n".encode())
        assert process.stderr is not None
        shown = process.stderr.read()
        assert process.wait(WAIT) == 0
    os.close(ours)
    assert shown.startswith("A /new (2 bytes)\n1 added\ncommit these changes? [y/N] ")
    assert (project / "new").exists() is is_committed
