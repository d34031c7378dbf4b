"""Commands and code in a sandbox, as its filesystem hands them on."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import e2b

from chuk_fsspec.backends.e2b.errors import told
from chuk_fsspec.contract.errors import os_error

_WORD = "CHUK_WORD_{}"


@dataclass(frozen=True)
class Completed:
    """A command that has ended.

    Attributes:
        exit_code: 0 if it went well.
        stdout: what it said.
        stderr: what it complained about.
    """

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Command:
    """What is to be run.

    Attributes:
        words: for the shell of the sandbox, as they are; those of a list reach it in the environment, each as one word.
        directory: an absolute path of the sandbox in which it starts.
        environment: variables besides those that the sandbox has.
        timeout: seconds after which it is ended.
    """

    words: str | Sequence[str]
    directory: str
    environment: Mapping[str, str]
    timeout: float

    def __post_init__(self) -> None:
        """ValueError for a command without words."""
        if not self.words:
            raise ValueError("a command has at least one word")

    @property
    def text(self) -> str:
        """As the shell reads it: of a list nothing but how many words it has."""
        if isinstance(self.words, str):
            return self.words
        names = [_WORD.format(number) for number in range(len(self.words))]
        quoted = " ".join(f'"${name}"' for name in names)
        return f'set -- {quoted}; unset -v {" ".join(names)}; "$@"'

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables, and the words of a list."""
        words = () if isinstance(self.words, str) else self.words
        return {**self.environment, **{_WORD.format(number): word for number, word in enumerate(words)}}


async def completed(sandbox: Any, command: Command, user: str | None) -> Completed:
    """Run a command to its end, whatever its exit code. ETIMEDOUT; ENOENT for a directory that is not there."""
    with told(command.directory):
        try:
            result = await sandbox.commands.run(
                command.text,
                envs=command.variables,
                cwd=command.directory,
                user=user,
                timeout=command.timeout,
            )
        except e2b.CommandExitException as error:
            return Completed(error.exit_code, error.stdout, error.stderr)
    return Completed(result.exit_code, result.stdout, result.stderr)


def runs_code(sandbox_class: Any) -> bool:
    """Whether the SDK that is installed has the code interpreter."""
    return hasattr(sandbox_class, "run_code")


async def code_result(sandbox: Any, code: str, **options: Any) -> Any:
    """Run code in the interpreter of a sandbox; options and result are those of the SDK."""
    if not runs_code(type(sandbox)):
        raise os_error(errno.ENOTSUP, hint="running code needs the SDK for it: pip install e2b-code-interpreter")
    with told("/"):
        return await sandbox.run_code(code, **options)
