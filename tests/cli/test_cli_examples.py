"""The example of every command that works on files runs, as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import all_commands, bash, example_lines

FILES = ("ls", "tree", "find", "du", "stat", "cat", "head", "tail", "grep", "cp", "mv", "rm", "mkdir", "put", "get")
COMMANDS = (*FILES, "sync", "edit", "completion")
ENVIRONMENT = """export VISUAL= EDITOR='sed -i s/o/0/' HOME="$PWD/home" PATH="$PWD/bin:$PATH" """
PREPARE = """
echo one > README.md; echo draft > draft.txt; cp draft.txt report.txt; echo n > notes.txt; mkdir -p figures project
echo 'def main(): pass' > project/main.py; printf 'a,b\\n1,2\\n' > a.csv
printf '%s\\n' '[mounts."/"]' 'url = "file://${workspace}/project"' > work.toml
printf '%s\\n' '[mounts."/data"]' 'url = "chukmem://"' >> work.toml
mkdir -p bin home/.config/fish/completions
printf '#!/bin/sh\\nshift; echo edited > "$1"\\n' > bin/code; chmod +x bin/code
mkdir -p tree/src tree/archive tree/old
for name in README.md notes.md a.csv b.csv log.txt photo.jpg; do echo "an error in $name" > tree/$name; done
cp README.md project; cp -r project tree
chuk-fsspec put -r tree/. chuksqlite:///::file://$PWD/work.db
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with all that the examples name."""
    directory = tmp_path_factory.mktemp("prepared")
    bash(PREPARE, directory)
    return directory


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_runs(command: str, prepared: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    lines = [_ended(line) for line in example_lines(all_commands()[command])]
    assert lines
    script = "\n".join([f"cp -a {prepared}/. .", ENVIRONMENT, *lines])
    here.mkdir()
    bash(script, here)


def _ended(line: str) -> str:
    """A line that would go on until Ctrl-C gets that."""
    return f"timeout -s INT 3 {line} || test $? = 124" if " -f " in line else line


def test_all_commands_on_files_are_tried() -> None:
    own = {name for name, parser in all_commands().items() if "files" in parser.get_default("run").__module__}
    assert own <= set(COMMANDS)
