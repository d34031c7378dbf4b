"""What the files API of a sandbox cannot do safely, as commands in it.

Their texts never change: paths reach them in the environment, and are quoted there. Each that changes something makes
one system call, or several that do no harm when they are made again, and says in its last words what went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Script:
    """A command of the sandbox's shell, about the paths SOURCE and TARGET."""

    text: str


MAKE_DIRECTORY = Script('mkdir -- "$TARGET"')
REMOVE_DIRECTORY = Script('rmdir -- "$TARGET"')
REMOVE_FILE = Script('unlink -- "$TARGET"')
NAME_NEW = Script('ln -T -- "$SOURCE" "$TARGET" && unlink -- "$SOURCE"')
MOVE = Script('mv -f -T -- "$SOURCE" "$TARGET"')
"""The files API would make the directory of the target again, if somebody has just moved it elsewhere."""
COPY = Script('cp -p -- "$SOURCE" "$TARGET"')
MAKE_LINK = Script('ln -s -T -- "$SOURCE" "$TARGET"')

SET_ATTRIBUTES = Script(
    'stat -- "$TARGET" > /dev/null'
    ' && { [ -z "$OWNER" ] || chown -h -- "$OWNER" "$TARGET"; }'
    ' && { [ -z "$MODE" ] || [ -h "$TARGET" ] || chmod -- "$MODE" "$TARGET"; }'
    ' && { [ -z "$MTIME" ] || touch -c -h -m -d "@$MTIME" -- "$TARGET"; }'
)
"""Those that are not empty: a link has no mode of its own."""

KEEP_ATTRIBUTES = Script(
    '{ [ -z "$OWNER" ] || chown -- "$OWNER" "$TARGET" 2> /dev/null || true; } && chmod -- "$MODE" "$TARGET"'
)
"""Those of a file that is replaced. Only root can give a file away: another's becomes one's own, as with any rename."""

READ_LINKS = Script(
    'find "$TARGET" -ignore_readdir_race -mindepth "$LEAST" -maxdepth "$MOST" -type l -printf \'%P\\0%l\\0\''
)
"""Links below a directory, or one (depth 0): their paths from there and what they hold, each with a NUL behind."""

WHO = Script("id -u && id -g && cat /etc/passwd /etc/group")


async def run_script(sandbox: Any, script: Script, *, user: str | None, timeout: float, **variables: str) -> str:
    """Run one of them.

    Args:
        sandbox: an ``AsyncSandbox``.
        script: what to run.
        user: of the sandbox; None for the one that it has by itself.
        timeout: seconds that it may take.
        variables: paths of the sandbox, and what else it needs.

    Returns:
        What it prints.

    Raises:
        CommandExitException: with the words of the program that failed.
    """
    environment = {**variables, "LC_ALL": "C"}
    result = await sandbox.commands.run(
        script.text, envs=environment, user=user, cwd="/", timeout=timeout, request_timeout=timeout
    )
    return str(result.stdout)
