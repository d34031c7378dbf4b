"""Who may ask: checks that a request passes before the application sees it, and before its body is read."""

from chuk_adapters.webdav.guards.guarded import Guarded
from chuk_adapters.webdav.guards.hosts import Hosts
from chuk_adapters.webdav.guards.login import Login
from chuk_adapters.webdav.guards.origins import Origins

__all__ = ["Guarded", "Hosts", "Login", "Origins"]
