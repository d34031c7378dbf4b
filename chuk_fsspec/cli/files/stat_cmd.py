"""``chuk-fsspec stat``."""

from __future__ import annotations

import argparse
import stat
from typing import Any

from chuk_fsspec.cli.files.each import for_each_location
from chuk_fsspec.cli.files.location import Location, add_options
from chuk_fsspec.cli.files.records import group_name, moment, owner_name, record
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.output import printable, say, say_json
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.display import amount

_EXAMPLE = """
chuk-fsspec stat README.md
chuk-fsspec stat chuksqlite:///README.md::file://$PWD/work.db --json
"""


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "stat",
        run,
        details="Show all that a filesystem knows of files: attributes, times, etag and extended attributes.\n"
        "Exit code 1 if a file is missing.",
        example=_EXAMPLE,
    )
    parser.add_argument("locations", nargs="+", metavar="URL", help="URLs or paths")
    parser.add_argument("-L", "--dereference", action="store_true", help="show what a link leads to")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Show each; 1 if one is missing."""

    def show(location: Location) -> None:
        info = location.info(follow=args.dereference)
        attributes = attributes_of(info)
        xattrs = _xattrs(location, attributes)
        if args.json:
            say_json({**record(location.text, attributes), **_more(info, attributes), "xattrs": xattrs})
        else:
            _show(location, info, attributes, xattrs)

    return for_each_location(args.locations, dict(args.option), show)


def _show(location: Location, info: dict[str, Any], attributes: Attributes, xattrs: dict[str, str]) -> None:
    target = f" -> {shown(attributes.target)}" if attributes.target is not None else ""
    rows = [("path", f"{shown(location.text)}{target}")]
    rows.append(("size", f"{attributes.size} bytes ({amount(attributes.size)})" if attributes.sized else "unknown"))
    if attributes.keeps_mode:
        rows.append(("mode", f"{stat.filemode(attributes.mode)} ({stat.S_IMODE(attributes.mode):04o})"))
        owner, group = owner_name(attributes.uid), group_name(attributes.gid)
        rows.append(("owner", f"{owner} ({attributes.uid}), group {group} ({attributes.gid})"))
    else:
        rows.append(("type", str(info["type"])))
    for name, value in _more(info, attributes).items():
        if name not in ("uid", "gid"):
            rows.append((name, printable(str(value))))
    if attributes.mtime_ns is not None:
        rows.append(("modified", moment(attributes.mtime_ns).isoformat()))
    if attributes.etag is not None:
        rows.append(("etag", printable(attributes.etag)))
    rows += [("xattr", f"{printable(name)} = {printable(value)}") for name, value in xattrs.items()]
    for name, text in rows:
        say(f"{name:>10}  {text}")


def _more(info: dict[str, Any], attributes: Attributes) -> dict[str, Any]:
    """What a record does not have, and everything else that is plain in the info."""
    more: dict[str, Any] = {}
    if attributes.keeps_mode:
        more |= {"uid": attributes.uid, "gid": attributes.gid, "nlink": attributes.nlink}
    for name, time_ns in (("accessed", attributes.atime_ns), ("changed", attributes.ctime_ns)):
        if time_ns is not None:
            more[name] = moment(time_ns).isoformat()
    known = {"name", "size", "type", "mode", "uid", "gid", "nlink", "atime", "mtime", "ctime", "mtime_ns", "etag"}
    known |= {"islink", "destination"}
    plain = (str, int, float, bool)
    return more | {name: value for name, value in info.items() if name not in known and isinstance(value, plain)}


def _xattrs(location: Location, attributes: Attributes) -> dict[str, str]:
    if not location.can.xattrs or attributes.target is not None:
        return {}
    posix = location.fs.posix
    names = posix.listxattr(location.path)
    return {name: posix.getxattr(location.path, name).decode("utf-8", "backslashreplace") for name in names}
