"""A filesystem on the network: the server, its guards and the door, started and stopped together."""

from __future__ import annotations

import atexit
import errno
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from os import PathLike

from fsspec import AbstractFileSystem

from chuk_adapters.facades import Facade, filesystem_of
from chuk_adapters.hosts import is_loopback
from chuk_adapters.webdav.application import make_application
from chuk_adapters.webdav.guards import Guarded, Hosts, Login, Origins
from chuk_adapters.webdav.options import WebDAVOptions
from chuk_adapters.webdav.server import Limits, Server
from chuk_adapters.webdav.server.tls import server_context
from chuk_adapters.webdav.users import Users
from chuk_fsspec.contract.errors import os_error

TLS = ssl.SSLContext | tuple[str | PathLike[str], str | PathLike[str]]


class WebDAVAdapter:
    """Serves a filesystem by WebDAV, for Finder, Explorer, davfs2, rclone, curl and browsers.

    ``with WebDAVAdapter(fs, port=0) as server:`` serves from threads of this process, and ``server.url`` says where.
    The program may go on using the filesystem: what either does, the other sees.
    """

    def __init__(
        self,
        fs: AbstractFileSystem | Facade,
        host: str = "127.0.0.1",
        port: int = 8080,
        readonly: bool = False,
        users: Mapping[str, str] | Users | None = None,
        tls: TLS | None = None,
        *,
        allow_anonymous: bool = False,
        allow_plain_passwords: bool = False,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        browser: bool = True,
        limits: Limits | None = None,
    ) -> None:
        """Nothing is bound yet; ``start`` and ``start_background`` do that.

        Args:
            fs: any fsspec filesystem, or a facade of one.
            host: the name or address to bind; other machines reach only what is not loopback, "" for all addresses.
            port: 0 for any free one.
            readonly: refuse every change.
            users: passwords by user name, which are kept as hashes only, or ``Users``; None to let everybody in.
            tls: the paths of a certificate and its key (PEM), or a context; None for plain HTTP.
            allow_anonymous: let everybody in from other machines, too.
            allow_plain_passwords: take passwords without TLS from other machines, for example behind a proxy.
            hosts: further names under which clients know this server (``Host``).
            origins: sites whose pages may use it, as ``https://app.example`` (CORS).
            browser: show collections as pages.
            limits: what one client may ask; see ``Limits``.

        Raises:
            ValueError: other machines would be let in without users, or would send passwords without TLS.
            OSError: a certificate cannot be used.
        """
        if users is not None and not isinstance(users, Users):
            users = Users.of_passwords(users)
        _check_exposure(host, users, tls, allow_anonymous=allow_anonymous, allow_plain=allow_plain_passwords)
        self._address = (host, port)
        self._limits = limits or Limits()
        self._tls = tls if tls is None or isinstance(tls, ssl.SSLContext) else server_context(*tls)
        self._application = Guarded(
            make_application(filesystem_of(fs), WebDAVOptions(readonly=readonly, browser=browser)),
            Hosts([host, *hosts]),
            Origins(origins),
            None if users is None else Login(users),
        )
        self._server: Server | None = None
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        """Where it is, with a slash in the end. While it does not serve, with the port that it was given."""
        host, port = self._address if self._server is None else self._server.address
        shown = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}.get(host, host)  # noqa: S104 - only a name
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{f'[{shown}]' if ':' in shown else shown}:{port}/"

    @property
    def is_live(self) -> bool:
        """Whether requests are answered."""
        return self._server is not None

    def start(self) -> None:
        """Serve until ``stop`` is called from another thread, or Ctrl-C. OSError as ``start_background``."""
        try:
            self.start_background()
            self.wait()
        except KeyboardInterrupt:
            self.stop()

    def start_background(self) -> None:
        """Serve from threads of this process, and return at once.

        Raises:
            OSError: the address cannot be bound, with what to do about it; EALREADY if it serves already.
        """
        if self._server is not None:
            raise os_error(errno.EALREADY, hint=f"it is served at {self.url}")
        try:
            server = Server(self._application, self._address, tls=self._tls, limits=self._limits)
        except OSError as error:
            host, port = self._address
            hint = "port=0 takes a free one" if error.errno == errno.EADDRINUSE else "choose another host or port"
            code = errno.EADDRNOTAVAIL if isinstance(error, socket.gaierror) else error.errno or errno.EADDRNOTAVAIL
            raise os_error(code, f"{host}:{port}", hint=hint) from error
        self._stopped.clear()
        server.start()
        self._server = server
        atexit.register(self.stop)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until somebody stops it.

        Args:
            timeout: seconds to wait at most; None for as long as it takes.

        Returns:
            True if it is over.
        """
        return self._stopped.wait(timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """Stop serving; does nothing if it does not serve.

        Args:
            timeout: seconds that requests have to finish. After that they are broken off, and leave nothing half done.
        """
        server, self._server = self._server, None
        if server is not None:
            server.stop(timeout)
            atexit.unregister(self.stop)
        self._stopped.set()

    def __enter__(self) -> WebDAVAdapter:  # noqa: PYI034 - typing.Self needs Python 3.11
        self.start_background()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


def _check_exposure(
    host: str, users: Users | None, tls: TLS | None, *, allow_anonymous: bool, allow_plain: bool
) -> None:
    if is_loopback(host):
        return
    where = host or "every address"
    if users is None and not allow_anonymous:
        raise ValueError(f"{where} can be reached from other machines: name users, or allow anonymous ones")
    if users is not None and tls is None and not allow_plain:
        raise ValueError(
            "passwords would cross the network in plain text: give a TLS certificate, or allow it (behind a proxy)"
        )
