"""What is answered when a change of a whole tree fails at something in it (RFC 4918, 9.6.1 and 9.8.5)."""

from __future__ import annotations

from chuk_adapters.webdav.http.answer import Answer, document
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.http.statuses import status_of
from chuk_adapters.webdav.locks.lock import is_below
from chuk_adapters.webdav.properties.writing import multistatus, response, status_element


def failed_below(error: OSError, path: str, request: Request) -> Answer:
    """A 207 that names what failed, if that lies below a path; the error itself is raised if it does not."""
    failed = error.filename
    if not isinstance(failed, str) or not is_below(failed, path):
        raise error
    href = request.href(failed, is_directory=False)
    return document(207, multistatus([response(href, [status_element(status_of(error))])]))
