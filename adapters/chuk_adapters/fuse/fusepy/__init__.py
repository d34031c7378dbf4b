"""The transport for macOS, and for Linux where asked for: libfuse, through mfusepy.

``library`` is the binding with its gaps filled; ``calls`` puts libfuse's paths to inodes; ``host`` undoes what libfuse
does to the process around it; ``transport`` mounts and serves.
"""

from chuk_adapters.fuse.fusepy.transport import FusepyTransport

__all__ = ["FusepyTransport"]
