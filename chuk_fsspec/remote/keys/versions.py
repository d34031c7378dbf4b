"""``fs.versions`` of a filesystem that stands on a ``KeyService``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chuk_fsspec.contract.versions import FileVersion
from chuk_fsspec.remote.keys import copying
from chuk_fsspec.remote.keys.space import Space

if TYPE_CHECKING:
    from chuk_fsspec.remote.keys.filesystem import KeyFileSystem


class KeyVersions:
    """Versions of files, as ``contract.versions.Versions`` has them."""

    def __init__(self, fs: KeyFileSystem) -> None:
        """The versions of what a filesystem holds."""
        self._fs = fs

    def list(self, path: str) -> list[FileVersion]:
        """All versions of a file, the latest first. ENOENT."""

        async def look(path: str) -> list[FileVersion]:
            space = self._space(path)
            key = space.names.key(path)
            found = await space.calls(path, lambda: space.keys.versions(key))
            if not found:
                raise await space.why_no_file(path)
            return found

        return self._fs.wait(look(self._normal(path)))

    def restore(self, path: str, version_id: str) -> str | None:
        """Make a version the latest one. ENOENT."""

        async def copy(path: str) -> str | None:
            space = self._space(path)
            _require_name(version_id)
            entry = await copying.copy_file(replace(space, version=version_id), path, space, path, None)
            return self._fs._written(entry)

        return self._fs.wait(copy(self._normal(path)))

    def remove(self, path: str, version_id: str) -> None:
        """Remove one version for good."""

        async def delete(path: str) -> None:
            space = self._space(path)
            key = space.names.key(path)
            _require_name(version_id)
            await space.calls(path, lambda: space.keys.delete(key, None, version_id))
            self._fs._known.changed(path)

        return self._fs.wait(delete(self._normal(path)))

    def _normal(self, path: str) -> str:
        normal: str = self._fs._strip_protocol(path)
        return normal

    def _space(self, path: str) -> Space:
        """The objects among which a path is; for the running event loop."""
        return self._fs.reach().space_of(path)


def _require_name(version_id: str) -> None:
    """ValueError for no name, by which a service would understand the latest version."""
    if not version_id:
        raise ValueError("version_id is empty; name a version, as versions.list does")
