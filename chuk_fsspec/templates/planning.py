"""From a template and values to a plan. Everything that can be wrong with a template is found here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.layout import Layout, link_below, path_below
from chuk_fsspec.templates.planned import Plan, PlannedDirectory, PlannedFile, PlannedLink
from chuk_fsspec.templates.sources import Source
from chuk_fsspec.templates.substitution import Substitution, values_of
from chuk_fsspec.templates.template import (
    DEFAULT_LIMITS,
    DirectoryEntry,
    FileEntry,
    Limits,
    LinkEntry,
    Template,
)


def plan(
    template: Template,
    variables: Mapping[str, Any] | None = None,
    *,
    strict: bool = True,
    contents: Source | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Plan:
    """Work out what a template makes: read, substitute and check everything. No filesystem is changed.

    Args:
        template: what ``parse`` gave.
        variables: from name to text or a number.
        strict: refuse variables that have no value; otherwise ``${name}`` stays as it is.
        contents: where ``content_from`` reads.
        limits: how much it may become.

    Returns:
        The plan, with paths that count from the target.

    Raises:
        ValueError: for variables without a value, each with the place of its first use, and for values that are none.
        OSError: EINVAL and ELOOP for paths and links that could leave the target, for a path that stands twice, and for
            a file that is a directory too; those of ``content_from``; EFBIG past the limits. All name the entry.
    """
    values = values_of(template.variables, variables)
    planning = _Planning(Substitution(values, limits), contents, limits, strict=strict)
    planned = planning.run(template)
    planning.substitution.require_known(template.variables)
    if strict:
        planning.substitution.require_values(template.variables)
    return lay_out(planned, limits.entries)


def missing_values(
    template: Template,
    variables: Mapping[str, Any] | None = None,
    *,
    contents: Source | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[str, str]:
    """The variables that a template still needs values for.

    Args:
        template: what ``parse`` gave.
        variables: those that are given.
        contents: where ``content_from`` reads.
        limits: how much it may become.

    Returns:
        From name to its description, or to the place of its first use; declared ones first.

    Raises:
        ValueError, OSError: as ``plan``, of values and of reading.
    """
    substitution = Substitution(values_of(template.variables, variables), limits)
    _Planning(substitution, contents, limits, strict=True).run(template)
    substitution.require_known(template.variables)
    return substitution.missing(template.variables)


class _Planning:
    """One plan in the making."""

    def __init__(self, substitution: Substitution, contents: Source | None, limits: Limits, *, strict: bool) -> None:
        self.substitution = substitution
        self._strict = strict
        self._contents = contents
        self._limits = limits
        self._room = limits.total_bytes

    def run(self, template: Template) -> Plan:
        """Everything substituted and read; paths are not checked yet."""
        return Plan(
            directories=tuple(
                [PlannedDirectory(self._into(one, "path"), one.mode, one.where) for one in template.directories]
            ),
            files=tuple(
                [
                    PlannedFile(self._into(one, "path"), self._content(one), one.mode, one.where)
                    for one in template.files
                ]
            ),
            links=tuple(
                [PlannedLink(self._into(one, "path"), self._into(one, "target"), one.where) for one in template.links]
            ),
        )

    def _into(self, entry: DirectoryEntry | FileEntry | LinkEntry, field: str) -> str:
        return self.substitution.into(getattr(entry, field), f"{entry.where}.{field}")

    def _content(self, entry: FileEntry) -> bytes:
        content, where = entry.content, f"{entry.where}.content"
        encoding = entry.encoding or "utf-8"
        if entry.content_from is not None:
            where = f"{entry.where}.content_from"
            if self._contents is None:
                raise ValueError(f"{where}: say which directory contents come from, with content_base")
            name = self.substitution.into(entry.content_from, where)
            if self._strict and self.substitution.has_failed:
                return b""  # what is missing is told for the whole template, and comes before a file of another name
            data = self._contents.read(name, where, self._room)
            content = data if entry.verbatim else text_or_bytes(data, encoding, where, must=bool(entry.encoding))
        if isinstance(content, str):
            text = content if entry.verbatim else self.substitution.into(content, where)
            try:
                content = text.encode(encoding)
            except UnicodeEncodeError as error:
                raise ValueError(f"{where}: character {error.start} cannot be written as {encoding}") from None
        assert content is not None
        self._room -= len(content)
        if self._room < 0:
            raise checks.too_large(where, "bytes in all", self._limits.total_bytes)
        return content


def text_or_bytes(data: bytes, encoding: str, where: str, *, must: bool) -> str | bytes:
    """The text of a file, or its bytes if it holds none: those of another encoding, or a NUL.

    Args:
        data: all of it.
        encoding: of text.
        where: the entry that reads it, for messages.
        must: refuse what is not of the encoding.

    Raises:
        ValueError: with ``must``, naming the first byte that is not of the encoding.
    """
    if not must and b"\0" in data:
        return data
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if must:
            raise ValueError(f"{where}: byte {error.start} is not {encoding}") from None
        return data


def lay_out(planned: Plan, limit: int) -> Plan:
    """Check the shape of a plan, bring its paths into the normal form and add the directories that are needed.

    Args:
        planned: with paths as they were given.
        limit: most entries.

    Raises:
        OSError: EINVAL, ELOOP, ENAMETOOLONG, EFBIG, naming the entry.
    """
    layout = Layout(limit)
    directories = {}
    for one in planned.directories:
        path = path_below(one.path, one.where, is_directory=True)
        layout.add_directory(path, one.where)
        directories[path] = PlannedDirectory(path, one.mode, one.where)
    files = []
    for file in planned.files:
        path = path_below(file.path, f"{file.where}.path")
        layout.add_file(path, file.where)
        files.append(PlannedFile(path, file.content, file.mode, file.where))
    links = []
    for link in planned.links:
        path = path_below(link.path, f"{link.where}.path")
        layout.add_link(path, link.where)
        links.append(PlannedLink(path, link_below(path, link.target, f"{link.where}.target"), link.where))
    layout.require_directories()
    for path, where in layout.implied.items():
        directories[path] = PlannedDirectory(path, None, where)
    return Plan(tuple(directories[path] for path in sorted(directories)), tuple(files), tuple(links))
