"""``copy``: copy objects inside a service."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.cli.buckets.agreeing import add_agreement, agrees
from chuk_fsspec.cli.buckets.service import Service
from chuk_fsspec.cli.buckets.several import batches, objects_text, size_of
from chuk_fsspec.cli.output import CommandError, printable, say, say_json
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.contract.buckets import Buckets, StoredObject

BATCH = 64
"""Objects between two looks at the progress."""
_EXAMPLE = """
chuk-fsspec {service} copy source-bucket dest-bucket --source-prefix data/ --dest-prefix backup/ --dry-run
chuk-fsspec {service} copy source-bucket dest-bucket --source-prefix data/ --dest-prefix backup/
"""


@dataclass(frozen=True)
class _Step:
    """An object, the key of its copy, and whether that is there already."""

    one: StoredObject
    key: str
    replaces: bool


def add_commands(commands: Any, service: Service) -> None:
    """Add it to a service."""
    parser = service.add_command(
        commands,
        "copy",
        _copy,
        summary="copy objects from one bucket or prefix to another",
        details="Copy objects inside the service: nothing of their content comes through this machine. In each key\n"
        "--dest-prefix stands where --source-prefix stood. It asks first if it would replace objects.",
        example=_EXAMPLE,
    )
    parser.add_argument("source", metavar="SOURCE", help="the bucket to copy from")
    parser.add_argument("target", metavar="DEST", help="the bucket to copy to")
    parser.add_argument("--source-prefix", default="", metavar="PREFIX", help="only keys that begin so")
    parser.add_argument("--dest-prefix", default="", metavar="PREFIX", help="what the copies' keys begin with instead")
    add_agreement(parser)


def _copy(args: argparse.Namespace, buckets: Buckets) -> int:
    if (args.source, args.source_prefix) == (args.target, args.dest_prefix):
        raise CommandError("source and target are the same; give another bucket, or --dest-prefix")
    steps = _planned(args, buckets)
    if args.dry_run:
        for step in steps:
            _show(args, step)
        return 0
    replaced = [step.one for step in steps if step.replaces]
    if replaced and not agrees(args, f"replace {len(replaced)} of the {len(steps)} objects in {args.target}"):
        return 0
    found = [step.one for step in steps]
    with ProgressLine("copied", size_of(found)) as progress:
        for some in batches(steps, BATCH):
            buckets.copy(args.source, args.target, [(step.one.key, step.key) for step in some])
            progress.relative_update(size_of(step.one for step in some))
    if args.json:
        say_json({"source": args.source, "target": args.target, "objects": len(found), "bytes": size_of(found)})
    else:
        say(f"copied {objects_text(found)}")
    return 0


def _planned(args: argparse.Namespace, buckets: Buckets) -> list[_Step]:
    """All of it, before anything is copied: a copy must not be copied again. ENOENT for a bucket."""
    there = {one.key for one in buckets.objects(args.target, args.dest_prefix)}
    found = list(buckets.objects(args.source, args.source_prefix))
    keys = [args.dest_prefix + one.key[len(args.source_prefix) :] for one in found]
    return [_Step(one, key, key in there) for one, key in zip(found, keys, strict=True) if key]


def _show(args: argparse.Namespace, step: _Step) -> None:
    if args.json:
        target = {"target": args.target, "target_key": step.key, "replaces": step.replaces}
        say_json({"source": args.source, "key": step.one.key, "size": step.one.size, **target})
    else:
        what = "replace" if step.replaces else "copy"
        say(f"would {what} {printable(step.one.key)} -> {printable(step.key)}")
