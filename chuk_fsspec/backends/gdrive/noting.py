"""What users note about a file: extended attributes, kept as private properties that only this program sees.

``user.key`` is the property ``key``; an attribute of another class keeps its whole name. A text is kept as it is, other
bytes in base64.
"""

from __future__ import annotations

import base64
import errno

from chuk_fsspec.backends.gdrive.client import DriveClient
from chuk_fsspec.backends.gdrive.finding import Finder
from chuk_fsspec.backends.gdrive.options import MOST_OF_A_PROPERTY
from chuk_fsspec.backends.gdrive.resources import Resource, properties_body
from chuk_fsspec.backends.gdrive.writing import TRIES, busy
from chuk_fsspec.contract.errors import not_found, os_error

_USER = "user."
_OTHERS = ("security.", "system.", "trusted.", _USER)
_BASE64 = "base64:"
_CREATE, _REPLACE = 1, 2


class Notes:
    """Extended attributes by path."""

    def __init__(self, client: DriveClient, finder: Finder) -> None:
        self._client, self._finder = client, finder

    async def all(self, path: str) -> dict[str, bytes]:
        """Those of a path. ENOENT."""
        found = await self._there(path)
        return {_name_of(key): _bytes_of(value) for key, value in found.properties.items()}

    async def set(self, path: str, name: str, value: bytes, flags: int) -> None:
        """Set one. ENOENT, EEXIST, ENODATA, ERANGE, E2BIG; ENOSPC for more than Drive takes of one file."""
        key, text = _key_of(name, path), _text_of(value)
        if len(f"{key}{text}".encode()) > MOST_OF_A_PROPERTY:
            raise os_error(errno.E2BIG, path, hint=f"Drive keeps {MOST_OF_A_PROPERTY} bytes of a name and its value")
        for _ in range(TRIES):
            found = await self._there(path)
            if flags & _CREATE and key in found.properties:
                raise os_error(errno.EEXIST, path)
            if flags & _REPLACE and key not in found.properties:
                raise os_error(errno.ENODATA, path)
            noted = await self._client.change(path, found, {"properties": properties_body({key: text})})
            if noted is not None:
                self._finder.kept(path, noted)
                return
        raise busy(path)

    async def remove(self, path: str, name: str) -> None:
        """Remove one. ENOENT, ENODATA."""
        found = await self._there(path)
        key = _key_of(name, path)
        if key not in found.properties:
            raise os_error(errno.ENODATA, path)
        await self._client.drop_property(path, found.id, key)
        self._finder.known.forget(path)

    async def _there(self, path: str) -> Resource:
        found = await self._finder.look(path)
        if found is None:
            raise not_found(path)
        return found


def _key_of(name: str, path: str) -> str:
    if not 0 < len(name.encode()) <= 255:
        raise os_error(errno.ERANGE, path, hint="the name of an extended attribute has 1 to 255 bytes")
    key = name.removeprefix(_USER)
    return name if not key or key.startswith(_OTHERS) else key


def _name_of(key: str) -> str:
    return key if key.startswith(_OTHERS) else f"{_USER}{key}"


def _text_of(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = _BASE64
    return f"{_BASE64}{base64.b64encode(value).decode()}" if text.startswith(_BASE64) else text


def _bytes_of(text: str) -> bytes:
    encoded = text.removeprefix(_BASE64)
    return base64.b64decode(encoded) if encoded != text else text.encode()
