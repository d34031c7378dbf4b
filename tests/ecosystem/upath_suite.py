"""The tests of universal_pathlib, which its wheel leaves out, from the source distribution of the same version."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
import upath

CACHE = Path(__file__).parents[2] / ".cache"
SUITE = ("upath/tests/__init__.py", "upath/tests/cases.py", "upath/tests/utils.py")


def import_cases() -> ModuleType:
    """``upath.tests.cases``; skips the calling module where it can neither be found nor downloaded."""
    version = importlib.metadata.version("universal_pathlib")
    home = CACHE / f"universal_pathlib-{version}"
    if not home.is_dir():
        _download(version, home)
    upath.__path__.append(str(home / "upath"))
    pytest.register_assert_rewrite("upath.tests.cases")
    return importlib.import_module("upath.tests.cases")


def _download(version: str, home: Path) -> None:
    CACHE.mkdir(exist_ok=True)
    # Unpacked beside its place and then moved there: another run may be at it too, and this one may be interrupted.
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        command = ["-m", "pip", "download", "--no-deps", "--no-binary", "universal_pathlib", "--retries", "1"]
        requirement = f"universal_pathlib=={version}"
        done = subprocess.run(
            [sys.executable, *command, "--dest", scratch, requirement], capture_output=True, text=True, check=False
        )
        archives = list(Path(scratch).glob("*.tar.gz"))
        if done.returncode or not archives:
            reason = f"the source distribution of {requirement} cannot be downloaded"
            pytest.skip(f"needs the network once: {reason}", allow_module_level=True)
        with tarfile.open(archives[0]) as archive:
            for member in archive.getmembers():
                name = member.name.partition("/")[2]
                if name in SUITE:
                    target = Path(scratch) / "suite" / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    source = archive.extractfile(member)
                    assert source is not None
                    target.write_bytes(source.read())
        try:
            (Path(scratch) / "suite").rename(home)
        except OSError:
            if not home.is_dir():
                raise
