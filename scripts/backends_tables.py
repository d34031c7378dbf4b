"""Print the tables of docs/backends.md, from what the backends declare.

    python scripts/backends_tables.py                      # print them
    python scripts/backends_tables.py docs/backends.md     # and put them into the page

Needs the extra ``test``, and Python 3.11 for chuke2b.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from chuk_fsspec.contract.capabilities import Capabilities, names
from chuk_fsspec.facade.providers import PROVIDERS
from chuk_fsspec.registry import PROTOCOLS, Protocol
from chuk_fsspec.transfer import export_agentfs

BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->\n"
BACKENDS = [protocol for protocol in PROTOCOLS.values() if ".backends." in protocol.home]


def main() -> None:
    """Print the tables, or write them between their marks."""
    tables = f"{places()}\n{capabilities()}"
    if len(sys.argv) == 1:
        print(tables, end="")
        return
    page = Path(sys.argv[1])
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}{tables}{END}{rest.partition(END)[2]}")


def places() -> str:
    """Where each backend keeps files, what it needs, and its page."""
    return table(
        ["protocol", "what it is", "extra", "page"],
        [[f"`{one.name}`", one.summary, extra_of(one), page_of(one)] for one in BACKENDS],
    )


def extra_of(protocol: Protocol) -> str:
    """What is to be installed for a backend."""
    extra = next((one.extra for one in PROVIDERS.values() if one.protocol == protocol.name), "")
    return f"`{extra}`" if extra else ""


def page_of(protocol: Protocol) -> str:
    """The page about a backend, as a link from one beside it."""
    docs = Path(__file__).parents[1] / "docs"
    name = next(name for name in (protocol.name, protocol.name.removeprefix("chuk")) if (docs / f"{name}.md").exists())
    return f"[{name}.md]({name}.md)"


def capabilities() -> str:
    """What each backend can do."""
    with tempfile.TemporaryDirectory() as directory:
        declared = [declared_by(protocol, Path(directory)) for protocol in BACKENDS]
    meanings = meanings_of_capabilities()
    rows = [[f"`{name}`", *(mark(name, plain, more) for plain, more in declared), meanings[name]] for name in names()]
    return table(["", *(f"`{one.name}`" for one in BACKENDS), "the promise"], rows)


def declared_by(protocol: Protocol, directory: Path) -> tuple[Capabilities, Capabilities]:
    """What a backend declares, and what with ``posix=True`` where it has that. Nothing is asked of a service."""
    kind: Any = protocol.load()
    options = options_of(protocol, directory)
    has_posix = "posix" in inspect.signature(kind.__init__).parameters
    return tuple(
        kind(**options, **more, skip_instance_cache=True).capabilities
        for more in ({}, {"posix": True} if has_posix else {})
    )


def options_of(protocol: Protocol, directory: Path) -> dict[str, Any]:
    """Without which a backend cannot be opened."""
    database = str(directory / "files.db")
    if protocol.name == "chukagentfs":
        export_agentfs(PROTOCOLS["chukmem"].load()(), "/", database)
    needed: dict[str, dict[str, Any]] = {
        "chukagentfs": {"database": database},
        "chukgdrive": {"credentials": {"token": "none"}},
        "chuklocal": {"root": str(directory)},
        "chuksqlite": {"database": str(directory / "new.db")},
    }
    return needed.get(protocol.name, {})


def mark(name: str, plain: Capabilities, more: Capabilities) -> str:
    """Whether a capability is there."""
    return "yes" if getattr(plain, name) else "posix" if getattr(more, name) else ""


def meanings_of_capabilities() -> dict[str, str]:
    """What stands below each field, in one line."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(Capabilities)).body if isinstance(node, ast.ClassDef))
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(field.target)] = re.sub(r"``([^`]*)``", r"`\1`", " ".join(str(text.value.value).split()))
    return found


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n".replace("  |", " |") for cells in lines)


if __name__ == "__main__":
    main()
