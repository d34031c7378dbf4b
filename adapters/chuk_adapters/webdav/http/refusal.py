"""What a client is told when its request cannot be done."""

from __future__ import annotations

from collections.abc import Sequence


class Refusal(Exception):  # noqa: N818 - an answer, more than an error
    """A request is answered with a status of 300 or more.

    Args:
        status: the HTTP status code.
        message: for people, without host paths.
        precondition: name of the ``DAV:`` element that says which rule was broken (RFC 4918, section 16).
        paths: the absolute paths that the precondition is about.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str = "",
        *,
        precondition: str = "",
        paths: Sequence[str] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.precondition = precondition
        self.paths = tuple(paths)
        self.headers = tuple(headers)
