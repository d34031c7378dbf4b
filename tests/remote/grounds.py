"""Each service on this machine, behind a proxy, with filesystems that begin empty."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
import pytest

from tests.gcs.gcs_opening import new_bucket
from tests.gcs.server.serving import serving
from tests.gdrive.server.running import drive_server
from tests.remote.faults import FaultProxy
from tests.s3 import s3_servers


@dataclass(frozen=True)
class Ground:
    """A service on this machine.

    Attributes:
        proxy: what stands before it.
        protocol: of the filesystem on it.
        options: by which it is reached, such as JSON can hold.
        new_place: further options, of a filesystem that is empty; each call names another place.
        unfinished: the uploads that were begun and neither finished nor given up, and what else a writer may leave.
    """

    proxy: FaultProxy
    protocol: str
    options: Mapping[str, Any]
    new_place: Callable[[], dict[str, Any]]
    unfinished: Callable[[], list[str]]

    def opened(self, **options: Any) -> Any:
        """A new filesystem, with options besides."""
        return fsspec.filesystem(self.protocol, skip_instance_cache=True, **self.options, **options)


@contextmanager
def proxied(url: str) -> Iterator[FaultProxy]:
    """A proxy before a server."""
    place = urlsplit(url)
    with FaultProxy(str(place.hostname), int(place.port or 0)) as proxy:
        yield proxy


@contextmanager
def s3_ground(directory: Path, engine: str = "s3fs") -> Iterator[Ground]:
    """S3, one bucket for each place."""
    with s3_servers.served_by_moto() as url, proxied(url) as proxy:
        whole = s3_servers.filesystem(url)
        buckets: list[str] = []

        def new_place() -> dict[str, Any]:
            buckets.append(s3_servers.new_bucket(whole))
            return {"bucket_name": buckets[-1]}

        yield Ground(
            proxy,
            "chuks3",
            s3_servers.options(proxy.url, engine=engine, part_size=5 << 20),
            new_place,
            lambda: [key for bucket in buckets for key in s3_servers.uploads_of(whole, bucket)],
        )


@contextmanager
def obstore_ground(directory: Path) -> Iterator[Ground]:
    """The same by the other engine."""
    with s3_ground(directory, engine="obstore") as ground:
        yield ground


@contextmanager
def gcs_ground(directory: Path) -> Iterator[Ground]:
    """Google Cloud Storage, one bucket for each place."""
    with serving() as server, proxied(server.url) as proxy:
        sessions = server.uploads.sessions
        yield Ground(
            proxy,
            "chukgcs",
            {"endpoint_url": proxy.url, "token": "anon", "project": "p", "part_size": 256 << 10},
            lambda: {"bucket_name": new_bucket(server)},
            lambda: [session.name for session in sessions.values() if session.done is None and session.data],
        )


@contextmanager
def gdrive_ground(directory: Path) -> Iterator[Ground]:
    """A Google Drive, one folder for each place."""
    with drive_server() as server, proxied(server.address) as proxy:
        yield Ground(
            proxy,
            "chukgdrive",
            {"credentials": server.credentials, "endpoint_url": proxy.url, "use_trash": False},
            lambda: {"root_folder": uuid.uuid4().hex},
            lambda: server.unfinished,
        )


@contextmanager
def e2b_ground(directory: Path) -> Iterator[Ground]:
    """Sandboxes with the same files, each place a directory of its own."""
    from tests.e2b.service import service_in

    with service_in(directory) as service, proxied(service.url) as proxy, pytest.MonkeyPatch.context() as patch:
        patch.setenv("E2B_API_URL", proxy.url)
        patch.setenv("E2B_SANDBOX_URL", proxy.url)
        yield Ground(
            proxy,
            "chuke2b",
            {"kill_on_close": False},
            lambda: {"root_dir": str(directory / uuid.uuid4().hex)},
            lambda: [str(left) for left in directory.rglob(".chuk-tmp-*")],
        )


GROUNDS = {
    "s3": s3_ground,
    "obstore": obstore_ground,
    "gcs": gcs_ground,
    "gdrive": gdrive_ground,
    **({"e2b": e2b_ground} if sys.version_info >= (3, 11) else {}),
}
"""By the names of the backends, and the second engine of one."""
