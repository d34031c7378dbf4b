"""Importing the package brings in what it needs, and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest

import chuk_fsspec

LATER = {
    "aiosqlite",
    "boto3",
    "botocore",
    "dask",
    "e2b",
    "fuse",
    "gcsfs",
    "google",
    "hypothesis",
    "mfusepy",
    "numpy",
    "pandas",
    "pyarrow",
    "pydrive2",
    "pytest",
    "requests",
    "s3fs",
    "upath",
}
"""Service libraries, and the tools of users and of tests. Whoever needs one imports it when it is needed."""


def modules_after(code: str) -> set[str]:
    """Names of all modules that a fresh interpreter holds after running some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """What an interpreter holds by itself, editable installs and site packages included."""
    return modules_after("")


def test_the_package_alone_imports_nothing_at_all(bare: set[str]) -> None:
    added = modules_after("import chuk_fsspec") - bare
    assert {name for name in added if name.startswith("chuk")} == {"chuk_fsspec"}
    assert packages(added) <= {"chuk_fsspec", *sys.stdlib_module_names}


def test_using_chukmem_imports_fsspec_and_no_sdk(bare: set[str]) -> None:
    code = """
import fsspec
fs = fsspec.filesystem("chukmem")
fs.pipe_file("/d/f", b"content")
with fs.open("/d/f") as file, fs.transaction:
    fs.cp_file("/d/f", "/g")
fs.posix.nodes
"""
    added = modules_after(code) - bare
    assert "chuk_fsspec.backends.memory" in added
    assert not packages(added) & LATER
    # fsspec itself looks for a zstd.
    assert packages(added) - sys.stdlib_module_names - {"backports"} == {"chuk_fsspec", "fsspec"}


@pytest.mark.parametrize("platform_only", ["pwd", "grp", "fcntl", "resource"])
@pytest.mark.parametrize(
    "use",
    [
        "chuk_fsspec.MemoryFileSystem().ls('/')",
        "chuk_fsspec.VirtualFileSystem().ls('/')",
        "asyncio.run(chuk_fsspec.AsyncVirtualFileSystem().find('*'))",
    ],
)
def test_the_core_needs_nothing_that_browsers_lack(bare: set[str], platform_only: str, use: str) -> None:
    code = f"import asyncio, sys; sys.modules[{platform_only!r}] = None; import chuk_fsspec; {use}"
    assert "chuk_fsspec.backends.memory" in modules_after(code)


def test_every_public_name_is_importable() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import chuk_fsspec; print(*(getattr(chuk_fsspec, n) for n in chuk_fsspec.__all__))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = chuk_fsspec.no_such_name
