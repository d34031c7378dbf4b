"""Requests that cannot be served, and what the client is told."""

from __future__ import annotations

from http import HTTPStatus


class RefusedError(ConnectionError):
    """A request that ends its connection.

    It is an ``OSError``, so that whoever was writing what a body brings gives that up as after any failed read.

    Attributes:
        status: what the client is told, if a reply has not begun.
        reason: one sentence for the client.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def malformed(reason: str) -> RefusedError:
    """400: what RFC 9112 does not allow, or what two readers could understand differently."""
    return RefusedError(HTTPStatus.BAD_REQUEST, reason)
