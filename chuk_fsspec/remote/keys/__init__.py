"""A tree of files in a flat space of keys, as object stores have it: one tree over any ``KeyStore``."""

from chuk_fsspec.remote.keys.filesystem import KeyFileSystem
from chuk_fsspec.remote.keys.keystore import Guard, Key, KeyStore, KeyTraits, KeyUpload, Labels, Page, Piece, Source
from chuk_fsspec.remote.keys.names import Names, prefix_of
from chuk_fsspec.remote.keys.service import KeyService
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.keys.tree import KeyTree, traits_of
from chuk_fsspec.remote.keys.trees import BucketTrees

__all__ = [
    "BucketTrees",
    "Guard",
    "Key",
    "KeyFileSystem",
    "KeyService",
    "KeyStore",
    "KeyTraits",
    "KeyTree",
    "KeyUpload",
    "Labels",
    "Names",
    "Page",
    "Piece",
    "Source",
    "Space",
    "prefix_of",
    "traits_of",
]
