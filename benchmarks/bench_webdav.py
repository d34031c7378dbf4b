"""WebDAV beside nginx (dav-ext), Apache (mod_dav_fs), rclone and stock wsgidav: the same requests, in turn, in one run.

    python benchmarks/bench_webdav.py
    python benchmarks/bench_webdav.py --only chukmem nginx --rounds 1

Every server is a process of its own and keeps its files in /dev/shm. For each figure there is wall time, as the client
sees it, and the server's CPU time. Large files go through one connection, small requests through wrk with one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from measure import Figures, ratio, save, say, table
from webdav_servers import SERVERS, Running

IN_MEMORY = "/dev/shm"  # noqa: S108 - a benchmark on memory, not on the disk
MIB = 1 << 20
ENTRIES = 1000
PROPFIND_TIMES = 5

PROPS = (
    b'<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/>'
    b"<D:getlastmodified/><D:getetag/></D:prop></D:propfind>"
)

PUT_BY_WRK = """
wrk.method = "PUT"
wrk.body = string.rep("x", 1024)
local count = 0
request = function()
  count = (count + 1) % 100
  return wrk.format("PUT", "/small/" .. count)
end
"""

PROPFIND_FIELDS = "Depth: 1\r\nContent-Type: application/xml\r\n"

AIMS = (("GET large", "nginx", 0.8), ("PUT large", "nginx", 1.0), ("PROPFIND 1,000", "apache", 0.5))
AIMS += (("PROPFIND 1,000", "wsgidav", 10), ("GET 1 KiB", "wsgidav", 2), ("PUT 1 KiB", "wsgidav", 2))


class Client:
    """One connection, and nothing that would cost more than the server."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 120)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.block = bytearray(MIB)

    def ask(self, method: str, path: str, body: bytes | Path = b"", fields: str = "") -> tuple[int, int]:
        """Send one request and read its reply: the status, and the bytes of the body."""
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n{fields}\r\n".encode()
        if isinstance(body, Path):
            self.sock.sendall(head)
            with body.open("rb") as file:
                self.sock.sendfile(file)
        else:
            self.sock.sendall(head + body)
        return self._read()

    def _read(self) -> tuple[int, int]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._some()
        head, _, rest = data.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if re.search(rb"\r\ntransfer-encoding: *chunked", head, re.IGNORECASE):
            while not rest.endswith(b"0\r\n\r\n"):
                rest += self._some()
            return status, len(rest)
        found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        size = int(found[1]) if found else 0
        left = size - len(rest)
        while left > 0:
            count = self.sock.recv_into(self.block)
            if not count:
                raise ConnectionError("the server left")
            left -= count
        return status, size

    def _some(self) -> bytes:
        data = self.sock.recv(MIB)
        if not data:
            raise ConnectionError("the server left")
        return data


def prepare(server: Running, large: Path) -> None:
    """The files that are asked for, put there through the door."""
    client = Client(server.port)
    for collection in ("/many/", "/small/"):
        assert client.ask("MKCOL", collection)[0] == 201
    for number in range(ENTRIES):
        assert client.ask("PUT", f"/many/file-{number:04}.txt", b"x" * 100)[0] == 201
    assert client.ask("PUT", "/k1", b"x" * 1024)[0] == 201
    assert client.ask("PUT", "/large", large)[0] == 201


class Target:
    """A server that runs, and one client of it."""

    def __init__(self, server: Running, large: Path, seconds: int) -> None:
        self.server = server
        self.client = Client(server.port)
        self.large = large
        self.size = large.stat().st_size
        self.seconds = seconds
        self.script = server.place / "put.lua"
        self.script.write_text(PUT_BY_WRK)

    def measure(self, figure: str) -> tuple[float, float]:
        """MiB/s or requests/s, by wall time and by the server's CPU time."""
        work = WORKS[figure]
        self.client.sock.close()  # idle connections do not live long with some of them
        self.client = Client(self.server.port)
        cpu, wall = self.server.cpu(), time.perf_counter()
        done = work(self)
        wall = time.perf_counter() - wall
        return done / wall, done / max(self.server.cpu() - cpu, 0.01)

    def get_large(self) -> float:
        assert self.client.ask("GET", "/large") == (200, self.size)
        return self.size / MIB

    def put_large(self) -> float:
        assert self.client.ask("PUT", "/large2", self.large)[0] in (200, 201, 204)
        return self.size / MIB

    def propfind(self) -> float:
        for _ in range(PROPFIND_TIMES):
            status, length = self.client.ask("PROPFIND", "/many/", PROPS, PROPFIND_FIELDS)
            assert status == 207
            assert length > 100 * ENTRIES
        return PROPFIND_TIMES

    def get_small(self) -> float:
        return run_wrk(self.server.port, self.seconds, None)

    def put_small(self) -> float:
        return run_wrk(self.server.port, self.seconds, self.script)


