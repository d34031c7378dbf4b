"""The ``Host`` check: a page of another site must not reach this server under a name of its own (DNS rebinding)."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from chuk_adapters.webdav.http.refusal import Refusal


class Hosts:
    """The names that this server answers to: ``localhost``, this machine's, every IP address, and those it is given.

    An address cannot be rebound, since no name is looked up for it.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Names without ports, in any case."""
        machine = socket.gethostname().lower()
        short = machine.partition(".")[0]
        self._names = {"localhost", machine, short, f"{short}.local", *(name.lower() for name in names)}

    def require(self, environ: dict[str, Any]) -> None:
        """Refusal 421 (RFC 9110, 15.5.20) for a ``Host`` that is not one of them."""
        host: str = environ["HTTP_HOST"]
        if host in self._names:
            return
        name = host_name(host)
        if name not in self._names and not _is_address(name):
            raise Refusal(421, "this server does not go by that name; whoever runs it can allow it")


def host_name(host: str) -> str:
    """The name or address in ``host`` or ``host:port``, in small letters and without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


@lru_cache(maxsize=64)
def _is_address(name: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    return False
