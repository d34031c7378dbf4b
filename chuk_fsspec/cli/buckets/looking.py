"""``list``, ``info`` and ``ls``: which buckets there are, and what is in them."""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Iterable, Iterator
from typing import Any

from chuk_fsspec.cli.buckets.records import bucket_record, day, object_record
from chuk_fsspec.cli.buckets.service import Service
from chuk_fsspec.cli.files.records import moment, time_column
from chuk_fsspec.cli.output import printable, say, say_json
from chuk_fsspec.cli.parsing import whole_number
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.contract.buckets import Buckets, StoredObject
from chuk_fsspec.contract.display import amount

_LIST_EXAMPLE = """
chuk-fsspec {service} list
"""
_INFO_EXAMPLE = """
chuk-fsspec {service} info my-bucket --show-top 5
"""
_LS_EXAMPLE = """
chuk-fsspec {service} ls my-bucket --prefix data/
"""


def add_commands(commands: Any, service: Service) -> None:
    """Add the three to a service."""
    service.add_command(
        commands,
        "list",
        _list,
        summary="list buckets",
        details="List all buckets of the account, in the order of their names.",
        example=_LIST_EXAMPLE,
    )
    parser = service.add_command(
        commands,
        "info",
        _info,
        summary="say what is known of a bucket, and what it holds",
        details="Show where a bucket is, and count its objects and their bytes. All its keys are listed for that.",
        example=_INFO_EXAMPLE,
    )
    add_bucket(parser)
    parser.add_argument(
        "--show-top", type=whole_number(0), default=0, metavar="N", help="name the N largest objects, too"
    )
    parser = service.add_command(
        commands,
        "ls",
        _ls,
        summary="list objects of a bucket",
        details="List the objects of a bucket: time, size in bytes, key.",
        example=_LS_EXAMPLE,
    )
    add_bucket(parser)
    add_prefix(parser)


def add_bucket(parser: argparse.ArgumentParser) -> None:
    """Add the name of a bucket."""
    parser.add_argument("bucket", metavar="BUCKET", help="its name")


def add_prefix(parser: argparse.ArgumentParser) -> None:
    """Add which objects are meant."""
    parser.add_argument("--prefix", default="", help="only keys that begin so; end it with / for a directory")


def _list(args: argparse.Namespace, buckets: Buckets) -> int:
    for bucket in buckets.list():
        if args.json:
            say_json(bucket_record(bucket))
        else:
            say(f"{day(bucket.created):<10}  {printable(bucket.name)}")
    return 0


def _ls(args: argparse.Namespace, buckets: Buckets) -> int:
    for one in buckets.objects(args.bucket, args.prefix):
        if args.json:
            say_json(object_record(args.bucket, one))
        else:
            when = time_column(None if one.mtime is None else int(one.mtime * 1e9))
            say(f"{when:<12} {one.size:>12}  {printable(one.key)}")
    return 0


def _info(args: argparse.Namespace, buckets: Buckets) -> int:
    bucket = buckets.info(args.bucket)
    count = size = 0
    newest: float | None = None

    def counted(found: Iterable[StoredObject]) -> Iterator[StoredObject]:
        nonlocal count, size, newest
        with ProgressLine("counted") as progress:
            for one in found:
                count, size = count + 1, size + one.size
                newest = max((time for time in (newest, one.mtime) if time is not None), default=None)
                progress.relative_update(one.size)
                yield one

    objects = counted(buckets.objects(args.bucket))
    largest = heapq.nlargest(max(args.show_top, 0), objects, key=lambda one: one.size)
    if args.show_top <= 0:
        for _ in objects:
            pass
    if args.json:
        top = {"largest": [object_record(args.bucket, one) for one in largest]} if args.show_top > 0 else {}
        say_json({**bucket_record(bucket), "objects": count, "bytes": size, **top})
        return 0
    for what, text in (
        ("bucket", printable(bucket.name)),
        ("created", day(bucket.created)),
        ("location", bucket.location),
        ("versions", {True: "kept", False: "not kept", None: ""}[bucket.versioned]),
        ("objects", str(count)),
        ("content", amount(size)),
        ("last change", "" if newest is None else f"{moment(int(newest * 1e9)):%Y-%m-%d %H:%M:%S} UTC"),
    ):
        if text:
            say(f"{what:<12} {text}")
    if largest:
        say("largest objects:")
    for one in largest:
        say(f"{amount(one.size):>12}  {printable(one.key)}")
    return 0
