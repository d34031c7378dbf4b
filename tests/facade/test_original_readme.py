"""Every Python block of chuk-virtual-fs's README does what it says there, with nothing changed but names of imports.

Directories of this machine that a block names are moved to where the test may write, and the services to this machine.
What a block takes from programs around it, such as ``generated_code``, is given to it.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pytest
from mcp import Client, types
from mcp.server import MCPServer

from chuk_fsspec import AsyncVirtualFileSystem, SecurityViolation, SyncVirtualFileSystem, VirtualFileSystem
from chuk_fsspec.backends.s3 import S3FileSystem
from tests.gdrive.server.running import DriveServer, drive_server
from tests.remote.services import s3_environment

FOLDER = Path(__file__).parent / "original_readme"
BLOCKS = {path.stem: path for path in sorted(FOLDER.glob("*.txt"))}

IMPORTS = {
    "chuk_virtual_fs.snapshot_manager": "chuk_fsspec",
    "chuk_virtual_fs.template_loader": "chuk_fsspec",
    "chuk_virtual_fs.mount": "chuk_adapters.fuse",
    "chuk_virtual_fs.adapters": "chuk_adapters.webdav",
    "chuk_virtual_fs.providers": "chuk_fsspec.backends.gdrive",
    "chuk_virtual_fs": "chuk_fsspec",
}

PATIENCE = 30
"""Seconds after which a mount that does not appear has failed."""


def code_of(name: str, **moved: object) -> str:
    """A block with our imports, and with directories of this machine moved."""
    code = BLOCKS[name].read_text()
    for old, new in IMPORTS.items():
        code = code.replace(f"from {old} import", f"from {new} import")
    for old_path, new_path in moved.items():
        assert f"/{old_path}" in code
        code = code.replace(f"/{old_path}", str(new_path))
    return code


def run(code: str, **given: Any) -> dict[str, Any]:
    """Run a block with what it takes from around it, and return its names."""
    names = {"__name__": "__main__", **given}
    exec(compile(code, "block", "exec"), names)
    return names


def test_every_block_is_run() -> None:
    source = Path(__file__).read_text()
    assert [name for name in BLOCKS if f'"{name}"' not in source] == []


REFERENCE = (
    *("mkdir(path)", "touch(path)", "write_file(path, content)", "read_file(path)", "ls(path)", "cd(path)", "pwd()"),
    *("rm(path)", "cp(source, destination)", "mv(source, destination)", "find(path, recursive)"),
    *("search(path, pattern, recursive)", "get_node_info(path)", "get_fs_info()"),
    *("stream_write(path, stream, chunk_size, progress_callback)", "stream_read(path, chunk_size)"),
    *("mount(mount_point, provider)", "unmount(mount_point)", "list_mounts()"),
)
"""Its API reference."""


@pytest.mark.parametrize("line", REFERENCE)
def test_every_method_of_the_reference_is_there(line: str) -> None:
    name, arguments = line.removesuffix(")").split("(")
    given = dict.fromkeys(arguments.split(", ") if arguments else [], "x")
    for kind in (VirtualFileSystem, AsyncVirtualFileSystem):
        inspect.signature(getattr(kind, name)).bind(None, **given)


def test_both_names_are_of_one_class() -> None:
    assert SyncVirtualFileSystem is VirtualFileSystem


def test_quick_start(capsys: pytest.CaptureFixture) -> None:
    run(code_of("01_quick_start"))
    assert capsys.readouterr().out.splitlines() == [
        "Hello, Virtual World!",
        "['hello.txt']",
        "/home/user/documents",
        "['/home/user/documents/hello.txt', '/home/user/hello_moved.txt']",
    ]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """S3 on this machine, and the variables that lead there, which are set."""
    with s3_environment() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment
        S3FileSystem.clear_instance_cache()


def new_bucket(name: str) -> None:
    S3FileSystem().mkdir(f"/{name}")


def test_s3_provider(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    new_bucket("your-bucket-name")
    dotenv = ModuleType("dotenv")
    dotenv.load_dotenv = lambda: monkeypatch.setenv("S3_BUCKET_NAME", "your-bucket-name")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dotenv", dotenv)
    code = code_of("02_s3_provider").replace("https://your-endpoint.example.com", s3["AWS_ENDPOINT_URL_S3"])
    run(code)
    assert capsys.readouterr().out == "['notes.txt']\n"
    found = S3FileSystem(bucket_name="your-bucket-name").cat_file("/your-prefix/projects/notes.txt")
    assert found == b"Virtual filesystem backed by S3"
    without = run("from chuk_fsspec import VirtualFileSystem\nfs = VirtualFileSystem('s3')")["fs"]
    assert without.ls("/") == ["your-prefix"]


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> Iterator[DriveServer]:
    """A Google Drive of this machine."""
    with drive_server() as server:
        monkeypatch.setenv("GOOGLE_DRIVE_ENDPOINT_URL", server.address)
        yield server


def test_google_drive(
    drive: DriveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """As it stands, with ``await`` outside of any function."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "google_drive_credentials.json").write_text(json.dumps(drive.credentials))
    names: dict[str, Any] = {}
    code = compile(code_of("04_google_drive_provider"), "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    asyncio.run(eval(code, names))
    assert names["content"] == "# My Project\n\nFiles stored in Google Drive!"
    assert names["files"] == ["README.md"]
    assert capsys.readouterr().out.startswith("Size: 43 bytes\nModified: 20")
    titles = [file.title for file in drive.drive.files.values()]
    assert titles == ["My Drive", "Shared", "CHUK", "projects", "demo", "README.md"]


def test_google_drive_parameters(drive: DriveServer) -> None:
    code = code_of("05_google_drive_parameters").replace("import ", "import GoogleDriveFileSystem as ")
    provider = run(code, credentials_dict=drive.credentials)["provider"]
    provider.pipe_file("/f", b"x")
    assert provider.info("/f")["metadata"] == {"session_id": "optional_session_id", "sandbox_id": "default"}
    provider.close()


def test_security_profiles() -> None:
    """The line that says "This will fail" fails, and the others run."""
    names: dict[str, Any] = {}
    refused = []
    for step in ast.parse(code_of("06_security_profiles")).body:
        try:
            exec(compile(ast.Module([step], []), "block", "exec"), names)
        except SecurityViolation as error:
            refused.append((ast.unparse(step), error.filename))
    assert refused == [("fs.write_file('/etc/sensitive', 'This will fail')", "/etc/sensitive")]
    assert [(one["path"], one["effect"]) for one in names["violations"]] == [("/etc/sensitive", "write")]


def test_snapshots(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    run(code_of("07_snapshots", tmp=tmp_path))
    assert capsys.readouterr().out.splitlines() == [
        "initial_state: Initial filesystem setup",
        "Original content",
        "None",
    ]
    exported = json.loads((tmp_path / "snapshot.json").read_text())
    assert "/home/user/file.txt" in str(exported)


def test_templates() -> None:
    fs = run(code_of("08_templates"))["fs"]
    assert fs.find(path="/projects") == [
        *("/projects/app", "/projects/app/README.md", "/projects/app/docs"),
        *("/projects/app/src", "/projects/app/src/main.py"),
    ]
    sample = "A sample project created with the virtual filesystem"
    assert fs.read_file("/projects/app/README.md") == f"# My App\n\n{sample}"
    assert fs.read_file("/projects/app/src/main.py") == "def main():\n    print('Hello from My App!')"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the E2B SDK needs Python 3.11")
def test_e2b_provider(tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture) -> None:
    from tests.e2b.service import service_in

    root = tmp_path_factory.mktemp("sandbox")
    with service_in(root) as service:
        names = run(code_of("03_e2b_provider", **{"home/user/sandbox": root}))
        runs_code = hasattr(names["fs"].provider.sandbox, "run_code")
        logs = ["Logs(stdout: ['Hello from E2B sandbox!\\n'], stderr: [])"] if runs_code else []
        assert capsys.readouterr().out.splitlines() == ["['hello.py']", *logs]
        assert (root / "projects/python/hello.py").is_file()
        names["fs"].close()
        assert service.cloud.machines == {}


def test_streaming(capsys: pytest.CaptureFixture) -> None:
    run(code_of("09_streaming"))
    *uploaded, processed = capsys.readouterr().out.splitlines()
    size = sum(len(f"Line {number}: {'x' * 1000}\n") for number in range(1000))
    assert processed == f"Processed {size} bytes"
    told = [float(line.removeprefix("Uploaded ").removesuffix(" KB...")) for line in uploaded]
    assert [int(one / 100) for one in told] == list(range(10))  # every 100 KB, as the comment says


def test_progress_reporting(s3: dict[str, str], capsys: pytest.CaptureFixture) -> None:
    new_bucket("my-bucket")
    code = textwrap.dedent(code_of("10_progress_reporting"))
    asyncio.run(run(f"from chuk_fsspec import AsyncVirtualFileSystem\n{code}")["upload_with_progress"]())
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"Progress: 0.0% ({sum(len(f'Record {number}' + chr(10)) for number in range(10_000)):,} bytes)"


class LineDeadError(Exception):
    """What the data stream fails with."""


@pytest.mark.parametrize("fails", [False, True])
def test_atomic_writes(fails: bool, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    async def data_stream() -> Any:
        yield b'{"critical":'
        if fails:
            raise LineDeadError("the line went dead")
        yield b" true}"

    code = code_of("11_atomic_writes", data=tmp_path)
    names = run(f"from chuk_fsspec import AsyncVirtualFileSystem\n{code}", data_stream=data_stream)
    asyncio.run(names["safe_streaming"]())
    if fails:
        assert capsys.readouterr().out == "Upload failed safely: the line went dead\n"
        assert os.listdir(tmp_path) == []
    else:
        [found] = tmp_path.rglob("*.json")
        assert json.loads(found.read_text()) == {"critical": True}


def test_virtual_mounts(s3: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    new_bucket("my-bucket")
    code = code_of("12_virtual_mounts", **{"tmp/storage": tmp_path})
    run(code.replace("https://my-endpoint.com", s3["AWS_ENDPOINT_URL_S3"]))
    assert capsys.readouterr().out == "/cloud: s3\n/local: filesystem\n"
    assert (tmp_path / "cache.txt").read_text() == "Stored locally"
    assert (tmp_path / "backup.txt").read_text() == "Stored in S3"


CTRL_C = "signal.signal(signal.SIGINT, signal.default_int_handler)"
"""As on a terminal; what runs in the background would inherit that it is ignored."""


@pytest.mark.mount
def test_fuse_mounting(tmp_path: Path) -> None:
    """The block waits for ever; Ctrl-C ends it, and the mount with it."""
    point = tmp_path / "mymount"
    code = f"import asyncio, signal\n{CTRL_C}\n" + code_of("14_fuse_mounting", **{"tmp/mymount": point})
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        hello = point / "hello.txt"
        try:
            assert wait_for(hello.exists, process)
            assert subprocess.run(["cat", hello], capture_output=True, text=True, check=True).stdout == "Mounted!"
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        except BaseException:
            process.kill()  # else it would be waited for without end
            subprocess.run(["umount", "--lazy", "--quiet", point], check=False)
            raise
    assert not os.path.ismount(point)
    assert os.listdir(point) == []


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    until = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


SAY_WHEN_IT_WAITS = """
from urllib.request import urlopen
from chuk_adapters.webdav import WebDAVAdapter as Adapter
wait = Adapter.wait
Adapter.wait = lambda adapter: print("it waits", flush=True) or wait(adapter)
"""


def test_webdav_mounting() -> None:
    """The block first serves until Ctrl-C, and then in the background; a free port stands for 8080."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = (
        code_of("13_webdav_mounting")
        .replace("8080", str(port))
        .replace("adapter.stop()", "print(urlopen(adapter.url + 'documents/updated.txt').read())\nadapter.stop()")
    )
    command = [sys.executable, "-c", SAY_WHEN_IT_WAITS + code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "it waits\n"
        with urlopen(f"http://localhost:{port}/documents/hello.txt", timeout=PATIENCE) as reply:
            assert reply.read() == b"Hello World!"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE)[0] == "b'New content!'\n"
    assert process.returncode == 0


def test_fuse_options() -> None:
    options = run(code_of("15_fuse_options"))["options"]
    assert (options.readonly, options.allow_other, options.debug, options.cache_timeout) == (False, False, False, 1.0)


MOUNTING = """
from chuk_fsspec import AsyncVirtualFileSystem
from chuk_adapters.fuse import mount, MountOptions
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """Where a block mounts; in the end nothing is mounted there any more."""
    point = tmp_path / "mcp-workspace"
    yield point
    assert not os.path.ismount(point)


@pytest.mark.mount
def test_fuse_for_mcp(workspace: Path) -> None:
    seen: list[str] = []

    async def process_with_real_tools() -> None:
        done = await asyncio.create_subprocess_exec("cat", workspace / "project" / "main.ts", stdout=-1)
        out, _ = await done.communicate()
        seen.append(out.decode())

    code = MOUNTING + code_of("16_fuse_for_mcp", **{"tmp/mcp-workspace": workspace})
    names = run(code, generated_code="let x = 1", process_with_real_tools=process_with_real_tools)
    asyncio.run(names["mcp_filesystem_tool"]())
    assert seen == ["let x = 1"]


def call_tool(server: MCPServer, name: str, **arguments: str) -> str:
    """What a client of the official SDK is told by a tool."""

    async def whole() -> str:
        async with Client(server) as client:
            result = await client.call_tool(name, arguments)
            [block] = result.content
            assert isinstance(block, types.TextContent)
            assert not result.is_error, block.text
            return block.text

    return asyncio.run(whole())


@pytest.mark.mount
def test_mcp_integration(workspace: Path) -> None:
    code = MOUNTING + code_of("17_mcp_integration", **{"tmp/mcp-workspace": workspace})
    server = MCPServer("workspaces")
    run(code, generated_code="let x = 1", mcp=server)
    assert call_tool(server, "create_project", project_type="typescript") == str(workspace)


@pytest.mark.mount
@pytest.mark.parametrize("code", ["let x = 1", "let x = "])
def test_mcp_workflow(code: str, workspace: Path, tmp_path: Path) -> None:
    """A tool that mounts what a model wrote, and runs programs there; ``mcp`` is a server of the official SDK."""
    (tmp_path / "bin").mkdir()
    for name, script in (
        ("tsc", 'tail -c 2 "$2" | grep -q = && echo "TS1109" >&2 && exit 2; true'),
        ("eslint", "ls $1"),
    ):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    async def run_bash_command(command: str) -> SimpleNamespace:
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        done = await asyncio.create_subprocess_shell(command, stdout=-1, stderr=-1, env={"PATH": path})
        out, err = await done.communicate()
        return SimpleNamespace(exit_code=done.returncode, stdout=out.decode(), stderr=err.decode())

    block = code_of("18_mcp_workflow", **{"tmp/mcp-typescript-workspace": workspace})
    assert "\nimport mcp\n" in block
    server = MCPServer("typescript")
    run(block.replace("\nimport mcp\n", "\n"), mcp=server, run_bash_command=run_bash_command)
    told = json.loads(call_tool(server, "generate_and_validate_typescript", code=code))
    if code == "let x = 1":
        passed = {"status": "success", "typescript_check": "passed", "lint_result": "main.ts\n"}
        assert told == {**passed, "path": str(workspace)}
    else:
        assert told == {"status": "error", "errors": "TS1109\n", "path": str(workspace)}
