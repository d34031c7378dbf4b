"""``TemplateLoader``: templates by the names and arguments that users of chuk-virtual-fs know."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.applying import Report, apply
from chuk_fsspec.templates.parsing import parse
from chuk_fsspec.templates.planned import Plan, PlannedDirectory, PlannedFile
from chuk_fsspec.templates.planning import lay_out, missing_values, plan
from chuk_fsspec.templates.preloading import KEEP, plan_copy
from chuk_fsspec.templates.reading import list_templates, read_template
from chuk_fsspec.templates.sources import Source, open_source
from chuk_fsspec.templates.surveying import ERROR
from chuk_fsspec.templates.template import DEFAULT_LIMITS, Limits

Location = str | os.PathLike[str]


class TemplateLoader:
    """Makes trees of files from templates: all of a tree, or nothing of it, and nothing outside of the target."""

    def __init__(
        self, fs: Any, *, strict: bool = True, on_existing: str = ERROR, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """Load into a filesystem.

        Args:
            fs: an fsspec filesystem, or a facade over one, on which target paths may be relative.
            strict: refuse variables that have no value; otherwise ``${name}`` stays as it is.
            on_existing: "error", "keep" or "replace" files and links that are there; directories are used as they are.
            limits: how much a template may ask for.
        """
        self.fs = fs
        self.strict = strict
        self.on_existing = on_existing
        self.limits = limits

    def apply_template(
        self,
        template_data: Any,
        target_path: str = "/",
        variables: Mapping[str, Any] | None = None,
        *,
        content_base: Location | AbstractFileSystem | None = None,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> Report:
        """Make what a template says.

        Args:
            template_data: a dict with ``directories``, ``files``, ``links`` and ``variables``, or a ``Template``.
            target_path: the directory that its paths count from. It is made if it is missing.
            variables: from name to text or a number.
            content_base: the directory that ``content_from`` reads from, and never leaves: a path of this machine, an
                fsspec URL, or a filesystem for all of it.
            callback: told of each byte of content (``relative_update``).

        Returns:
            What was done.

        Raises:
            ValueError: for a template that is none, naming the entry, and for variables without a value.
            OSError: EINVAL, ELOOP for paths and links that could leave the target; EEXIST, EISDIR, ENOTDIR for what is
                there; those of writing. The target is as it was then.
        """
        contents = None if content_base is None else open_source(content_base)
        return self._apply(parse(template_data), target_path, variables, contents, callback)

    def load_template(
        self,
        template_path: Location,
        target_path: str = "/",
        variables: Mapping[str, Any] | None = None,
        *,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> Report:
        """Make what a template file (YAML, JSON or TOML) or a template directory says.

        Args:
            template_path: a path of this machine, or an fsspec URL. ``content_from`` reads from the file's directory.
            target_path: the directory that its paths count from. It is made if it is missing.
            variables: from name to text or a number.
            callback: told of each byte of content (``relative_update``).

        Returns:
            What was done.

        Raises:
            ImportError: for YAML without PyYAML.
            ValueError: as ``apply_template``, and for a file that cannot be understood, naming line and column.
            OSError: as ``apply_template``, and of reading.
        """
        template, source = read_template(template_path, self.limits)
        return self._apply(template, target_path, variables, source, callback)

    def load_from_template_directory(
        self, template_dir: Location, target_path: str = "/", variables: Mapping[str, Any] | None = None
    ) -> dict[str, int]:
        """Make what all templates in a directory say, as if they were one: files, and directories with a manifest.

        Args:
            template_dir: a directory of this machine, or an fsspec URL of one.
            target_path: the directory that their paths count from.
            variables: for all of them; each takes those that it declares or uses.

        Returns:
            From the name of each template to how many directories, files and links it has.

        Raises:
            ImportError, ValueError, OSError: as ``load_template``. Nothing of any of them is made then.
        """
        given = checks.mapping({} if variables is None else variables, "variables")
        plans: dict[str, Plan] = {}
        for name, (template, source) in list_templates(template_dir, self.limits).items():
            takes = {variable.name for variable in template.variables}
            takes.update(missing_values(template, contents=source, limits=self.limits))
            own = {key: value for key, value in given.items() if key in takes}
            plans[name] = plan(template, own, strict=self.strict, contents=source, limits=self.limits)
        together = joined(plans, self.limits)
        apply(together, self.fs, target_path, on_existing=self.on_existing)
        return {name: len(one.directories) + len(one.files) + len(one.links) for name, one in plans.items()}

    def preload_directory(
        self,
        source_dir: Location,
        target_path: str = "/",
        pattern: str = "*",
        recursive: bool = True,
        *,
        symlinks: str = KEEP,
        callback: Callback = DEFAULT_CALLBACK,
    ) -> int:
        """Copy a directory as it is: bytes, hidden files, empty directories, permission bits, links that stay inside.

        Args:
            source_dir: a directory of this machine, or an fsspec URL of one.
            target_path: where to. It is made if it is missing.
            pattern: of names to copy, such as ``*.txt``; of whole relative paths if it holds a slash.
            recursive: also what lies in directories.
            symlinks: "keep", "follow" or "skip" symbolic links. Those that lead out of the directory are refused.
            callback: told of each byte of content (``relative_update``).

        Returns:
            How many files and links were made.

        Raises:
            ValueError: for another word.
            OSError: of reading and writing; EINVAL for links that lead out. The target is as it was then.
        """
        source = open_source(source_dir)
        copy = plan_copy(source, pattern=pattern, recursive=recursive, symlinks=symlinks, limits=self.limits)
        report = apply(copy, self.fs, target_path, on_existing=self.on_existing, callback=callback)
        return report.files + report.links

    def quick_load(self, content_dict: Mapping[str, str | bytes], base_path: str = "/") -> int:
        """Write files as they are given; nothing is substituted.

        Args:
            content_dict: from path, below ``base_path``, to text or bytes.
            base_path: the directory that paths count from. It is made if it is missing.

        Returns:
            How many files were written.

        Raises:
            ValueError: for content that is neither.
            OSError: as ``apply_template``.
        """
        files = []
        for path, content in checks.mapping(content_dict, "content_dict").items():
            where = f"content_dict[{path!r}]"
            data = content if isinstance(content, bytes) else checks.text(content, where).encode()
            files.append(PlannedFile(checks.some_text(path, where), data, None, where))
        loaded = lay_out(Plan(files=tuple(files)), self.limits.entries)
        return apply(loaded, self.fs, base_path, on_existing=self.on_existing).files

    def _apply(
        self,
        template: Any,
        target_path: str,
        variables: Mapping[str, Any] | None,
        contents: Source | None,
        callback: Callback,
    ) -> Report:
        planned = plan(template, variables, strict=self.strict, contents=contents, limits=self.limits)
        return apply(planned, self.fs, target_path, on_existing=self.on_existing, callback=callback)


def joined(plans: Mapping[str, Plan], limits: Limits) -> Plan:
    """Several plans as one; they may have directories in common."""
    directories: dict[str, PlannedDirectory] = {}
    for one in plans.values():
        for directory in one.directories:
            known = directories.get(directory.path)
            directories[directory.path] = directory if known is None or known.mode is None else known
    return lay_out(
        Plan(
            tuple(directories.values()),
            tuple(file for one in plans.values() for file in one.files),
            tuple(link for one in plans.values() for link in one.links),
        ),
        limits.entries,
    )
