"""What a remote filesystem moves."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any

from fsspec.utils import other_paths, stringify_path

from chuk_fsspec.contract.arguments import refuse_depth
from chuk_fsspec.contract.conditions import Condition, condition_of
from chuk_fsspec.contract.errors import LinkInTheWay, leads_nowhere, not_supported, os_error
from chuk_fsspec.contract.expansion import has_glob, is_one, listed
from chuk_fsspec.contract.paths import is_inside, join, split
from chuk_fsspec.remote.conditions import require_met
from chuk_fsspec.remote.copying import Copying
from chuk_fsspec.remote.removing import require_of_name
from chuk_fsspec.remote.store import Entry


@dataclass(frozen=True)
class _Step:
    """One move.

    Attributes:
        source: what is moved, a normal path.
        target: to exactly where, a normal path.
        found: where the target leads, and what is there; None if nobody has looked.
    """

    source: str
    target: str
    found: tuple[str, Entry | None] | None = None


class Moving(Copying):
    """The part of ``RemoteFileSystem`` that gives files other names."""

    async def _mv(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_target_match: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Move a file or a directory.

        In one step where the service declares ``rename``; elsewhere all is copied before anything is removed, and an
        error leaves the source whole. As in fsspec's copying rules, a target that ends in ``/`` or is a directory takes
        the source inside. Each match of a list or a glob pattern is moved by itself, several at once.

        Args:
            path1: what is moved: a path, a pattern, or a list of them.
            path2: where to.
            recursive: ignored; a directory moves whole.
            maxdepth: None.
            if_match: the etag that the source has to have, or ``*`` for any.
            if_none_match: the etag that the target must not have, or ``*`` if nothing may be there.
            if_target_match: the etag that the target has to have, or ``*`` if something has to be there.
            kwargs: ignored.

        Raises:
            OSError: ENOENT, ENOTEMPTY, EINVAL for a directory into itself; EISDIR, ENOTDIR for unlike kinds.
            PreconditionFailed: with nothing done.
            ValueError: for ``maxdepth``, which would leave what is deeper without a place.
        """
        refuse_depth(maxdepth)
        wanted, replaced = condition_of(if_match), condition_of(if_target_match, if_none_match)
        steps = await self._move_steps(path1, path2)
        await self._together(self._move(step, wanted, replaced) for step in steps)

    async def _mv_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Move one file or directory to exactly this path; conditions are as for ``mv``."""
        wanted = condition_of(kwargs.get("if_match"))
        replaced = condition_of(kwargs.get("if_target_match"), kwargs.get("if_none_match"))
        await self._move(_Step(self._strip_protocol(path1), self._strip_protocol(path2)), wanted, replaced)

    async def _rename(self, source: str, path: str) -> None:
        """rename(2): to exactly this path, whose directory is there."""
        one, other = self._strip_protocol(source), self._strip_protocol(path)
        try:
            if one == other:
                await self._look(one)
            else:
                await self._move(_Step(one, other), None, None, makes_parents=False)
        except LinkInTheWay:
            raise
        except OSError as error:
            error.filename, error.filename2 = one, other
            raise

    async def _move(
        self, step: _Step, wanted: Condition | None, replaced: Condition | None, *, makes_parents: bool | None = None
    ) -> None:
        if (wanted or replaced) and not self.capabilities.conditional_write:
            raise not_supported("conditions of a move, which this service cannot check", step.source)
        entry = await self._look(step.source)
        if wanted is not None:
            require_of_name(wanted, entry)
        real, there = step.found or await self._found_at(step.target)
        require_met(replaced, step.target, there)
        _require_movable(entry, real, there)
        if entry.path == real:
            return
        if split(entry.path)[0] != split(real)[0]:
            makes = self.auto_mkdir if makes_parents is None else makes_parents
            await self._require_parent(real, make=makes, is_implied=self.traits.implied_directories)
        if there is not None and there.kind == "directory" and not self.capabilities.replace:
            await self._store.remove_directory(real)  # as rename(2) does with an empty one
        etag = entry.etag if wanted is not None and wanted.compares else ""
        try:
            await self._store.move(entry, real, replaced, etag)
        except FileNotFoundError:
            self._known.forget_above(real)
            raise
        finally:
            self._gone(entry.path)
            self._known.gone(real)

    # ---- what the arguments mean

    async def _move_steps(self, path1: Any, path2: Any) -> list[_Step]:
        """Which path goes where in ``mv``, as ``contract.expansion.move_pairs`` has it."""
        if is_one(path1):
            source = self._strip_protocol(path1)
            if not has_glob(source) or await self._lexists(source):
                return await self._one_step(source, path2)
        flat = not is_one(path1)
        if flat and not is_one(path2):
            sources, targets = listed(path1), listed(path2)
        else:
            sources = await self._expand_path(path1)
            targets = other_paths(sources, self._strip_protocol(path2), exists=len(sources) == 1, flatten=flat)
        strip = self._strip_protocol
        return [_Step(strip(source), strip(target)) for source, target in zip(sources, targets, strict=True)]

    async def _one_step(self, source: str, path2: Any) -> list[_Step]:
        target = self._strip_protocol(path2)
        if source == target:
            await self._look(source)
            return []
        if not stringify_path(path2).endswith("/"):
            found = await self._found_before_moving(target)
            if found is None or not await self._takes_inside(*found):
                return [_Step(source, target, found)]
        return [_Step(source, join(target, split(source)[1]))]

    async def _found_before_moving(self, target: str) -> tuple[str, Entry | None] | None:
        """Where a normal path leads, and what is there; None if it leads nowhere, which is told after the source."""
        try:
            return await self._found_at(target)
        except OSError as error:
            if leads_nowhere(error):
                return None
            raise

    async def _takes_inside(self, real: str, there: Entry | None) -> bool:
        """Whether what is moved to a path goes into it: it is a directory, or a link to one that is followed."""
        if there is not None and there.kind == "link" and self.follow_links:
            return await self._isdir(real)
        if there is None or there.kind != "directory":
            return False
        self._known.directories.put(real, True)
        return True


def _require_movable(entry: Entry, target: str, there: Entry | None) -> None:
    """Refuse what rename(2) refuses: EINVAL, EISDIR, ENOTDIR, EBUSY for the root."""
    source, is_directory = entry.path, entry.kind == "directory"
    if source == "/" or target == "/":
        raise os_error(errno.EBUSY, source, target, hint="the root directory stays where it is")
    if is_directory and is_inside(target, source):
        raise os_error(errno.EINVAL, source, target, hint="a directory cannot move into itself")
    if there is not None and is_directory and there.kind != "directory":
        raise os_error(errno.ENOTDIR, source, target)
    if there is not None and not is_directory and there.kind == "directory":
        raise os_error(errno.EISDIR, source, target)
