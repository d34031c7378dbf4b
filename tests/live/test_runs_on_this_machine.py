"""The live tests do what they say: here on servers of this machine, named by the variables that name the real ones."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.gcs import GCSFileSystem
from chuk_fsspec.backends.s3 import S3FileSystem
from tests.live.accounts import GCS, GDRIVE, S3, Account, e2b_place
from tests.remote.services import ENVIRONMENTS

BUCKETS = {"CHUK_LIVE_S3_BUCKET": S3FileSystem, "CHUK_LIVE_GCS_BUCKET": GCSFileSystem}
ACCOUNTS = {"s3": S3, "gcs": GCS, "gdrive": GDRIVE}
HAS_E2B = sys.version_info >= (3, 11)
SUITES = {"s3": "S3", "gcs": "GCS", "gdrive": "GoogleDrive", **({"e2b": "E2B"} if HAS_E2B else {})}


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every service, and the sandboxes that run."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for environment in ENVIRONMENTS.values():
            for name, value in stack.enter_context(environment()).items():
                patch.setenv(name, value)
        for name, kind in BUCKETS.items():
            patch.setenv(name, "live")
            fs = kind()
            fs.mkdir("/live")
            fs.close()
        machines: dict[str, Any] = {}
        if HAS_E2B:
            from tests.e2b.service import service_in

            directory = tmp_path_factory.mktemp("sandboxes")
            machines = stack.enter_context(service_in(directory)).cloud.machines
            patch.setenv("CHUK_LIVE_E2B_DIRECTORY", str(directory / "root"))
        yield machines


def left_by(account: Account) -> list[str]:
    """What is in an account."""
    fs = account.open("")
    left: list[str] = fs.find("/", withdirs=True)
    fs.close()
    return left


def passed(*arguments: str) -> int:
    """How many live tests passed; none failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) passed", done.stdout)
    return int(found[1]) if found else 0


@pytest.mark.slow
def test_a_group_of_each(sandboxes: dict[str, Any]) -> None:
    tests = [f"tests/live/test_live_{name}.py::Test{suite}::TestWriting" for name, suite in SUITES.items()]
    assert passed("-m", "live", *tests) >= 4 * len(SUITES)
    assert {name: left_by(account) for name, account in ACCOUNTS.items()} == {name: ["/"] for name in ACCOUNTS}
    assert sandboxes == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SUITES)
def test_all(name: str, sandboxes: dict[str, Any]) -> None:
    file = f"tests/live/test_live_{name}.py"
    # moto would take an hour for all of them
    some = ["-k", "TestReading or TestUrls or TestConditionalWrites"] if name == "s3" else []
    assert passed("-m", "live and not slow", file, *some) > (50 if some else 500)
    assert sandboxes == {} if name == "e2b" else left_by(ACCOUNTS[name]) == ["/"]


@pytest.mark.usefixtures("sandboxes")
@pytest.mark.parametrize("name", ACCOUNTS)
def test_what_a_failure_leaves_is_removed(name: str) -> None:
    def fail() -> None:
        with ACCOUNTS[name].place() as fs:
            fs.pipe_file("/d/f", b"1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert left_by(ACCOUNTS[name]) == ["/"]


@pytest.mark.skipif(not HAS_E2B, reason="the SDK needs Python 3.11")
def test_a_sandbox_is_ended_after_a_failure(sandboxes: dict[str, Any]) -> None:
    def fail() -> None:
        with e2b_place() as fs:
            fs.pipe_file("/d/f", b"1")
            assert len(sandboxes) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sandboxes == {}


def test_without_an_account_the_reason_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHUK_LIVE_S3_BUCKET", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"set CHUK_LIVE_S3_BUCKET, and AWS_ACCESS_KEY_ID"), S3.place():
        pass
