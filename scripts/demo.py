"""What `make demo` shows: a workspace in memory, filled through fsspec, that real tools work in through a mount.

Every step asserts what it shows. What this machine lacks is skipped, with the reason; any other failure is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
from mcp import Client
from webdav4.fsspec import WebdavFileSystem

from chuk_adapters.fuse import MountOptions, mount
from chuk_adapters.mcp import mcp_server
from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec import MemoryFileSystem
from chuk_fsspec.transfer.sync import sync

SAMPLES = Path(__file__).with_suffix("")
STORE = {"name": "demo"}
REPORT = "/project/typescript/src/report.ts"
WRONG = b"let total: string = sum(sales.map(({ cents }) => cents));"
RIGHT = b"const total = format(sum(sales.map(({ cents }) => cents)));"

EDIT = {"oldText": "Rome,5", "newText": "Rome,7"}
MODEL: list[tuple[str, dict[str, Any]]] = [
    ("grep_files", {"path": "/project/python", "pattern": "Rome,5"}),
    ("begin_stage", {}),
    ("edit_file", {"path": "/project/python/table.csv", "edits": [EDIT]}),
    ("diff_stage", {"text": True}),
    ("commit_stage", {}),
]
"""Tools that a model calls, one after the other."""

CANNOT_MOUNT = (errno.ENODEV, errno.EPERM, errno.EACCES)
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 300
"""Seconds for one program."""

# The tools must show the same to everybody: no settings of the user's, and no repository that `make` was called from.
FOREIGN = ("GIT_", "PYTEST_", "FORCE_COLOR")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)} | {
    "GIT_AUTHOR_NAME": "Demo",
    "GIT_AUTHOR_EMAIL": "demo@example.org",
    "GIT_COMMITTER_NAME": "Demo",
    "GIT_COMMITTER_EMAIL": "demo@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "NO_COLOR": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "npm_config_loglevel": "error",
    "npm_config_update_notifier": "false",
}

began = time.monotonic()
skipped: list[str] = []


def step(title: str) -> None:
    """Announce a step before its work begins."""
    print(f"\n[{time.monotonic() - began:5.1f} s] {title}", flush=True)


def show(text: str, lines: int = 12) -> None:
    """Show the beginning of a text."""
    found = [line for line in text.splitlines() if line.strip()]
    for line in found[:lines]:
        print(f"    {line}")
    if len(found) > lines:
        print(f"    ... and {len(found) - lines} more lines")
    sys.stdout.flush()


def skip(what: str, reason: str) -> None:
    """Say what is left out, and why."""
    print(f"    skipped {what}: {reason}", flush=True)
    skipped.append(what)


def run(*command: str, cwd: Path, code: int = 0) -> str:
    """Run a program, show what it says, and return that.

    Raises:
        AssertionError: if it ends with another exit code than expected.
        subprocess.TimeoutExpired: if it does not end.
    """
    print(f"    $ {' '.join([Path(command[0]).name, *command[1:]])}", flush=True)
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    except BaseException:
        # All that it started ends with it: a program that lives on would keep the mount busy.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    show(output)
    assert process.returncode == code, f"{command[0]} ended with {process.returncode} instead of {code}"
    return output


def tree(fs: MemoryFileSystem, path: str, depth: int) -> str:
    """A directory as an indented list, sizes in bytes; what git and npm keep for themselves is left out."""
    found = fs.find(path, maxdepth=depth, withdirs=True, detail=True)
    lines = []
    for name, info in sorted(found.items(), key=lambda item: item[0].split("/")):
        if "/.git/" in name or "/node_modules/" in name:
            continue
        parent, _, own_name = name.rpartition("/")
        text = "  " * parent.count("/") + own_name
        lines.append(f"{text}/" if info["type"] == "directory" else f"{text:<40} {info['size']:>6}")
    return "\n".join(lines)


def write_samples(fs: MemoryFileSystem) -> None:
    """Two small projects and a table, through fsspec and pandas."""
    step("fsspec: put a Python package and a TypeScript project into a chukmem workspace")
    fs.put(f"{SAMPLES}/", "/project", recursive=True)
    assert fs.cat_file(REPORT) == (SAMPLES / "typescript/src/report.ts").read_bytes()

    table = pd.DataFrame({"city": ["Oslo", "Rome", "Oslo"], "sold": [3, 5, 4]})
    table.to_csv("chukmem://project/python/table.csv", index=False, storage_options=STORE)
    show(tree(fs, "/project", depth=4), lines=30)


def fail_while_writing(fs: MemoryFileSystem) -> None:
    """A file under its name is always a complete one."""
    step("fsspec: a program that dies while writing leaves the old file")
    before = fs.cat_file("/project/python/table.csv")
    with contextlib.suppress(RuntimeError), fs.open("/project/python/table.csv", "w") as file:
        file.write("city,so")
        raise RuntimeError("the program dies here")
    assert fs.cat_file("/project/python/table.csv") == before
    show(before.decode())


@contextlib.contextmanager
def mounted(fs: MemoryFileSystem) -> Iterator[Path | None]:
    """The mount point, gone afterwards whatever happens; None where this machine or user cannot mount."""
    step("mount it")
    point = Path(tempfile.mkdtemp(prefix="chuk-demo-"))
    # A signal while mounting waits: it must find either nothing mounted, or a mount that can be taken down.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        try:
            live = mount(fs, point, MountOptions(fsname="chukmem"))
        except OSError as error:
            if error.errno not in CANNOT_MOUNT:
                raise
            skip("every tool on a mount", f"{error.strerror} ({error.filename})")
            yield None
            return
        with live:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            show(f"chukmem on {point}")
            yield point
            step("unmount")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        point.rmdir()


def use_git(point: Path) -> None:
    """A repository with one commit, and a clone of it."""
    step("git: init, add, commit, clone")
    if shutil.which("git") is None:
        skip("git", "it is not installed")
        return
    project = point / "project"
    run("git", "init", "--quiet", "--initial-branch=main", cwd=project)
    run("git", "add", ".", cwd=project)
    run("git", "commit", "--quiet", "--message=Two small projects", cwd=project)
    assert run("git", "status", "--short", cwd=project) == ""
    run("git", "clone", "--quiet", "project", "clone", cwd=point)
    log = run("git", "log", "--stat=60", "--oneline", cwd=point / "clone")
    assert "Two small projects" in log


def use_python(point: Path) -> None:
    """The package's own tests, and its program on the table that pandas wrote."""
    step("pytest, and the package itself")
    python = point / "project/python"
    assert "3 passed" in run(sys.executable, "-m", "pytest", "-v", cwd=python)
    assert run(sys.executable, "-m", "sales", "table.csv", cwd=python).split() == ["Oslo", "7", "Rome", "5"]


