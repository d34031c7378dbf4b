"""Who may log in, from Python or from a file."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from chuk_adapters.webdav.users.passwords import check_hash, hash_password, is_password
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.private import write_private

_READONLY = "ro"
_REMEMBERED = 1024
_AT_ONCE = threading.BoundedSemaphore(2)
"""Guesses that are worked on at once: each takes a tenth of a second and 32 MiB."""


@dataclass(frozen=True)
class User:
    """Somebody who may log in.

    Attributes:
        name: without a colon (RFC 7617).
        password_hash: as ``hash_password`` makes it; never shown.
        readonly: whether every change is refused.
    """

    name: str
    password_hash: str = field(repr=False)
    readonly: bool = False

    def __post_init__(self) -> None:
        if not self.name or ":" in self.name or not self.name.isprintable():
            raise ValueError(f"{self.name!r} cannot be a user's name: it is empty, or has a colon or control character")
        check_hash(self.password_hash)


class Users:
    """All who may log in. May be asked from any thread."""

    def __init__(self, users: Iterable[User]) -> None:
        self._users = {user.name: user for user in users}
        self._nobody = hash_password(os.urandom(16).hex())
        self._key = os.urandom(32)
        self._remembered: dict[bytes, User] = {}

    @classmethod
    def of_passwords(cls, passwords: Mapping[str, str]) -> Users:
        """Users by name and password; the passwords are hashed and not kept."""
        return cls(User(name, hash_password(password)) for name, password in passwords.items())

    def __iter__(self) -> Iterator[User]:
        return iter(self._users.values())

    def __len__(self) -> int:
        return len(self._users)

    def __repr__(self) -> str:
        return f"Users({', '.join(map(repr, self._users))})"

    def authenticate(self, name: str, password: str) -> User | None:
        """The user, if it is the right password. A wrong name takes as long as a wrong password.

        A password that was right is remembered for the life of this object, as a keyed hash: Basic sends it again with
        every request.
        """
        seen = hashlib.blake2b(f"{name}:{password}".encode(), key=self._key, digest_size=32).digest()
        user = self._remembered.get(seen)
        if user is not None:
            return user
        user = self._users.get(name)
        with _AT_ONCE:
            is_right = is_password(password, self._nobody if user is None else user.password_hash)
        if user is None or not is_right:
            return None
        if len(self._remembered) < _REMEMBERED:
            self._remembered[seen] = user
        return user


def read_users(path: str | os.PathLike[str]) -> Users:
    """Read a file of users: lines of ``name:hash`` or ``name:hash:ro``, and comments after ``#``.

    Args:
        path: on this machine.

    Raises:
        OSError: it cannot be read, or others than its owner could change it (EPERM).
        ValueError: a line is not as it should be; it is named by its number, never shown.
    """
    with open(path, encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & 0o022:
            raise os_error(errno.EPERM, os.fspath(path), hint="others may write to it; chmod 600 keeps it to its owner")
        lines = file.read().splitlines()
    users: list[User] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        hashed, _, flag = rest.partition(":")
        if flag not in ("", _READONLY) or name in (user.name for user in users):
            raise ValueError(f"{os.fspath(path)}, line {number}: expected name:hash or name:hash:ro, each name once")
        try:
            users.append(User(name, hashed, readonly=flag == _READONLY))
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}, line {number}: {error}") from None
    return Users(users)


def write_users(path: str | os.PathLike[str], users: Iterable[User]) -> None:
    """Replace a file of users, all or nothing; only its owner may read it."""
    lines = [f"{user.name}:{user.password_hash}{f':{_READONLY}' if user.readonly else ''}\n" for user in users]
    write_private(path, "".join(lines))
