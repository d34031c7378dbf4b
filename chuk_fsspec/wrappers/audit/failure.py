"""What a user of the filesystem is told when its audit log cannot be written. Where that lies is not for users."""

from __future__ import annotations

import errno
import logging

from chuk_fsspec.contract.errors import os_error

messages = logging.getLogger("chuk_fsspec.audit")


def unwritable(error: OSError) -> OSError:
    """The refusal of an operation that could not be recorded."""
    return os_error(error.errno or errno.EIO, hint="nothing was done, since the audit log cannot be written")


def unrecorded(error: OSError) -> OSError:
    """The failure of an operation that was done and not recorded."""
    return os_error(error.errno or errno.EIO, hint="the operation was carried out, but the audit log did not take it")
