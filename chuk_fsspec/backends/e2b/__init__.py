"""``chuke2b``: the files of an E2B sandbox."""

try:
    import e2b as _sdk  # noqa: F401 - asked for here, so that the error says what to install
except ImportError as error:
    raise ImportError("chuke2b needs the E2B SDK, and Python 3.11 or later: pip install 'chuk-fsspec[e2b]'") from error

from chuk_fsspec.backends.e2b.filesystem import E2BFileSystem
from chuk_fsspec.backends.e2b.running import Completed
from chuk_fsspec.backends.e2b.watching import Change, Watch

__all__ = ["Change", "Completed", "E2BFileSystem", "Watch"]
