"""``clear``: remove the objects of a bucket."""

from __future__ import annotations

import argparse
from typing import Any

from chuk_fsspec.cli.buckets.agreeing import add_agreement, agrees
from chuk_fsspec.cli.buckets.looking import add_bucket, add_prefix
from chuk_fsspec.cli.buckets.records import object_record
from chuk_fsspec.cli.buckets.service import Service
from chuk_fsspec.cli.buckets.several import batches, objects_text, size_of
from chuk_fsspec.cli.output import printable, say, say_json
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.contract.buckets import Buckets

BATCH = 1000
"""Objects between two looks at the progress; S3 removes as many in one request."""
_EXAMPLE = """
chuk-fsspec {service} clear my-bucket --prefix tmp/ --dry-run
chuk-fsspec {service} clear my-bucket --prefix tmp/ --yes
"""


def add_commands(commands: Any, service: Service) -> None:
    """Add it to a service."""
    parser = service.add_command(
        commands,
        "clear",
        _clear,
        summary="remove the objects of a bucket",
        details="Remove all objects of a bucket, or those whose keys begin with a prefix. It shows how many there are\n"
        "and asks first. What a bucket with versions keeps of them stays.",
        example=_EXAMPLE,
    )
    add_bucket(parser)
    add_prefix(parser)
    add_agreement(parser)


def _clear(args: argparse.Namespace, buckets: Buckets) -> int:
    found = list(buckets.objects(args.bucket, args.prefix))
    if args.dry_run:
        for one in found:
            if args.json:
                say_json(object_record(args.bucket, one))
            else:
                say(f"would remove {printable(one.key)}")
        return 0
    if found and not agrees(args, f"remove {objects_text(found)} from {args.bucket}"):
        return 0
    with ProgressLine("removed", size_of(found)) as progress:
        for some in batches(found, BATCH):
            buckets.remove(args.bucket, [one.key for one in some])
            progress.relative_update(size_of(some))
    if args.json:
        say_json({"bucket": args.bucket, "objects": len(found), "bytes": size_of(found)})
    else:
        say(f"removed {objects_text(found)}")
    return 0
