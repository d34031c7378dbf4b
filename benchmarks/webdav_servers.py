"""WebDAV servers to measure: ours, and those that people use. Each serves an empty directory of its own in memory."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

PATIENCE = 20.0
NGINX_MODULES = Path("/usr/lib/nginx/modules")
APACHE_MODULES = Path("/usr/lib/apache2/modules")

NGINX = """
load_module {modules}/ngx_http_dav_ext_module.so;
daemon off; user root; worker_processes 1; pid {place}/pid; error_log {place}/errors;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; client_max_body_size 0;
  client_body_temp_path {place}/bodies; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  server {{
    listen 127.0.0.1:{port}; root {place}/files;
    dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; dav_access user:rw;
  }}
}}
"""

APACHE = """
ServerRoot {place}
ServerName localhost
PidFile {place}/pid
ErrorLog {place}/errors
Listen 127.0.0.1:{port}
DocumentRoot {place}/files
DavLockDB {place}/locks
KeepAlive On
MaxKeepAliveRequests 0
LimitXMLRequestBody 1048576
<Directory {place}/files>
  Dav On
  DavDepthInfinity Off
  Require all granted
</Directory>
"""
APACHE_LOADED = ("mpm_event", "authz_core", "dav", "dav_fs", "mime")

STOCK = """
import sys
from cheroot import wsgi
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp
files = FilesystemProvider(sys.argv[1])
config = {"provider_mapping": {"/": files}, "simple_dc": {"user_mapping": {"*": True}}, "verbose": 1}
app = WsgiDAVApp({**config, "logging": {"enable": False}})
wsgi.Server(("127.0.0.1", int(sys.argv[2])), app).start()
"""


class Running(ABC):
    """One server. Its processes are one group, so that their CPU time can be summed."""

    def __init__(self, place: Path) -> None:
        """Start it, and return when it accepts connections."""
        self.place = place
        (place / "files").mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        with (place / "log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while not self._accepts():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{type(self).__name__} did not start: {(place / 'log').read_text()[-500:]}")
            time.sleep(0.05)

    @abstractmethod
    def command(self) -> list[str]:
        """What serves ``place / "files"`` at ``port``."""

    def cpu(self) -> float:
        """Seconds of CPU time that all its processes have used."""
        ticks = 0
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[2]) == self.process.pid:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End all its processes."""
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.place)

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


class Ours(Running):
    """``chuk-fsspec serve webdav``."""

    url = "chukmem://"

    def command(self) -> list[str]:
        url = self.url.format(place=self.place)
        return [sys.executable, "-m", "chuk_fsspec", "serve", "webdav", url, "--port", str(self.port)]


class OursInSqlite(Ours):
    """On chuksqlite."""

    url = "chuksqlite:///::file://{place}/w.db"


class OursOnDisk(Ours):
    """On chuklocal."""

    def command(self) -> list[str]:
        return [*super().command(), "--option", f"root={self.place}/files"]

    url = "chuklocal://"


class Nginx(Running):
    """nginx with dav-ext."""

    def command(self) -> list[str]:
        conf = self.place / "conf"
        conf.write_text(NGINX.format(place=self.place, port=self.port, modules=NGINX_MODULES))
        return ["nginx", "-c", str(conf), "-e", f"{self.place}/errors"]


class Apache(Running):
    """Apache with mod_dav_fs."""

    def command(self) -> list[str]:
        conf = self.place / "conf"
        loads = [f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in APACHE_LOADED]
        conf.write_text("\n".join(loads) + APACHE.format(place=self.place, port=self.port))
        shutil.chown(self.place, "www-data")
        shutil.chown(self.place / "files", "www-data")
        (self.place / "conf").open("a").write("TypesConfig /etc/mime.types\nUser www-data\nGroup www-data\n")
        return ["apache2", "-f", str(conf), "-DFOREGROUND"]


class Rclone(Running):
    """``rclone serve webdav`` of a local directory."""

    def command(self) -> list[str]:
        return ["rclone", "serve", "webdav", f"{self.place}/files", "--addr", f"127.0.0.1:{self.port}"]


class StockWsgidav(Running):
    """wsgidav's own filesystem on cheroot, as it comes."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", STOCK, f"{self.place}/files", str(self.port)]


SERVERS: dict[str, type[Running]] = {
    "chukmem": Ours,
    "chuksqlite": OursInSqlite,
    "chuklocal": OursOnDisk,
    "nginx": Nginx,
    "apache": Apache,
    "rclone": Rclone,
    "wsgidav": StockWsgidav,
}
