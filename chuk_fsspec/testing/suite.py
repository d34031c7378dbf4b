"""All groups of the behaviour suite as one class."""

from __future__ import annotations

from chuk_fsspec.testing.concurrency import Concurrency
from chuk_fsspec.testing.copying import Copying
from chuk_fsspec.testing.directories import Directories
from chuk_fsspec.testing.errors import Errors
from chuk_fsspec.testing.info import Infos
from chuk_fsspec.testing.listing import Listing
from chuk_fsspec.testing.moving import Moving, PosixRename, RenameFlags, Renaming, Replacing
from chuk_fsspec.testing.paths import Paths
from chuk_fsspec.testing.posix_attributes import PosixAttributes, PosixStatVfs
from chuk_fsspec.testing.posix_handles import PosixHandles
from chuk_fsspec.testing.posix_links import HardLinks, SymbolicLinks
from chuk_fsspec.testing.posix_nodes import PosixNodes
from chuk_fsspec.testing.posix_special import PosixSpecialFiles
from chuk_fsspec.testing.posix_xattrs import PosixXattrs
from chuk_fsspec.testing.reading import Reading
from chuk_fsspec.testing.removing import Removing, RemovingOpenFiles
from chuk_fsspec.testing.sparse import HolesByNode, SparseFiles
from chuk_fsspec.testing.text_and_compression import TextAndCompression
from chuk_fsspec.testing.transactions import Transactions
from chuk_fsspec.testing.urls import Urls
from chuk_fsspec.testing.writing import Appending, ExclusiveCreate, Updating, Writing
