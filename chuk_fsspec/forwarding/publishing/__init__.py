"""Files of filesystems that promise little: written whole or not at all, and read by one reader alone."""

from chuk_fsspec.forwarding.publishing.opening import is_whole, open_steady, open_whole, reads_anew
from chuk_fsspec.forwarding.publishing.whole import WholeFiles

__all__ = ["WholeFiles", "is_whole", "open_steady", "open_whole", "reads_anew"]
