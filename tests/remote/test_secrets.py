"""What opens a service is shown nowhere, and what is found in the environment travels nowhere."""

from __future__ import annotations

import json
import logging
import pickle
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec import MountedFileSystem, VirtualFileSystem
from chuk_fsspec.backends.gcs import GCSFileSystem
from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from chuk_fsspec.backends.s3 import S3FileSystem
from chuk_fsspec.wrappers.audit import AuditFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.gcs.gcs_opening import new_bucket
from tests.gcs.server.serving import serving
from tests.gdrive.server.running import drive_server
from tests.s3 import s3_servers

KEY, SECRET, TOKEN = "AKIASHOWNNOWHERE", "sEcReT/of+the/key", "ToKeN/of+the/session"


@dataclass(frozen=True)
class Safe:
    """A service on this machine, and what opens it.

    Attributes:
        kind: the class of its filesystem.
        place: options that are no secret.
        secrets: options that hold secrets.
        environment: the variables in which they may be instead, where there are such.
        hidden: what may be seen nowhere.
        elsewhere: options that lead to another address.
    """

    kind: Callable[..., Any]
    place: Mapping[str, Any]
    secrets: Mapping[str, Any]
    environment: Mapping[str, str]
    hidden: tuple[str, ...]
    elsewhere: Callable[[str], Mapping[str, Any]]

    def opened(self, **options: Any) -> Any:
        return self.kind(**{**self.place, "skip_instance_cache": True, **options})


@contextmanager
def s3_safe(directory: Path, **options: Any) -> Iterator[Safe]:
    with s3_servers.served_by_moto() as url:
        bucket = s3_servers.new_bucket(s3_servers.filesystem(url))
        yield Safe(
            S3FileSystem,
            {"bucket_name": bucket, "endpoint_url": url, "region": "us-east-1", **options},
            {"key": KEY, "secret": SECRET, "token": TOKEN},
            {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN},
            (SECRET, TOKEN),
            lambda url: {"endpoint_url": url},
        )


@contextmanager
def obstore_safe(directory: Path) -> Iterator[Safe]:
    with s3_safe(directory, engine="obstore") as safe:
        yield safe


@contextmanager
def gcs_safe(directory: Path) -> Iterator[Safe]:
    with serving() as server:
        place = {"bucket_name": new_bucket(server), "endpoint_url": server.url, "project": "p"}
        yield Safe(GCSFileSystem, place, {"token": TOKEN}, {}, (TOKEN,), lambda url: {"endpoint_url": url})


@contextmanager
def gdrive_safe(directory: Path) -> Iterator[Safe]:
    with drive_server() as server:
        credentials = server.credentials
        yield Safe(
            GoogleDriveFileSystem,
            {"endpoint_url": server.address},
            {"credentials": credentials},
            {"GOOGLE_DRIVE_CREDENTIALS": json.dumps(credentials)},
            tuple(credentials[name] for name in ("token", "refresh_token", "client_secret")),
            lambda url: {"endpoint_url": url},
        )


@contextmanager
def e2b_safe(directory: Path) -> Iterator[Safe]:
    from chuk_fsspec.backends.e2b import E2BFileSystem
    from tests.e2b.server.cloud import API_KEY
    from tests.e2b.service import service_in

    with service_in(directory):
        yield Safe(
            E2BFileSystem,
            {"root_dir": str(directory / "root")},
            {"api_key": API_KEY},
            {"E2B_API_KEY": API_KEY},
            (API_KEY,),
            lambda url: {"sandbox_id": "elsewhere"},
        )


SAFES = {
    "s3": s3_safe,
    "obstore": obstore_safe,
    "gcs": gcs_safe,
    "gdrive": gdrive_safe,
    **({"e2b": e2b_safe} if sys.version_info >= (3, 11) else {}),
}


@pytest.fixture(
    scope="module", params=[pytest.param(one, marks=pytest.mark.slow) if one == "obstore" else one for one in SAFES]
)
def safe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    with SAFES[request.param](tmp_path_factory.mktemp("safe")) as safe:
        yield safe


@pytest.fixture
def ours(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What our loggers say at their most talkative."""
    for name in ("chuk_fsspec", "chuk-fsspec", "chuk_adapters"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


def said_by_ours(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("chuk"))


@contextmanager
def nobody_listens() -> Iterator[str]:
    """An address at which a port is taken, and nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def seen_of(error: BaseException) -> str:
    """All that is told of an error and its causes; of our own frames also what their variables look like."""
    told: traceback.TracebackException | None = traceback.TracebackException.from_exception(error, capture_locals=True)
    lines = [*traceback.format_exception(error), repr(error)]
    while told is not None:
        for frame in told.stack:
            if "/chuk_fsspec/" in frame.filename:
                lines += [f"{name} = {value}" for name, value in (frame.locals or {}).items()]
        told = told.__cause__ or told.__context__
    return "\n".join(lines)


def failing(fs: Any, path: str) -> BaseException:
    with pytest.raises(OSError) as caught:
        fs.cat_file(path)
    return caught.value


def test_what_was_given_is_shown_nowhere(safe: Safe, tmp_path: Path, ours: pytest.LogCaptureFixture) -> None:
    fs = safe.opened(**safe.secrets)
    fs.pipe_file("/d/f", b"content")
    audited = AuditFileSystem(fs=fs, log=str(tmp_path / "audit.jsonl"))
    audited.cp_file("/d/f", "/d/g")
    tree = MountedFileSystem(mounts={"/": fs})
    with fs.open("/d/f") as file, VirtualFileSystem(fs) as facade:
        shown = [repr(one) for one in (fs, file, audited, tree, SecureFileSystem(fs=fs), facade, fs.info("/d/f"))]
    options = repr(fs.storage_options)  # fsspec's own, from which it makes pickles
    shown += [repr(vars(fs)).replace(options, ""), fs._repr_html_().replace(options, ""), fs.fsid, str(hash(fs))]
    shown += [(tmp_path / "audit.jsonl").read_text(), seen_of(failing(fs, "/d/none")), seen_of(failing(audited, "/no"))]
    with nobody_listens() as address:
        other = safe.opened(**safe.secrets, **{**safe.elsewhere(address), "attempts": 1})
        shown += [seen_of(failing(other, "/d/f"))]
        other.close()
    fs.close()
    shown += [said_by_ours(ours)]
    assert [text for text in shown if any(secret in text for secret in safe.hidden)] == []


def test_what_was_found_travels_nowhere(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    if not safe.environment:
        pytest.skip("its credentials are in files")
    for name, value in safe.environment.items():
        monkeypatch.setenv(name, value)
    fs = safe.opened()
    fs.pipe_file("/d/f", b"content")
    carried = [pickle.dumps(fs).decode("latin-1"), fs.to_json(), repr(fs.storage_options), repr(vars(fs))]
    with fs.open("/d/f") as file:
        carried += [repr(vars(file))]
    assert [text for text in carried if any(secret in text for secret in safe.hidden)] == []
    fs.close()
