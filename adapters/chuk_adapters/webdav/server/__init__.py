"""An HTTP/1.1 server for one WSGI application, which slow or hostile clients cannot keep from others.

A connection waits for its request in one thread (``waiting_room``), and comes to a thread of its own (``workers``) with
a complete head. Parsing is strict: what two readers could understand differently is refused and the connection closed.
"""

from chuk_adapters.webdav.server.limits import Limits
from chuk_adapters.webdav.server.serving import Server

__all__ = ["Limits", "Server"]
