"""``create`` and ``delete``: buckets come and go."""

from __future__ import annotations

import argparse
import errno
from typing import Any

from chuk_fsspec.cli.buckets.agreeing import add_agreement, agrees
from chuk_fsspec.cli.buckets.looking import add_bucket
from chuk_fsspec.cli.buckets.records import bucket_record
from chuk_fsspec.cli.buckets.service import Service
from chuk_fsspec.cli.output import CommandError, printable, say, say_json
from chuk_fsspec.contract.buckets import Buckets

_CREATE_EXAMPLE = """
chuk-fsspec {service} create my-bucket
chuk-fsspec {service} create another-bucket --location {location}
"""
_DELETE_EXAMPLE = """
chuk-fsspec {service} delete my-bucket --dry-run
chuk-fsspec {service} delete my-bucket --yes
"""


def add_commands(commands: Any, service: Service) -> None:
    """Add the two to a service."""
    parser = service.add_command(
        commands,
        "create",
        _create,
        summary="make a bucket",
        details="Make a bucket. Its name has to be the only one of the whole service.",
        example=_CREATE_EXAMPLE,
    )
    add_bucket(parser)
    parser.add_argument("--location", default="", help="where it is to be, in the words of the service")
    parser = service.add_command(
        commands,
        "delete",
        _delete,
        summary="remove an empty bucket",
        details="Remove a bucket, which has to be empty. Others may take its name afterwards.",
        example=_DELETE_EXAMPLE,
    )
    add_bucket(parser)
    add_agreement(parser)


def _create(args: argparse.Namespace, buckets: Buckets) -> int:
    bucket = buckets.create(args.bucket, args.location)
    if args.json:
        say_json(bucket_record(bucket))
    else:
        say(f"created {printable(bucket.name)}")
    return 0


def _delete(args: argparse.Namespace, buckets: Buckets) -> int:
    name = buckets.info(args.bucket).name
    if next(iter(buckets.objects(name)), None) is not None:
        raise _not_empty(name)
    if not agrees(args, f"remove the bucket {name}"):
        return 0
    try:
        if not args.dry_run:
            buckets.delete(name)
    except OSError as error:
        if error.errno == errno.ENOTEMPTY:
            raise _not_empty(name) from error
        raise
    if args.json:
        say_json({"bucket": name, "removed": not args.dry_run})
    else:
        say(f"{'would remove' if args.dry_run else 'removed'} {printable(name)}")
    return 0


def _not_empty(name: str) -> CommandError:
    return CommandError(f"{name} is not empty; remove its objects first, with clear {name}, and their old versions")
