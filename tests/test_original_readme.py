"""Every Python block of chuk-virtual-fs's README does what it says there, with nothing changed but names of imports.

Directories of this machine that a block names are moved to where the test may write. What a block takes from programs
around it, such as ``generated_code``, is given to it. ``LATER`` lists the blocks that still wait, and what for.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chuk_fsspec import SecurityViolation

FOLDER = Path(__file__).parent / "original_readme"
BLOCKS = {path.stem: path for path in sorted(FOLDER.glob("*.txt"))}

IMPORTS = {
    "chuk_virtual_fs.snapshot_manager": "chuk_fsspec",
    "chuk_virtual_fs.template_loader": "chuk_fsspec",
    "chuk_virtual_fs.mount": "chuk_adapters.fuse",
    "chuk_virtual_fs": "chuk_fsspec",
}

LATER = {
    "02_s3_provider": "chuks3: remote backends",
    "03_e2b_provider": "chuke2b: remote backends",
    "04_google_drive_provider": "chukgdrive: remote backends",
    "05_google_drive_parameters": "chukgdrive: remote backends",
    "10_progress_reporting": "chuks3: remote backends; with a provider that is there, see below",
    "12_virtual_mounts": "chuks3: remote backends; with a provider that is there, see below",
    "13_webdav_mounting": "the WebDAV door",
    "18_mcp_workflow": "the MCP door",
}
"""Blocks that need what is built later."""

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


@pytest.mark.parametrize("name", sorted(LATER))
def test_what_is_still_missing(name: str) -> None:
    assert name in BLOCKS
    pytest.skip(LATER[name])


def test_every_block_is_run_or_waits() -> None:
    source = Path(__file__).read_text()
    assert [name for name in BLOCKS if name not in LATER and f'"{name}"' not in source] == []
    assert LATER.keys() <= BLOCKS.keys()


def test_quick_start(capsys: pytest.CaptureFixture) -> None:
    run(code_of("01_quick_start"))
    assert capsys.readouterr().out.splitlines() == [
        "Hello, Virtual World!",
        "['hello.txt']",
        "/home/user/documents",
        "['/home/user/documents/hello.txt', '/home/user/hello_moved.txt']",
    ]


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


def test_streaming(capsys: pytest.CaptureFixture) -> None:
    run(code_of("09_streaming"))
    *uploaded, processed = capsys.readouterr().out.splitlines()
    size = sum(len(f"Line {number}: {'x' * 1000}\n") for number in range(1000))
    assert processed == f"Processed {size} bytes"
    told = [float(line.removeprefix("Uploaded ").removesuffix(" KB...")) for line in uploaded]
    assert [int(one / 100) for one in told] == list(range(10))  # every 100 KB, as the comment says


def test_progress_reporting_without_a_bucket(capsys: pytest.CaptureFixture) -> None:
    code = code_of("10_progress_reporting").replace('provider="s3", bucket_name="my-bucket"', 'provider="memory"')
    names = run("from chuk_fsspec import AsyncVirtualFileSystem\n" + textwrap.dedent(code))
    asyncio.run(names["upload_with_progress"]())
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


def test_virtual_mounts_without_a_bucket(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    bucket = 'provider="s3",\n            bucket_name="my-bucket",\n            endpoint_url="https://my-endpoint.com"'
    code = code_of("12_virtual_mounts", **{"tmp/storage": tmp_path})
    assert bucket in code
    run(code.replace(bucket, 'provider="memory"'))
    assert capsys.readouterr().out == "/cloud: memory\n/local: filesystem\n"
    assert (tmp_path / "cache.txt").read_text() == "Stored locally"
    assert (tmp_path / "backup.txt").read_text() == "Stored in S3"


@pytest.mark.mount
def test_fuse_mounting(tmp_path: Path) -> None:
    """The block waits for ever; Ctrl-C ends it, and the mount with it."""
    point = tmp_path / "mymount"
    code = "import asyncio\n" + code_of("14_fuse_mounting", **{"tmp/mymount": point})
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        hello = point / "hello.txt"
        assert wait_for(hello.exists, process)
        assert subprocess.run(["cat", hello], capture_output=True, text=True, check=True).stdout == "Mounted!"
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
    assert not os.path.ismount(point)
    assert os.listdir(point) == []


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    until = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


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


@pytest.mark.mount
def test_mcp_integration(workspace: Path) -> None:
    code = MOUNTING + code_of("17_mcp_integration", **{"tmp/mcp-workspace": workspace})
    mcp = SimpleNamespace(tool=lambda: lambda function: function)
    names = run(code, generated_code="let x = 1", mcp=mcp)
    assert asyncio.run(names["create_project"]("typescript")) == str(workspace)
