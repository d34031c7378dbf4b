"""Passwords from where other users of the machine cannot read them: never from the arguments of a command."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from chuk_fsspec.cli.output import CommandError

ENVIRONMENT = "CHUK_FSSPEC_PASSWORD"


def read_password(name: str, file: str | None, *, is_new: bool = False) -> str:
    """The password of a user: the first line of a file, else of the environment, else what is typed.

    Args:
        name: of the user, for the prompt.
        file: a file of this machine, ``-`` for standard input; None for none.
        is_new: have it typed twice.

    Raises:
        CommandError: nobody is there to be asked, or what was typed differs.
        OSError: the file cannot be read.
    """
    if file is not None:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text(encoding="utf-8")
        return text.partition("\n")[0].rstrip("\r")
    if ENVIRONMENT in os.environ:
        return os.environ[ENVIRONMENT]
    if not sys.stdin.isatty():
        raise CommandError(f"no password for {name}: set {ENVIRONMENT}, or add --password-file FILE")
    password = getpass.getpass(f"password for {name}: ")
    if is_new and getpass.getpass("the same again: ") != password:
        raise CommandError("the two passwords differ; nothing was changed")
    return password
