"""``chukgcs``: the objects of Google Cloud Storage as a filesystem."""

from importlib.util import find_spec

if find_spec("gcsfs") is None:  # importing it takes a second, which only requests need
    raise ImportError("chukgcs needs gcsfs: pip install 'chuk-fsspec[gcs]'")

from chuk_fsspec.backends.gcs.filesystem import GCSFileSystem

__all__ = ["GCSFileSystem"]