def use_node(fs: MemoryFileSystem, point: Path) -> None:
    """Compiler and linter find the error; it is corrected through fsspec; they agree."""
    project = point / "project/typescript"
    step("npm: install tsc and eslint (some 120 packages) on the mount")
    reason = why_no_npm()
    if reason:
        skip("tsc and eslint", reason)
        return
    run("npm", "install", "--no-audit", "--no-fund", cwd=project)

    step("tsc and eslint: one line is wrong")
    assert "error TS2322" in run("node_modules/.bin/tsc", cwd=project, code=1)
    assert "prefer-const" in run("node_modules/.bin/eslint", ".", cwd=project, code=1)

    step("fsspec: correct that line while the workspace is mounted; tsc and eslint agree")
    wrong = fs.cat_file(REPORT)
    assert WRONG in wrong
    fs.pipe_file(REPORT, wrong.replace(WRONG, RIGHT))
    assert run("node_modules/.bin/tsc", cwd=project) == ""
    assert run("node_modules/.bin/eslint", ".", cwd=project) == ""
    show("(both have nothing to say any more)")
    assert "22.30 EUR" in run("node", "dist/report.js", cwd=project)
    if shutil.which("git"):
        assert "report.ts" in run("git", "diff", "--stat", cwd=project)


def why_no_npm() -> str:
    """Why nothing can be installed from the npm registry; empty if it can."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    version = json.loads((SAMPLES / "typescript/package.json").read_text())["devDependencies"]["typescript"]
    ask = ["npm", "view", f"typescript@{version}", "version", "--fetch-retries=0", "--fetch-timeout=10000"]
    answer = subprocess.run(ask, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return "" if version in answer.stdout else "the npm registry cannot be reached"


def look_around(fs: MemoryFileSystem, point: Path) -> None:
    """The same files from both sides."""
    step("df, and what the tools left behind, seen through fsspec")
    assert "chukmem" in run("df", "-h", str(point), cwd=point)
    files = fs.find("/", detail=True)
    show(f"{len(files)} files, {sum(info['size'] for info in files.values()) / 1e6:.1f} MB")
    show(tree(fs, "/project", depth=4), lines=40)


def go_back(fs: MemoryFileSystem, point: Path) -> None:
    """A snapshot, and everything as it was in it."""
    step("a snapshot; everything is removed on the mount; one step back")
    before = fs.find("/", detail=True)
    fs.snapshots.create("all good", "what the tools have made")
    shutil.rmtree(point / "project")
    assert not fs.exists("/project")
    fs.snapshots.restore("all good")
    assert fs.find("/", detail=True) == before
    assert (point / "project/python/table.csv").exists()
    show(f"{len(before)} files are back")


def approve(fs: MemoryFileSystem) -> None:
    """A stage: what is changed, before it counts."""
    step("a stage: what is changed is shown, and dropped")
    with fs.stage() as staged:
        staged.pipe_file("/project/python/README.md", b"# Sales\n")
        staged.rm("/project/python/table.csv")
        show(str(staged.diff()))
    assert fs.exists("/project/python/table.csv")


def serve(fs: MemoryFileSystem) -> None:
    """The same files over the network."""
    step("WebDAV: a file is fetched and replaced by URL")
    with WebDAVAdapter(fs, port=0) as server:
        remote = WebdavFileSystem(server.url)
        show(remote.cat_file("project/python/table.csv").decode(), lines=3)
        remote.pipe_file("project/python/table.csv", b"city,sold\nRome,5\n")
    assert fs.cat_file("/project/python/table.csv") == b"city,sold\nRome,5\n"


async def ask_as_a_model(fs: MemoryFileSystem) -> None:
    """What a model does with the tools of the MCP server."""
    step("MCP: a model searches and edits on a stage; nothing counts until it is committed")
    async with Client(mcp_server(fs)) as client:
        for tool, arguments in MODEL:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result
            show(f"{tool} {json.dumps(arguments)}")
            show(result.content[0].text, lines=6)
    assert fs.cat_file("/project/python/table.csv") == b"city,sold\nRome,7\n"


def carry_away(fs: MemoryFileSystem) -> None:
    """One SQLite file with all of it, and the command line on that."""
    step("everything goes into one SQLite file, which the command line shows")
    with tempfile.TemporaryDirectory(prefix="chuk-demo-") as place:
        target = fsspec.filesystem("chuksqlite", database=f"{place}/work.db")
        report = sync((fs, "/project/python"), (target, "/"))
        assert report.left_out_count == 0
        url = f"chuksqlite://::file://{place}/work.db"
        show(run(sys.executable, "-m", "chuk_fsspec", "tree", url, cwd=Path(place)), lines=20)


def demonstrate(*, npm: bool) -> None:
    """All steps."""
    fs = fsspec.filesystem("chukmem", **STORE)
    write_samples(fs)
    fail_while_writing(fs)
    with mounted(fs) as point:
        if point is None:
            return
        use_git(point)
        use_python(point)
        if npm:
            use_node(fs, point)
        else:
            skip("tsc and eslint", "--no-npm was given")
        look_around(fs, point)
        go_back(fs, point)
    approve(fs)
    serve(fs)
    asyncio.run(ask_as_a_model(fs))
    carry_away(fs)


def main() -> int:
    """Run the demonstration; 0 if everything that can work here did."""
    parser = argparse.ArgumentParser(description="Show chuk-fsspec at work.")
    parser.add_argument("--no-npm", action="store_true", help="install nothing from the npm registry")
    args = parser.parse_args()
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    try:
        demonstrate(npm=not args.no_npm)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; nothing is left mounted", file=sys.stderr)
        return 130
    except (AssertionError, OSError, subprocess.SubprocessError) as error:
        print(f"\ndemo: failed: {error or 'an assertion'}", file=sys.stderr)
        return 1
    left_out = f"; skipped {', '.join(skipped)}" if skipped else ""
    print(f"\ndemo: all steps did what they should, in {time.monotonic() - began:.0f} s{left_out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
