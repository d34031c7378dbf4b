"""``chuk-fsspec serve passwd``."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_adapters.webdav.users import User, Users
from chuk_adapters.webdav.users.passwords import hash_password
from chuk_adapters.webdav.users.users import read_users, write_users
from chuk_fsspec.cli.output import CommandError, is_json, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.passwords import ENVIRONMENT, read_password

_EXAMPLE = """
chuk-fsspec serve passwd users.txt alice
chuk-fsspec serve passwd users.txt bob --read-only --password-file bob.secret
chuk-fsspec serve passwd users.txt bob --delete
"""


def add_commands(commands: Any, group: str) -> None:
    """Add the command to its group."""
    parser = add_command(
        commands,
        "passwd",
        run,
        group=group,
        summary="set a user's password in a file of users, or delete the user",
        details="Set the password of a user in a file of users for `serve webdav --users`. The file is made if it is\n"
        f"missing, and holds hashes only (scrypt). The password is asked for, or comes from {ENVIRONMENT}\n"
        "or from a file. A server that runs already reads the file when it is started again.",
        example=_EXAMPLE,
    )
    parser.add_argument("file", metavar="FILE", help="the file of users")
    parser.add_argument("name", metavar="NAME", help="the user")
    parser.add_argument("--read-only", action="store_true", help="the user may change nothing")
    parser.add_argument("--delete", action="store_true", help="delete the user")
    parser.add_argument("--password-file", metavar="FILE", help="take the password from a file, - for standard input")


def run(args: argparse.Namespace) -> int:
    """Change the file, and say how."""
    try:
        users = {user.name: user for user in read_users(args.file)}
    except FileNotFoundError:
        users = {}
    known = args.name in users
    if args.delete:
        if not known:
            raise CommandError(f"{args.file} has no user {args.name}")
        del users[args.name]
        done = "deleted"
    else:
        hashed = hash_password(read_password(args.name, args.password_file, is_new=True))
        users[args.name] = User(args.name, hashed, readonly=args.read_only)
        done = "changed" if known else "added"
    write_users(args.file, Users(users.values()))
    if is_json():
        say_json({"user": args.name, "file": args.file, "done": done})
    else:
        say(f"{done} {args.name} in {args.file}")
    return 0
