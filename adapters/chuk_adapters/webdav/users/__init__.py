"""Users and their passwords, which are kept as hashes only."""

from chuk_adapters.webdav.users.users import User, Users

__all__ = ["User", "Users"]
