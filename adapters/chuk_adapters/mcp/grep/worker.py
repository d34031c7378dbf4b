"""Runs a regular expression in a process of its own, which can be killed: started by ``finders``, never imported.

``re`` backtracks, holds the interpreter lock while it does, and cannot be interrupted.

Standard input: a line of JSON with the expression, then blocks of text, each after its length in four bytes. Standard
output: for each of them a line of JSON: an error or nothing for the expression, the numbers of the lines that match,
from 0, for a block.
"""

import json
import re
import struct
import sys

MEMORY = 1 << 30
"""Bytes of address space that it may take."""


def main() -> None:
    """Answer until the input ends."""
    limit_memory()
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        search = re.compile(asked["pattern"], re.IGNORECASE if asked["ignore_case"] else 0).search
    except (re.error, OverflowError, RecursionError) as error:
        answer(str(error))
        return
    answer("")
    while header := sys.stdin.buffer.read(4):
        (size,) = struct.unpack("!I", header)
        text = sys.stdin.buffer.read(size).decode("utf-8", "replace")
        answer([number for number, line in enumerate(text.split("\n")) if search(line.rstrip("\r"))])


def limit_memory() -> None:
    """Keep an expression from taking the memory of the machine, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def answer(value: object) -> None:
    """Say something to the process that asked."""
    sys.stdout.buffer.write(json.dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
