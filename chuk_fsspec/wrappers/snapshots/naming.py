"""Names of snapshots, and the place that they have in URLs."""

from __future__ import annotations

import errno
import re
from datetime import datetime, timezone
from urllib.parse import quote, unquote

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import check_name

NOW = "now"
"""What stands for the filesystem as it is."""

_AT = re.compile(r"\?at=([^/?]*)\Z")


def checked(name: str) -> str:
    """A name if a snapshot may have it. EINVAL, ENAMETOOLONG."""
    if name == NOW:
        raise os_error(errno.EINVAL, name, hint=f"{NOW!r} stands for the filesystem as it is; choose another name")
    return check_name(name)


def fresh_name() -> str:
    """A name for a snapshot that was given none: the time in UTC, to the microsecond."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H-%M-%S.%fZ")


def split_url(url: str) -> tuple[str, str]:
    """A URL without ``?at=NAME`` at its end, and the name, which is empty for the present."""
    match = _AT.search(url)
    return (url, "") if match is None else (url[: match.start()], unquote(match[1]))


def url_of(path_url: str, name: str) -> str:
    """A URL that ``split_url`` takes apart again, whatever the path looks like."""
    if name:
        return f"{path_url}?at={quote(name, safe='')}"
    return f"{path_url}?at=" if _AT.search(path_url) else path_url
