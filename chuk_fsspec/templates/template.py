"""What a template says, once it has been read and its form is right. Nothing is substituted yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """A variable that a template declares.

    Attributes:
        name: what stands in ``${name}``.
        description: one line for whoever has to give it a value; may be empty.
        default: its value where none is given; None if it has to be given.
    """

    name: str
    description: str = ""
    default: str | None = None


@dataclass(frozen=True)
class DirectoryEntry:
    """A directory to be made.

    Attributes:
        path: below the target; may hold variables.
        mode: permission bits; None for what the filesystem gives new ones.
        where: its place in the template, for messages.
    """

    path: str
    mode: int | None
    where: str


@dataclass(frozen=True)
class FileEntry:
    """A file to be written; it has either ``content`` or ``content_from``.

    Attributes:
        path: below the target; may hold variables.
        content: text, in which variables are substituted, or bytes, which are written as they are.
        content_from: a file below the directory that contents come from; may hold variables.
        mode: permission bits; None for what the filesystem gives new ones.
        encoding: of text; empty for UTF-8.
        verbatim: the text is written as it is, ``${…}`` and ``$$`` included.
        where: its place in the template, for messages.
    """

    path: str
    content: str | bytes | None
    content_from: str | None
    mode: int | None
    encoding: str
    verbatim: bool
    where: str


@dataclass(frozen=True)
class LinkEntry:
    """A symbolic link to be made.

    Attributes:
        path: below the target; may hold variables.
        target: relative to the link, or absolute and then counted from the target directory; may hold variables.
        where: its place in the template, for messages.
    """

    path: str
    target: str
    where: str


@dataclass(frozen=True)
class Template:
    """A tree to be made.

    Attributes:
        name: for people; may be empty.
        description: for people; may be empty.
        variables: those that it declares; it may use others.
        directories: also made if nothing is in them. Those of files and links need not be listed.
        files: what is written.
        links: symbolic links.
    """

    name: str = ""
    description: str = ""
    variables: tuple[Variable, ...] = ()
    directories: tuple[DirectoryEntry, ...] = ()
    files: tuple[FileEntry, ...] = ()
    links: tuple[LinkEntry, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How much a template may ask for: it may come from a stranger.

    Attributes:
        entries: directories, files and links, those that are made on the way included.
        total_bytes: of all contents together, after substitution.
        document_bytes: of a template file or manifest.
        document_values: in a template file, counted as if nothing in it were shared.
        references: ``${name}`` and ``$$`` in all.
    """

    entries: int = 100_000
    total_bytes: int = 256 << 20
    document_bytes: int = 32 << 20
    document_values: int = 1_000_000
    references: int = 1_000_000


DEFAULT_LIMITS = Limits()
