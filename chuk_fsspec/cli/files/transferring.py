"""Copying and moving between places: what goes where, what is asked, and what is told."""

from __future__ import annotations

import argparse
import errno
import stat
import sys
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from chuk_fsspec.cli.files.asking import ask
from chuk_fsspec.cli.files.each import Complaints, for_each
from chuk_fsspec.cli.files.location import Location, open_location, open_target, same_filesystem
from chuk_fsspec.cli.files.styling import shown
from chuk_fsspec.cli.output import CommandError, complain, printable, say
from chuk_fsspec.cli.progress import ProgressLine
from chuk_fsspec.cli.urls import PIPE, add_option
from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.reports import Tally
from chuk_fsspec.contract.whereabouts import ways_of
from chuk_fsspec.transfer.batches import Batches
from chuk_fsspec.transfer.copying import Copier, Ends
from chuk_fsspec.trees.walking import Found, walk

Clobber = Literal["replace", "keep", "ask"]
"""What happens where there is something already."""

_QUIETLY_LEFT = frozenset((errno.EEXIST,))


@dataclass(frozen=True)
class Manner:
    """How things are copied.

    Attributes:
        recursive: directories, too.
        preserve: owners, times, extended attributes and hard links, too.
        clobber: what happens where there is something already.
        verbose: name each file.
    """

    recursive: bool = False
    preserve: bool = False
    clobber: Clobber = "replace"
    verbose: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what copying and moving have in common."""
    clobber = parser.add_argument_group("what happens to a file that is there (the last of these counts)")
    for option, value, what in (
        (("-f", "--force"), "replace", "replace it, in one step (default)"),
        (("-n", "--no-clobber"), "keep", "keep it, and copy nothing"),
        (("-i", "--interactive"), "ask", "ask"),
    ):
        clobber.add_argument(*option, action="store_const", const=value, dest="clobber", default="replace", help=what)
    parser.add_argument("-v", "--verbose", action="store_true", help="name each file")
    add_option(parser, "--option", "-o", what="storage option of the URLs' filesystems")
    add_option(parser, "--target-option", what="storage option of the target alone, which then has no other")


def target_options(args: argparse.Namespace) -> dict[str, Any]:
    """Storage options of the target."""
    return dict(args.target_option or args.option)


def pairs(sources: Sequence[str], target: str, args: argparse.Namespace) -> list[tuple[str, Location]]:
    """Which source goes where: into a directory that is there, or to the very name.

    Raises:
        CommandError: for several sources and a target that is no directory, and for two that would take one place.
    """
    end = open_target(target, target_options(args))
    is_directory = end.isdir()
    if len(sources) > 1 and not is_directory and (end.can.directories or not end.says_directory):
        raise CommandError(f"{target} is not a directory, and several sources need one")
    if end.says_directory and not is_directory and end.can.directories and len(sources) == 1:
        source = open_location(sources[0], dict(args.option)) if sources[0] != PIPE else None
        if source is None or not source.isdir():
            raise CommandError(f"{target} is not a directory; to make it: chuk-fsspec mkdir -p {target}")
    if not (is_directory or end.says_directory):
        return [(text, end) for text in sources]
    found = [(text, _inside(end, text, args)) for text in sources]
    _refuse_two_in_one_place([(text, inside) for text, inside in found if inside is not end])
    return found


def _refuse_two_in_one_place(found: Sequence[tuple[str, Location]]) -> None:
    first: dict[str, str] = {}
    for text, inside in found:
        other = first.setdefault(inside.path, text)
        if other != text:
            raise CommandError(f"{other} and {text} would both be {inside.text}; give one of them another name")


def _inside(end: Location, text: str, args: argparse.Namespace) -> Location:
    if text == PIPE:
        raise CommandError("standard input has no name; give the target one")
    source = open_location(text, dict(args.option))
    if source.means_contents or (source.says_directory and not end.isdir()):
        return end
    return end.below(source.name)


class Transfer:
    """Copies things from one place to another, and counts them."""

    def __init__(self, source: Location, target: Location, manner: Manner, progress: ProgressLine) -> None:
        self.tally = Tally()
        self.failures = Complaints()
        self.kept = 0
        self._source, self._target, self._manner, self._progress = source, target, manner, progress
        self._ends = Ends(source.fs, target.fs, same_filesystem(source.fs, target.fs))
        self._copier = Copier(self._ends, preserve=manner.preserve, callback=progress)
        self._new_directories: list[tuple[Found, str]] = []

    def copy(self) -> None:
        """Copy what is there, with all below it.

        Raises:
            CommandError: for a directory unless ``recursive``, and for one into itself.
            OSError: ENOENT.
        """
        source, target, manner = self._source, self._target, self._manner
        attributes = source.attributes(follow=not manner.recursive)
        self._refuse_itself(attributes)
        if not attributes.is_directory:
            if self._progress.shows and self._progress.size is None:
                self._progress.set_size(attributes.size)
            self._act(Found("", source.path, {}, attributes, 0), target.path)
            return
        if not manner.recursive:
            raise CommandError(f"{source.text} is a directory; -r copies it, and all that is in it")
        if self._progress.shows:
            self._progress.set_size(size_below(source))
        try:
            with Batches(target.fs) as batches:
                for found in walk(source.fs, source.path, on_error=self._fail):
                    batches.step(found.attributes.size)
                    self._act(found, target.below(found.path).path)
        finally:
            # Also after Ctrl-C: until then, they are shut to others.
            self._dress_directories()

    def _dress_directories(self) -> None:
        for found, path in reversed(self._new_directories):
            with suppress(FileNotFoundError):  # it went with the batch that was interrupted
                self._copier.dress(found.place, found.attributes, path)

    def figures(self) -> dict[str, Any]:
        """What was done, for programs."""
        names = ("files", "directories", "symlinks", "hard_links", "special_files", "bytes")
        counts = {name: getattr(self.tally, name) for name in names}
        return {**counts, "kept": self.kept, "failed": self.failures.count}

    def _act(self, found: Found, path: str) -> None:
        """Copy one entry; what goes wrong is said, and counted."""
        try:
            if not self._copy_one(found, path):
                return
        except OSError as error:
            if error.errno in _QUIETLY_LEFT and self._manner.clobber == "keep":
                self.kept += 1
                return
            self._fail(error)
            return
        if self._manner.verbose and not found.attributes.is_directory:
            self._progress.hide()
            say(f"{shown(self._source.below(found.path).text)} -> {shown(self._target.below(found.path).text)}")

    def _copy_one(self, found: Found, path: str) -> bool:
        copier, tally, attributes = self._copier, self.tally, found.attributes
        if attributes.is_directory:
            if copier.directory(path):
                self._new_directories.append((found, path))
                tally.directories += 1
            return True
        if not self._may_write(path):
            self.kept += 1
            return False
        exclusive = self._manner.clobber == "keep"
        kind = stat.S_IFMT(attributes.mode)
        if kind == stat.S_IFREG:
            is_copy = copier.file(found.place, attributes, path, exclusive=exclusive)
            tally.files += is_copy
            tally.hard_links += not is_copy
            tally.bytes += attributes.size if is_copy else 0
        elif kind == stat.S_IFLNK:
            copier.symlink(found.place, attributes, path, exclusive=exclusive)
            tally.symlinks += 1
        else:
            copier.special(found.place, attributes, path, exclusive=exclusive)
            tally.special_files += 1
        return True

    def _may_write(self, path: str) -> bool:
        if self._manner.clobber != "ask" or not self._target.fs.lexists(path):
            return True
        self._progress.hide()
        return ask(f"replace {printable(path)}")

    def _fail(self, error: OSError) -> None:
        self._progress.hide()
        self.failures(error)

    def _refuse_itself(self, attributes: Attributes) -> None:
        source, target = self._source, self._target
        if attributes.is_directory:
            end = ways_of(target.fs, target.path)[0]
            ways = ways_of(source.fs, source.path)
            if ways[0][0] == end[0]:
                raise CommandError(f"{source.text} and {target.text} are the same directory")
            if any(way[0] in end for way in ways):
                raise CommandError(f"{target.text} is inside of {source.text}, which cannot be copied into itself")
        elif _entry_of(source) == _entry_of(target):
            raise CommandError(f"{source.text} and {target.text} are the same file")
        if not self._ends.same:
            return
        if attributes.file_id is not None and not attributes.is_directory and target.lexists():
            there = target.attributes(follow=attributes.target is None)
            if there.file_id == attributes.file_id and attributes.nlink > 1:
                raise CommandError(f"{source.text} and {target.text} are the same file")


def _entry_of(location: Location) -> tuple[Hashable, str]:
    """The directory of a name, whichever filesystem shows it, and the name."""
    parent, name = split(location.path.rstrip("/"))
    return ways_of(location.fs, parent)[0][0], name


def size_below(location: Location) -> int:
    """How many bytes a directory holds; what cannot be listed counts as nothing."""
    entries = walk(location.fs, location.path, on_error=lambda _: None)
    return sum(found.attributes.size for found in entries if stat.S_ISREG(found.attributes.mode))


def manner_of(args: argparse.Namespace, *, recursive: bool, preserve: bool) -> Manner:
    """How the options say that things are copied."""
    return Manner(recursive, preserve, args.clobber, args.verbose and not args.json)


def require_target(args: argparse.Namespace) -> tuple[list[str], str]:
    """Sources and target of a command line that ends with the target. CommandError."""
    if len(args.locations) < 2:
        raise CommandError(f"there is no target: chuk-fsspec {args.command} SOURCE ... TARGET")
    return args.locations[:-1], args.locations[-1]


def refuse_missing(location: Location) -> None:
    """ENOENT unless there is something."""
    if not location.lexists():
        raise os_error(errno.ENOENT, location.path)


def each_pair(
    sources: Sequence[str], target: str, args: argparse.Namespace, act: Callable[[str, Location], bool]
) -> int:
    """Do something for each source and its own target; the exit code is 1 if one failed."""
    return for_each(pairs(sources, target, args), lambda pair: act(*pair))


def read_from_pipe(end: Location) -> Any:
    """Standard input, for a target that is no directory. EISDIR."""
    if end.isdir():
        raise os_error(errno.EISDIR, end.path, hint="standard input has no name; give the target one")
    if sys.stdin.isatty():
        complain("reading from the terminal; end it with Ctrl-D")
    return sys.stdin.buffer