WORKS: dict[str, Callable[[Target], float]] = {
    "GET large": Target.get_large,
    "PUT large": Target.put_large,
    "PROPFIND 1,000": Target.propfind,
    "GET 1 KiB": Target.get_small,
    "PUT 1 KiB": Target.put_small,
}


FIGURES = tuple(WORKS)


def run_wrk(port: int, seconds: int, script: Path | None) -> float:
    """How many requests one connection got through."""
    command = ["wrk", "-t1", "-c1", f"-d{seconds}s", *(["-s", str(script)] if script else [])]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}/k1"], check=True, capture_output=True, text=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    found = re.search(r"(\d+) requests in", done.stdout)
    assert found is not None
    return float(found[1])


def main() -> None:
    """Measure, print the tables, and keep the raw figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=1, help="of each run of wrk")
    parser.add_argument("--mib", type=int, default=256, help="size of the large file")
    parser.add_argument("--only", nargs="*", default=list(SERVERS), choices=list(SERVERS))
    args = parser.parse_args()
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as directory:
        os.chmod(directory, 0o755)  # noqa: S103 - Apache's workers are not root
        large = Path(directory, "large")
        large.write_bytes(os.urandom(MIB) * args.mib)
        running: dict[str, Running] = {}
        try:
            for name in args.only:
                place = Path(directory, name)
                place.mkdir()
                running[name] = SERVERS[name](place)
                prepare(running[name], large)
            targets = {name: Target(server, large, args.seconds) for name, server in running.items()}
            for number in range(args.rounds):
                for figure in FIGURES:  # one after another at once, so that what disturbs one disturbs all
                    for name, target in targets.items():
                        by_wall, by_cpu = target.measure(figure)
                        measured[name][figure].append(by_wall)
                        measured[name][f"{figure}, cpu"].append(by_cpu)
                for name in targets:
                    say(
                        f"round {number + 1}: {name} "
                        + ", ".join(f"{one} {measured[name][one][-1]:.0f}" for one in FIGURES)
                    )
        finally:
            for server in running.values():
                server.stop()
    report({name: dict(own) for name, own in measured.items()}, args)


def report(figures: Figures, args: argparse.Namespace) -> None:
    """Medians, CPU per operation, and the aims as ratios."""

    def median(name: str, figure: str) -> float:
        values = sorted(figures[name][figure])
        return values[len(values) // 2]

    rows = [[name, *(f"{median(name, one):,.0f}" for one in FIGURES)] for name in figures]
    say("\nMiB/s for large files, else requests/s; median\n\n" + table(["", *FIGURES], rows))
    rows = [
        [
            name,
            *(f"{1024 / median(name, f'{one}, cpu'):.2f}" for one in FIGURES[:2]),
            f"{1000 / median(name, f'{FIGURES[2]}, cpu'):.1f}",
            *(f"{1e6 / median(name, f'{one}, cpu'):.0f}" for one in FIGURES[3:]),
        ]
        for name in figures
    ]
    say("\nCPU of the server: s/GiB, s/GiB, ms, µs, µs\n\n" + table(["", *FIGURES], rows))
    ours = [name for name in ("chukmem", "chuksqlite", "chuklocal") if name in figures]
    aims = [aim for aim in AIMS if aim[1] in figures]
    rows = [
        [
            f"{figure} : {peer}",
            f"{aim:g}",
            *(f"{ratio(figures, name, peer, figure):.2f}" for name in ours),
            *(f"{ratio(figures, name, peer, f'{figure}, cpu'):.2f}" for name in ours),
        ]
        for figure, peer, aim in aims
    ]
    say("\nratios, by wall time and by CPU\n\n" + table(["", "aim", *ours, *(f"{name}, CPU" for name in ours)], rows))
    say(f"\nraw figures: {save('webdav', figures, large_mib=args.mib, entries=ENTRIES)}")


if __name__ == "__main__":
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: apt install wrk")
    main()
