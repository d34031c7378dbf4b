"""The methods that there are (RFC 9110, section 9; RFC 4918, section 9)."""

from __future__ import annotations

READING = ("OPTIONS", "GET", "HEAD", "PROPFIND")
"""Those that change nothing."""

WRITING = ("PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH", "LOCK", "UNLOCK")
