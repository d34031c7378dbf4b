"""What one client may ask of the server."""

from __future__ import annotations

from dataclasses import dataclass, fields

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Limits:
    """Limits of requests and connections; the defaults suit a server of one machine.

    Attributes:
        head_bytes: bytes of a request line and its fields (431 beyond).
        head_fields: number of fields (431 beyond).
        body_bytes: bytes of the body of a request; None for no limit (413 beyond).
        head_seconds: seconds for a request head, or a TLS handshake, from its first byte on.
        idle_seconds: seconds a connection is kept without a request.
        stall_seconds: seconds a body or a reply may rest; also the head start before ``bytes_per_second`` counts.
        bytes_per_second: slowest transfer that is put up with, on average.
        connections: connections at once. One more sends away whoever has been silent longest, over a second.
        peer_connections: the same for one address.
    """

    head_bytes: int = 32 * KIB
    head_fields: int = 100
    body_bytes: int | None = None
    head_seconds: float = 20.0
    idle_seconds: float = 60.0
    stall_seconds: float = 30.0
    bytes_per_second: float = 500.0
    connections: int = 512
    peer_connections: int = 256

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and value <= 0:
                raise ValueError(f"{field.name} must be more than 0, not {value}")
