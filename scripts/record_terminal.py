"""Record the picture of the command line in the documents: real commands on a terminal, as an SVG.

    python scripts/record_terminal.py docs/cli.svg

Needs the extra ``test`` (rich). The picture is the same at each run.
"""

from __future__ import annotations

import io
import os
import pty
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 92
PREPARE = """
mkdir -p project/src project/data
printf 'def main():\\n    print("hello")\\n' > project/src/main.py
printf 'name,size\\na,1\\nb,2\\n' > project/data/sizes.csv
printf '# Project\\n' > project/README.md
chmod 755 project/src/main.py; ln -s src/main.py project/start
find project -exec touch -h -d '2020-01-02 03:04:05 UTC' {} +
"""
COMMANDS = """
chuk-fsspec put -rp project chuksqlite:///project::file://work.db
chuk-fsspec tree chuksqlite:///project::file://work.db
chuk-fsspec ls -lh chuksqlite:///project::file://work.db
chuk-fsspec grep -rn --color always print chuksqlite:///project::file://work.db
chuk-fsspec du -s chuksqlite:///project::file://work.db --json
chuk-fsspec cat chuksqlite:///projekt/README.md::file://work.db
chuk-fsspec ls chuksqlit://x
"""


def main() -> None:
    """Run the commands, and write what a terminal shows of them."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/cli.svg")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="standard")
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        subprocess.run(["bash", "-euc", PREPARE], cwd=here, check=True)
        for command in COMMANDS.strip().splitlines():
            console.print(Text.assemble(("$ ", "bold green"), command), soft_wrap=True)
            console.print(Text.from_ansi(on_terminal(shlex.split(command), here)), soft_wrap=False)
    target.write_text(console.export_svg(title="chuk-fsspec", unique_id="chuk-fsspec"))


def on_terminal(words: list[str], here: Path) -> str:
    """What a command writes to a terminal of its own."""
    ours, theirs = pty.openpty()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "TERM": "xterm", "COLUMNS": str(COLUMNS), "TZ": "UTC", "NO_COLOR": ""}
    words = [word.replace("file://work.db", f"file://{here}/work.db") for word in words]
    running = subprocess.Popen(words, cwd=here, env=variables, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    told = b""
    try:
        while data := os.read(ours, 65536):
            told += data
    except OSError:  # EIO: the command has ended
        pass
    os.close(ours)
    running.wait()
    text = told.decode().replace("\r\n", "\n").replace(str(here) + "/", "")
    return "\n".join(line.rpartition("\r\033[K")[2] for line in text.rstrip("\n").split("\n"))


if __name__ == "__main__":
    main()
