"""FUSE: any fsspec filesystem as a directory that real tools work in."""

from chuk_adapters.fuse.mounting import Mount, mount
from chuk_adapters.fuse.options import MountOptions

__all__ = ["Mount", "MountOptions", "mount"]
