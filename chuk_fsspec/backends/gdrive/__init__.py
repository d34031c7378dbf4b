"""``chukgdrive``: a folder of a user's Google Drive."""

try:
    import pydrive2  # noqa: F401 - here, so that whoever has not got it is told what to install
except ImportError as error:
    raise ImportError(
        "chukgdrive needs PyDrive2, which is not installed; run: pip install 'chuk-fsspec[google-drive]'"
    ) from error

from chuk_fsspec.backends.gdrive.filesystem import GoogleDriveFileSystem

__all__ = ["GoogleDriveFileSystem"]
