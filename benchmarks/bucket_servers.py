"""Servers with buckets, each in a process of its own, and who reaches them: the targets of ``bench_buckets.py``."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

BUCKET = "bench"
KEYS = {"key": "AKIATEST", "secret": "secret"}
REGION = "us-east-1"
NOBODY = {"project": "p", "token": "anon"}


@contextmanager
def moto() -> Iterator[str]:
    """The URL of an S3 server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _running("-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)) as server:
        while server.poll() is None:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def gcs() -> Iterator[str]:
    """The URL of the Google Cloud Storage of our tests."""
    with _running("-m", "tests.gcs.server.serving") as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


@contextmanager
def patterns() -> Iterator[str]:
    """The URL of a server that keeps nothing of what it is sent, for both services."""
    with _running("-m", "tests.remote.pattern_serving") as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program, with the modules of this repository."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            yield server
        finally:
            server.terminate()


@dataclass(frozen=True)
class Service:
    """A service, and who reaches it.

    Attributes:
        serve: starts it.
        peer: the filesystem of the SDK, with which all others are compared.
        targets: open a filesystem by URL and say where its bucket is; the peer first.
        remote: rclone's name of it, by URL.
    """

    serve: Callable[[], Any]
    peer: str
    targets: dict[str, Callable[[str], tuple[Any, str]]]
    remote: Callable[[str], str]


def _s3fs(url: str) -> tuple[Any, str]:
    fs = fsspec.filesystem(
        "s3", endpoint_url=url, use_listings_cache=False, client_kwargs={"region_name": REGION}, **KEYS
    )
    return fs, BUCKET


def _chuks3(**options: Any) -> Callable[[str], tuple[Any, str]]:
    return lambda url: (
        fsspec.filesystem("chuks3", bucket_name=BUCKET, endpoint_url=url, region=REGION, **KEYS, **options),
        "",
    )


def _gcsfs(url: str) -> tuple[Any, str]:
    from gcsfs.core import GCSFileSystem

    return GCSFileSystem(endpoint_url=url, use_listings_cache=False, **NOBODY), BUCKET


def _chukgcs(url: str) -> tuple[Any, str]:
    return fsspec.filesystem("chukgcs", bucket_name=BUCKET, endpoint_url=url, **NOBODY), ""


SERVICES = {
    "s3": Service(
        moto,
        "s3fs",
        {"s3fs": _s3fs, "chuks3": _chuks3(), "chuks3, obstore": _chuks3(engine="obstore")},
        lambda url: (
            f':s3,provider=Other,endpoint="{url}",region={REGION},access_key_id={KEYS["key"]},'
            f"secret_access_key={KEYS['secret']}:{BUCKET}"
        ),
    ),
    "gcs": Service(
        gcs,
        "gcsfs",
        {"gcsfs": _gcsfs, "chukgcs": _chukgcs},
        lambda url: f':gcs,anonymous=true,endpoint="{url}/storage/v1/":{BUCKET}',
    ),
}


def rclone(*arguments: str) -> tuple[float, float]:
    """Run rclone; seconds of wall and of CPU time, its start included."""
    command: Sequence[str] = ("rclone", "--config", os.devnull, *arguments)
    start = time.perf_counter()
    # rclone 1.60 does not start with AWS_CA_BUNDLE, and reads no certificate here.
    environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime
