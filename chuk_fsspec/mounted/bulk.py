"""Many files at once: shared out by mount and handed on whole, so that what is concurrent below stays so.

Where a mount has symbolic links, files are written one after another, since each may lead into another mount.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.errors import LinkInTheWay, not_found, os_error
from chuk_fsspec.contract.expansion import has_glob
from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.mounted.access import Access, call, why
from chuk_fsspec.mounted.removing import remove
from chuk_fsspec.mounted.table import Mount

if TYPE_CHECKING:
    from chuk_fsspec.mounted.filesystem import MountedFileSystem

Numbers = list[int]


class Bulk:
    """Operations on lists of normal paths, which are taken as they are: no patterns, no recursion but in ``rm``.

    Args:
        fs: does what cannot be handed on whole, file by file.
        access: asks the mounts.
    """

    def __init__(self, fs: MountedFileSystem, access: Access) -> None:
        self._fs = fs
        self._access = access

    def cat_ranges(
        self, paths: list[str], starts: list[Any], ends: list[Any], on_error: str = "return", **options: Any
    ) -> list[Any]:
        """Ranges of files in the order of the paths, with errors in place of what could not be read."""
        results: list[Any] = [None] * len(paths)
        for mount, numbers in self._shared_out(paths, whole=True):
            if mount is not None:
                ranges = [[values[number] for number in numbers] for values in (starts, ends)]
                found = self._call(mount, "cat_ranges", self._inner(mount, paths, numbers), *ranges, **options)
                for number, data in zip(numbers, found, strict=True):
                    results[number] = mount.names.error(data, paths[number]) if _is_error(data) else data
            for number in numbers:
                if mount is None or isinstance(results[number], LinkInTheWay):
                    results[number] = self._range(paths[number], starts[number], ends[number], options)
        if on_error == "raise":
            for error in filter(_is_error, results):
                raise error
        return results

    def pipe(self, paths: list[str], values: list[Any], **options: Any) -> None:
        """Write each value to its path."""
        for mount, numbers in self._shared_out(paths):
            if mount is None:
                for number in numbers:
                    self._fs.pipe_file(paths[number], values[number], **options)
            else:
                inner = [self._access.place(FSSPEC["pipe_file"], paths[number], {})[1] for number in numbers]
                contents = dict(zip(inner, [values[number] for number in numbers], strict=True))
                self._call(mount, "pipe", contents, **options)

    def get(self, paths: list[str], locals_: list[str], callback: Callback = DEFAULT_CALLBACK, **options: Any) -> None:
        """Download each path to its local path."""
        self._transfer("get", paths, locals_, callback, options)

    def put(self, paths: list[str], locals_: list[str], callback: Callback = DEFAULT_CALLBACK, **options: Any) -> None:
        """Upload each local path to its path."""
        self._transfer("put", paths, locals_, callback, options)

    def copy(self, sources: list[str], targets: list[str], on_error: str = "raise", **options: Any) -> None:
        """Copy each source to its target; with ``on_error="ignore"`` those that vanish meanwhile are left out."""
        vanishing = (FileNotFoundError,) if on_error == "ignore" else ()
        for mount, run in groupby(range(len(sources)), lambda number: self._home(sources[number], targets[number])):
            numbers = list(run)
            if mount is not None:
                ends = [self._inner(mount, paths, numbers) for paths in (sources, targets)]
                self._call(mount, "copy", *ends, on_error=on_error, **options)
                continue
            for number in numbers:
                with suppress(*vanishing):
                    self._fs.cp_file(sources[number], targets[number], **options)

    def rm(self, paths: list[str], recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove each path. Nothing is removed if a mount is in the way of one. EBUSY."""
        reals = [self._access.through(self._removable, path) for path in paths]
        for mount, numbers in self._access.tree.table.together(reals):
            assert mount is not None
            literal = [number for number in numbers if mount.names.is_ours or not has_glob(reals[number])]
            if literal:
                inner = self._inner(mount, reals, literal)
                options = {} if maxdepth is None else {"maxdepth": maxdepth}
                self._call(mount, "rm", inner, about=paths[literal[0]], recursive=recursive, **options)
            for number in set(numbers) - set(literal):
                remove(mount, reals[number], recursive=recursive, maxdepth=maxdepth)

    def invalidate_cache(self, path: str | None) -> None:
        """Forget what filesystems remember of a path and of what is below it, or of everything."""
        table = self._access.tree.table
        for mount in table.inside(path or "/"):
            mount.fs.invalidate_cache(mount.names.root or None)
        route = table.route(path or "/")
        if route.point is None and route.mount is not None:
            route.mount.fs.invalidate_cache(route.inner)

    # ---- steps

    def _removable(self, real: str) -> str:
        """The path itself, if no mount is in the way of removing it. EBUSY, ENOENT."""
        route = self._access.tree.table.route(real)
        if route.point is not None:
            raise os_error(errno.EBUSY, real, hint=why(route.point))
        if route.mount is None:
            raise not_found(real)
        if route.mount.can.symlinks:
            call(route.mount, FSSPEC["lexists"], (route.inner,), (real,))  # which meets links on the way
        return real

    def _shared_out(self, paths: list[str], *, whole: bool = False) -> Iterator[tuple[Mount | None, Numbers]]:
        """Numbers of paths by mount; None for those that have to be handled one by one.

        Args:
            paths: normal paths.
            whole: hand on those of mounts with links too.
        """
        table = self._access.tree.table
        for mount, numbers in table.together(paths):
            alone = [number for number in numbers if table.point(paths[number]) is not None]
            if mount is None or (mount.can.symlinks and not whole):
                alone = numbers
            others = [number for number in numbers if number not in set(alone)]
            if others:
                yield mount, others
            if alone:
                yield None, alone

    def _home(self, source: str, target: str) -> Mount | None:
        """The mount that can copy one path to the other by itself; None where they have to be looked at closer."""
        one, other = (self._access.tree.table.route(path) for path in (source, target))
        made = (one.point, other.point, other.directory)
        if one.mount is None or one.mount is not other.mount or one.mount.can.symlinks or any(made):
            return None
        return one.mount

    def _inner(self, mount: Mount, paths: Sequence[str], numbers: Numbers) -> list[str]:
        return [mount.names.inward(paths[number]) for number in numbers]

    def _call(self, mount: Mount, name: str, *arguments: Any, about: str = "", **options: Any) -> Any:
        return call(mount, FSSPEC[name], (), (about or mount.path,), *arguments, **options)

    def _range(self, path: str, start: Any, end: Any, options: dict[str, Any]) -> Any:
        try:
            return self._fs.cat_file(path, start, end, **options)
        except Exception as error:  # noqa: BLE001 - it is the result
            return error

    def _transfer(
        self, name: str, paths: list[str], locals_: list[str], callback: Callback, options: dict[str, Any]
    ) -> None:
        groups = list(self._shared_out(paths))
        shared = callback if len(groups) == 1 else _Part(callback)
        if groups[0][0] is None or len(groups) > 1:
            callback.set_size(len(paths))
        for mount, numbers in groups:
            outside = [locals_[number] for number in numbers]
            if mount is None:
                for number in callback.wrap(numbers):
                    self._transfer_one(name, paths[number], locals_[number], callback, options)
            elif name == "get":
                self._call(mount, "get", self._inner(mount, paths, numbers), outside, callback=shared, **options)
            else:
                inner = [self._access.place(FSSPEC["pipe_file"], paths[number], {})[1] for number in numbers]
                self._call(mount, "put", outside, inner, callback=shared, **options)

    def _transfer_one(self, name: str, path: str, local: str, callback: Callback, options: dict[str, Any]) -> None:
        source, target = (path, local) if name == "get" else (local, path)
        with callback.branched(source, target) as child:
            getattr(self._fs, f"{name}_file")(source, target, callback=child, **options)


class _Part(Callback):
    """Reports a part of a transfer to the callback of the whole."""

    def __init__(self, whole: Callback) -> None:
        super().__init__()
        self._whole = whole

    def set_size(self, size: int) -> None:
        """The size of the whole is known already."""

    def relative_update(self, inc: int = 1) -> None:
        self._whole.relative_update(inc)

    def branched(self, path_1: str, path_2: str, **kwargs: Any) -> Any:
        return self._whole.branched(path_1, path_2, **kwargs)


def _is_error(data: Any) -> bool:
    return isinstance(data, Exception)
