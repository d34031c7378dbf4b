"""The behaviour suite itself: what it runs, what it skips, and what it makes of deviations."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.testing import BehaviourSuite, needs
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import by_day, only

OPTIONS = ("-q", "-rA", "-p", "no:cacheprovider", "--tb=native")
WITHOUT_PLUGINS = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to-add-a-backend.md"

PLAIN = '''
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite

class TestPlain(BehaviourSuite):
    """fsspec's own filesystem in memory, which declares nothing."""
    deviations = {
        "TestReading::test_an_unknown_mode_is_an_error": "it passes, so this has to fail",
        "TestPaths::test_above_the_root_there_is_nothing": "dots are characters to it",
        "TestPaths::test_odd_names_are_names[ ]": "this one works",
    }

    @pytest.fixture
    def fs(self):
        return MemoryFileSystem()
'''


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[Counter[str], str]]:
    """Runs pytest on some code by itself; returns how many tests ended how, and what was printed."""

    def run(code: str, *arguments: str) -> tuple[Counter[str], str]:
        (tmp_path / "test_it.py").write_text(code)
        command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments, "test_it.py"]
        done = subprocess.run(command, cwd=tmp_path, env=WITHOUT_PLUGINS, capture_output=True, text=True, check=False)
        summary = re.findall(r"(\d+) (passed|failed|skipped|xfailed|errors?)", done.stdout.splitlines()[-1])
        return Counter({outcome: int(count) for count, outcome in summary}), done.stdout

    return run


def test_the_example_of_the_documentation_runs(run: Callable[..., tuple[Counter[str], str]]) -> None:
    example = re.search(r"```python\n(import pytest\n.*?)```", HOW_TO.read_text(), re.DOTALL)
    assert example is not None
    assert len([line for line in example[1].splitlines() if line]) == 7
    outcomes, output = run(example[1], "-k", "TestReading or TestWriting")
    assert outcomes["passed"] > 50, output
    assert not outcomes["failed"], output


def test_what_is_not_declared_is_skipped_with_the_reason(run: Callable[..., tuple[Counter[str], str]]) -> None:
    outcomes, output = run(PLAIN, "-k", "TestAppending or TestSymbolicLinks")
    assert set(outcomes) == {"skipped"}
    assert "needs append, which this filesystem does not declare" in output
    assert "needs directories, symlinks, which this filesystem does not declare" in output


def test_deviations_are_expected_to_fail_and_must_not_pass(run: Callable[..., tuple[Counter[str], str]]) -> None:
    outcomes, output = run(PLAIN, "-k", "unknown_mode or above_the_root or odd_names or unlisted")
    assert outcomes["xfailed"] >= 10, output
    assert "FAILED test_it.py::TestPlain::TestPaths::test_odd_names_are_names[ ]" in output
    assert "FAILED test_it.py::TestPlain::TestPaths::test_odd_names_are_names[...]" not in output


def test_a_group_can_be_left_out(run: Callable[..., tuple[Counter[str], str]]) -> None:
    _, output = run(PLAIN.replace("    @pytest", "    TestReading = None\n\n    @pytest"), "--collect-only")
    assert "TestPlain::TestWriting" not in output  # the deviation in TestReading is no test any more
    _, output = run(PLAIN.replace("    @pytest", "    TestListing = None\n\n    @pytest"), "--collect-only")
    assert "TestPlain::TestWriting" in output
    assert "TestPlain::TestListing" not in output


def test_what_is_not_run_by_day_is_left_to_the_night() -> None:
    suite: Any = by_day("Reading")(type("TestMine", (BehaviourSuite,), {"TestListing": None}))
    assert suite.TestReading is BehaviourSuite.TestReading
    assert suite.TestListing is None
    assert issubclass(suite.TestWriting, BehaviourSuite.TestWriting)
    assert [mark.name for mark in suite.TestWriting.pytestmark] == ["slow"]
    assert not hasattr(BehaviourSuite.TestWriting, "pytestmark")
    with pytest.raises(TypeError, match="TestTelepathy"):
        only("Telepathy")(suite)


def test_a_suite_without_a_filesystem_says_what_it_needs(run: Callable[..., tuple[Counter[str], str]]) -> None:
    _, output = run("from chuk_fsspec.testing import BehaviourSuite\nclass TestNone(BehaviourSuite): ...", "-x")
    assert "TestNone needs a fixture named fs" in output


@pytest.mark.parametrize("name", ["TestPaths::test_no_such", "TestNoSuch::test_it", "test_cat_file_returns_the_bytes"])
def test_a_deviation_has_to_name_a_test(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        type("TestMine", (BehaviourSuite,), {"deviations": {name: "reason"}})


def test_a_need_has_to_name_a_capability() -> None:
    with pytest.raises(ValueError, match="telepathy"):
        needs("write", "telepathy")


def test_no_two_tests_of_a_group_share_a_name() -> None:
    """A second definition would silently replace the first."""
    for path in Path(sys.modules[BehaviourSuite.__module__].__file__ or "").parent.glob("*.py"):
        for group in path.read_text().split("\nclass ")[1:]:
            names = re.findall(r"    def (test_\w+)", group)
            assert len(names) == len(set(names)), path


def test_every_group_is_in_the_suite() -> None:
    tested = {member for name, member in vars(BehaviourSuite).items() if name.startswith("Test")} | {
        FsspecAbstractSuite
    }
    for module in [module for name, module in sys.modules.items() if name.startswith("chuk_fsspec.testing.")]:
        for member in vars(module).values():
            if isinstance(member, type) and any(name.startswith("test_") for name in vars(member)):
                assert member in tested, member
