"""What a remote filesystem copies."""

from __future__ import annotations

from typing import Any

from fsspec.utils import stringify_path

from chuk_fsspec.contract.arguments import require_depth
from chuk_fsspec.contract.conditions import Condition, condition_of, refuse_etags
from chuk_fsspec.contract.expansion import has_glob, is_one
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.remote.removing import Removing
from chuk_fsspec.remote.resolving import ToldAs
from chuk_fsspec.remote.sending import Order


class Copying(Removing):
    """The part of ``RemoteFileSystem`` that gives files further names."""

    async def _copy(
        self, path1: Any, path2: Any, recursive: bool = False, on_error: str | None = None, **kwargs: Any
    ) -> None:
        """Copy files, several at once, and directories with all they hold if ``recursive``, by fsspec's rules.

        Args:
            path1: what is copied: a path, a pattern, or a list of them; directories are left out unless ``recursive``.
            path2: where to: a path, which takes the copies inside if it ends in ``/`` or is a directory, or a list.
            recursive: copy directories.
            on_error: "raise", or "ignore" for leaving out what is missing; None for the latter if ``recursive``.
            kwargs: ``maxdepth`` and ``batch_size``, as fsspec has them, and the conditions of ``cp_file``.

        Raises:
            OSError: as ``cp_file``.
        """
        if not recursive and on_error in (None, "raise") and _is_file_name(path1) and is_one(path2):
            await self._copy_one(path1, path2, **kwargs)
        else:
            await super()._copy(path1, path2, recursive=recursive, on_error=on_error, **kwargs)

    async def _copy_one(
        self,
        path1: Any,
        path2: Any,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_source_match: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Copy one file, and look at it no more than the copy does."""
        require_depth(kwargs.get("maxdepth"))
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        if stringify_path(path2).endswith("/") or await self._isdir(target):
            target = join(target, split(source)[1])
        condition, wanted = condition_of(if_match, if_none_match), condition_of(if_source_match)
        await self._copied(source, target, condition, wanted, makes_directories=False)

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
        return await self._copied(source, target, condition_of(if_match, if_none_match), condition_of(if_source_match))

    async def _copied(
        self,
        source: str,
        target: str,
        condition: Condition | None,
        wanted: Condition | None,
        *,
        makes_directories: bool = True,
    ) -> str | None:
        """The same for normal paths; a directory is left out without ``makes_directories``."""
        if wanted is None and source != target and self._needs_no_look(target):
            try:
                return await self._copy_to(source, target, condition)
            except (FileNotFoundError, IsADirectoryError) as error:
                if error.filename == target:
                    raise
        entry = await self._look(source, follow=True)
        if entry.kind == "directory":
            if not makes_directories:
                return None
            refuse_etags(source, condition, wanted)
            await self._makedirs(target, exist_ok=True)
            return None
        if wanted is not None:
            wanted.require(source, entry.etag)
        if entry.path == await self._real(target):
            if condition is not None:
                condition.require(target, entry.etag)
            return entry.etag or None
        with ToldAs(source, entry.path):
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


def _is_file_name(path: Any) -> bool:
    """Whether an argument is one path, no pattern, and does not say by a slash that it is a directory."""
    return is_one(path) and not has_glob(stringify_path(path)) and not stringify_path(path).endswith("/")
