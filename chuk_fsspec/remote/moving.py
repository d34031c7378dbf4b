"""What a remote filesystem copies and moves."""

from __future__ import annotations

import errno
from typing import Any

from fsspec.utils import other_paths, stringify_path

from chuk_fsspec.contract.arguments import refuse_depth
from chuk_fsspec.contract.conditions import Condition, condition_of, refuse_etags
from chuk_fsspec.contract.errors import LinkInTheWay, not_supported, os_error
from chuk_fsspec.contract.expansion import has_glob, is_one, listed
from chuk_fsspec.contract.paths import is_inside, join, split
from chuk_fsspec.remote.conditions import require_met
from chuk_fsspec.remote.removing import Removing, require_of_name
from chuk_fsspec.remote.resolving import told_as
from chuk_fsspec.remote.sending import Order
from chuk_fsspec.remote.store import Entry


class Moving(Removing):
    """The part of ``RemoteFileSystem`` that gives files other names, or further ones."""

    # ---- copying

    async def _cp_file(
        self,
        path1: str,
        path2: str,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_source_match: str | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Copy one file inside the service, or make a directory of the same name.

        Args:
            path1: what is copied.
            path2: where to.
            if_match: the etag that the target has to have, or ``*`` if there has to be one.
            if_none_match: the etag that the target must not have, or ``*`` if nothing may be there.
            if_source_match: the etag that the source has to have.
            kwargs: ignored.

        Returns:
            The new etag of the target; None for a directory.

        Raises:
            OSError: ENOENT, EISDIR, ENOTDIR.
            PreconditionFailed: with nothing done.
        """
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        condition, wanted = condition_of(if_match, if_none_match), condition_of(if_source_match)
        if wanted is None and source != target and self._needs_no_look(target):
            try:
                return await self._copy_to(source, target, condition)
            except (FileNotFoundError, IsADirectoryError) as error:
                if error.filename == target:
                    raise
        entry = await self._look(source, follow=True)
        if entry.kind == "directory":
            refuse_etags(source, condition, wanted)
            await self._makedirs(target, exist_ok=True)
            return None
        if wanted is not None:
            wanted.require(source, entry.etag)
        if entry.path == await self._real(target):
            if condition is not None:
                condition.require(target, entry.etag)
            return entry.etag or None
        with told_as(source, entry.path):
            return await self._copy_to(entry.path, target, condition, entry.etag if wanted is not None else "")

    def _needs_no_look(self, target: str) -> bool:
        """Whether a copy may be tried at once: nothing has to be made for it, and nothing has to be followed."""
        can = self.capabilities
        has_parent = not can.directories or self.traits.implied_directories or self._is_known(split(target)[0])
        return has_parent and (not can.symlinks or self._service_follows)

    async def _copy_to(self, source: str, target: str, condition: Condition | None, etag: str = "") -> str | None:
        order = Order(target, condition=condition)
        return self._written(
            await self._placed(order, lambda real, checked: self._store.copy_file(source, real, checked, etag))
        )

    # ---- moving

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
        pairs = await self._move_pairs(path1, path2)
        await self._together(self._move(source, target, wanted, replaced) for source, target in pairs)

    async def _mv_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Move one file or directory to exactly this path; conditions are as for ``mv``."""
        wanted = condition_of(kwargs.get("if_match"))
        replaced = condition_of(kwargs.get("if_target_match"), kwargs.get("if_none_match"))
        await self._move(self._strip_protocol(path1), self._strip_protocol(path2), wanted, replaced)

    async def _rename(self, source: str, path: str) -> None:
        """rename(2): to exactly this path, whose directory is there."""
        one, other = self._strip_protocol(source), self._strip_protocol(path)
        try:
            if one == other:
                await self._look(one)
            else:
                await self._move(one, other, None, None, makes_parents=False)
        except LinkInTheWay:
            raise
        except OSError as error:
            error.filename, error.filename2 = one, other
            raise

    async def _move(
        self,
        source: str,
        target: str,
        wanted: Condition | None,
        replaced: Condition | None,
        *,
        makes_parents: bool | None = None,
    ) -> None:
        if (wanted or replaced) and not self.capabilities.conditional_write:
            raise not_supported("conditions of a move, which this service cannot check", source)
        entry = await self._look(source)
        if wanted is not None:
            require_of_name(wanted, entry)
        real = await self._real(target, follow=False)
        there = await self._store.look(real)
        require_met(replaced, target, there)
        _require_movable(entry, real, there)
        if entry.path == real:
            return
        await self._require_parent(real, make=self.auto_mkdir if makes_parents is None else makes_parents)
        if there is not None and there.kind == "directory" and not self.capabilities.replace:
            await self._store.remove_directory(real)  # as rename(2) does with an empty one
        etag = entry.etag if wanted is not None and wanted.compares else ""
        try:
            await self._store.move(entry.path, real, replaced, etag)
        except FileNotFoundError:
            self._known.forget_above(real)
            raise
        finally:
            self._known.gone(entry.path)
            self._known.gone(real)

    # ---- what the arguments mean

    async def _move_pairs(self, path1: Any, path2: Any) -> list[tuple[str, str]]:
        """Which path goes where in ``mv``, as ``contract.expansion.move_pairs`` has it."""
        if is_one(path1):
            source = self._strip_protocol(path1)
            if not has_glob(source) or await self._lexists(source):
                return await self._one_pair(source, path2)
        flat = not is_one(path1)
        if flat and not is_one(path2):
            sources, targets = listed(path1), listed(path2)
        else:
            sources = await self._expand_path(path1)
            targets = other_paths(sources, self._strip_protocol(path2), exists=len(sources) == 1, flatten=flat)
        strip = self._strip_protocol
        return [(strip(source), strip(target)) for source, target in zip(sources, targets, strict=True)]

    async def _one_pair(self, source: str, path2: Any) -> list[tuple[str, str]]:
        target = self._strip_protocol(path2)
        if source == target:
            await self._look(source)
            return []
        if stringify_path(path2).endswith("/") or await self._takes_inside(target):
            target = join(target, source.rpartition("/")[2])
        return [(source, target)]

    async def _takes_inside(self, target: str) -> bool:
        """Whether what is moved to a normal path goes into it: it is a directory, or a link to one that is followed."""
        try:
            return await self._isdir(target)
        except LinkInTheWay as link:
            if link.filename == target:
                return False
            raise


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
