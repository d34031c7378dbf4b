"""``chuks3``: the objects of S3, or of whatever speaks its protocol, as a filesystem."""

try:
    import s3fs  # noqa: F401 - looked for here, so that the message says what to install
except ImportError as error:
    raise ImportError("chuks3 needs s3fs: pip install 'chuk-fsspec[s3]'") from error

from chuk_fsspec.backends.s3.filesystem import S3FileSystem

__all__ = ["S3FileSystem"]
