"""What the backends over a network have in common: one fsspec surface over any store that is reached by requests."""

from chuk_fsspec.remote.filesystem import RemoteFileSystem

__all__ = ["RemoteFileSystem"]
