"""The test matrix: each CPython found on this machine, and the two ends of the fsspec versions we promise.

Sessions install the built wheel, not the working tree, so they also notice a file that is missing from it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nox
from packaging.requirements import Requirement

ROOT = Path(__file__).parent
EXTRAS = "fuse,test"

nox.needs_version = ">=2024.10.9"
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "yes"


def found_pythons() -> list[str]:
    """Versions of the interpreters that run here, newest first; their directories go to the front of PATH."""
    lines = subprocess.run(
        [ROOT / "scripts" / "pythons.sh"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    found = dict(line.split("\t") for line in lines)
    directories = dict.fromkeys(str(Path(path).parent) for path in found.values())
    os.environ["PATH"] = os.pathsep.join([*directories, os.environ["PATH"]])
    return list(found)


def lowest_fsspec() -> str:
    """The oldest fsspec that pyproject.toml allows."""
    for text in nox.project.load_toml(ROOT / "pyproject.toml")["project"]["dependencies"]:
        requirement = Requirement(text)
        if requirement.name == "fsspec":
            return next(bound.version for bound in requirement.specifier if bound.operator == ">=")
    raise LookupError("pyproject.toml does not depend on fsspec")


PYTHONS = found_pythons()
TESTED = ("README.md", "docs", "notebooks", "pyproject.toml", "scripts", "tests")
"""What the tests are and look at."""


def run_tests(session: nox.Session, *requirements: str) -> None:
    """Install the wheel with the given requirements beside it, and run the tests against it."""
    session.install("--upgrade", f".[{EXTRAS}]", *requirements)
    session.run("python", "-c", "import fsspec; print('fsspec', fsspec.__version__)")
    # Away from the sources, which would stand in front of the installed wheel, and from their pytest and git settings.
    with tempfile.TemporaryDirectory(prefix="chuk-fsspec-") as away:
        for name in TESTED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, Path(away, name))
            else:
                shutil.copy(ROOT / name, Path(away, name))
        with session.chdir(away):
            session.run(
                "python", "-m", "pytest", "-m", "not slow", "-n", "auto", "--dist", "worksteal", *session.posargs
            )


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests on one CPython."""
    run_tests(session)


@nox.session(python=PYTHONS[-1])
def fsspec_lowest(session: nox.Session) -> None:
    """The tests on the oldest CPython with the oldest fsspec promised."""
    # pandas 3 refuses an fsspec this old by itself; pandas 2 does not.
    run_tests(session, f"fsspec=={lowest_fsspec()}", "pandas<3")


@nox.session(python=PYTHONS[0])
def fsspec_newest(session: nox.Session) -> None:
    """The tests on the newest CPython with the newest fsspec, pre-releases too."""
    session.install("--upgrade", "--pre", "fsspec")
    run_tests(session)
