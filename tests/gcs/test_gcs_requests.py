"""What chukgcs asks of the service, and how it is told."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chuk_fsspec.backends.gcs import GCSFileSystem
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.remote.streams import closing
from tests.fuse.test_mount_tools import needs
from tests.gcs.gcs_opening import filesystem, new_bucket
from tests.gcs.server.serving import GcsServer
from tests.remote.faults import FaultProxy
from tests.remote.programs import work_with_git_and_pytest

PART = 256 << 10


@pytest.fixture
def proxy(server: GcsServer) -> Iterator[FaultProxy]:
    """Between the client and the server; it does nothing but count requests."""
    with FaultProxy(server.host, server.port) as started:
        yield started


@pytest.mark.parametrize(
    ("act", "count"),
    [
        (lambda fs: fs.pipe_file("/a/b/new", b"x"), 1),
        (lambda fs: fs.pipe_file("/a/b/new", b"x", mode="create"), 1),
        (lambda fs: fs.cat_file("/a/f"), 1),
        (lambda fs: fs.cat_file("/a/f", 1, 2), 1),
        (lambda fs: fs.info("/a/f"), 1),
        (lambda fs: fs.info("/a"), 2),
        (lambda fs: fs.ls("/a"), 1),
        (lambda fs: fs.rm_file("/a/f"), 2),
        (lambda fs: fs.cp_file("/a/f", "/a/copy"), 2),
    ],
    ids=["pipe", "create", "cat", "range", "info", "info of a directory", "ls", "rm", "cp"],
)
def test_a_call_is_as_few_requests_as_can_be(
    act: Any, count: int, server: GcsServer, bucket: str, proxy: FaultProxy
) -> None:
    fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url)
    fs.pipe_file("/a/f", b"content")
    del proxy.requests[:]
    act(fs)
    assert len(proxy.requests) == count, proxy.requests
    fs.close()


def test_a_listing_of_names_asks_for_nothing_else(server: GcsServer, bucket: str, proxy: FaultProxy) -> None:
    fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url, posix=True)
    fs.pipe_file("/a/b/f", b"content", metadata={"owner": "me"})
    fs.posix.symlink("b/f", "/a/link")
    del proxy.requests[:]
    assert fs.find("/a") == ["/a/b/f", "/a/link"]
    assert fs.ls("/a", detail=False) == ["/a/b", "/a/link"]
    assert fs.glob("/a/**/*") == ["/a/b", "/a/b/f", "/a/link"]
    assert fs.glob("/a/*/") == ["/a/b"]
    listed = [asked for asked in proxy.requests if "/o?" in asked]
    assert len(listed) >= 4
    assert [asked for asked in listed if "items%28name%29" not in asked] == []
    shown = fs.find("/a", detail=True)
    assert shown["/a/b/f"] == fs.info("/a/b/f")
    assert shown["/a/b/f"]["metadata"] == {"owner": "me"}
    assert shown["/a/link"]["islink"]
    assert fs.ls("/a")[1] == shown["/a/link"] == next(fs.walk("/a", detail=True))[2]["link"]
    fs.close()


def test_what_is_remembered_of_a_listing_of_names_is_all_of_it(
    server: GcsServer, bucket: str, proxy: FaultProxy
) -> None:
    fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url, use_listings_cache=True)
    fs.pipe_file("/a/f", b"content")
    del proxy.requests[:]
    assert fs.ls("/a", detail=False) == ["/a/f"]
    assert fs.ls("/a")[0]["size"] == len(b"content")
    assert len(proxy.requests) == 1
    fs.close()


def test_keys_that_no_path_leads_to_are_not_listed(fs: GCSFileSystem, server: GcsServer, bucket: str) -> None:
    for key in ("d//f", "d/../f", "d/./f", "d/.", "d/a", "d/a/hidden", "d/a0/f", "d/b/", "d/b/c/f", "e/f", "z"):
        server.cloud.put(bucket, key, b"", {}, {})
    files = ["/d/a", "/d/a0/f", "/d/b/c/f"]
    assert fs.find("/d") == files == [path for path, info in fs.find("/d", detail=True).items() if info["size"] == 0]
    assert fs.find("/d", withdirs=True) == ["/d", "/d/a", "/d/a0", "/d/a0/f", "/d/b", "/d/b/c", "/d/b/c/f"]
    assert fs.find("/") == [*files, "/e/f", "/z"]
    assert fs.ls("/d", detail=False) == ["/d/a", "/d/a0", "/d/b"]


@pytest.mark.parametrize("options", [{}, {"metadata": {"owner": "me"}}])
@pytest.mark.parametrize("data", [b"", b"content", b"--\r\n" * 9])
def test_what_is_kept_with_a_small_object(
    fs: GCSFileSystem, server: GcsServer, bucket: str, options: dict[str, Any], data: bytes
) -> None:
    fs.pipe_file("/a b/\N{SNOWMAN}?&=%", data, content_type="text/plain; charset=utf-8", **options)
    found = server.cloud.get(bucket, "a b/\N{SNOWMAN}?&=%")
    assert found.data == data
    assert found.properties["contentType"] == "text/plain; charset=utf-8"
    assert found.properties.get("metadata", {}) == options.get("metadata", {})


@pytest.mark.parametrize(
    "take_away", [lambda fs: fs.rm_file("/d/f"), lambda fs: fs.rm("/d/f"), lambda fs: fs.mv("/d/f", "/g")]
)
def test_a_directory_that_has_gone_with_its_last_file_is_made_again(take_away: Any, fs: GCSFileSystem) -> None:
    fs.pipe_file("/d/f", b"content")
    fs.ls("/d")
    take_away(fs)
    assert not fs.isdir("/d")
    fs.makedirs("/d", exist_ok=True)
    assert fs.isdir("/d")


def test_a_moved_file_is_all_that_its_directories_need(fs: GCSFileSystem) -> None:
    fs.pipe_file("/f", b"content")
    fs.mv("/f", "/a/b/g")
    assert [key.key for key in fs.buckets.objects(fs.bucket_name)] == ["a/b/g"]
    fs.pipe_file("/h", b"content")
    with pytest.raises(NotADirectoryError):
        fs.mv("/h", "/a/b/g/below")


def test_an_etag_is_a_generation(fs: GCSFileSystem, server: GcsServer, bucket: str) -> None:
    etag = fs.pipe_file("/f", b"one")
    assert etag == str(server.cloud.get(bucket, "f").generation) == fs.info("/f")["etag"]
    assert fs.pipe_file("/f", b"two", if_match=etag) != etag
    for stale in (etag, "no-generation"):
        with pytest.raises(PreconditionFailed):
            fs.pipe_file("/f", b"three", if_match=stale)
        with pytest.raises(PreconditionFailed):
            fs.rm_file("/f", if_match=stale)
    assert fs.cat_file("/f") == b"two"


def test_somebody_else_comes_first_while_a_file_is_sent(fs: GCSFileSystem, server: GcsServer, bucket: str) -> None:
    small = filesystem(server, bucket_name=bucket, part_size=PART)
    file = small.open("/f", "xb")
    file.write(bytes(3 * PART))
    fs.pipe_file("/f", b"theirs")
    with pytest.raises(FileExistsError):
        file.close()
    assert fs.cat_file("/f") == b"theirs"
    assert server.uploads.unfinished == 0
    small.close()


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 3 * PART, 3 * PART + 1])
def test_parts_of_every_size(size: int, server: GcsServer, bucket: str) -> None:
    fs = filesystem(server, bucket_name=bucket, part_size=PART)
    data = os.urandom(size)
    with fs.open("/f", "wb") as file:
        file.write(data)
    assert fs.cat_file("/f") == data
    with fs.open("/f") as file:
        assert b"".join(iter(lambda: file.read(100_000), b"")) == data
    fs.close()


def test_an_upload_that_is_given_up_is_cancelled(server: GcsServer, bucket: str) -> None:
    def write_and_fail() -> None:
        with fs.open("/f", "wb") as file:
            file.write(bytes(3 * PART))
            raise ZeroDivisionError

    fs = filesystem(server, bucket_name=bucket, part_size=PART)
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert server.uploads.unfinished == 0
    assert not fs.exists("/f")
    fs.close()


def test_compressed_objects_are_read_as_they_are_stored(fs: GCSFileSystem, server: GcsServer, bucket: str) -> None:
    server.cloud.put(bucket, "f.gz", b"\x1f\x8b not really", {"contentEncoding": "gzip"}, {})
    assert fs.cat_file("/f.gz") == b"\x1f\x8b not really"
    assert fs.cat_file("/f.gz", 1, 5) == b"\x8b no"


def test_posix_attributes_are_metadata(server: GcsServer, bucket: str) -> None:
    fs = filesystem(server, bucket_name=bucket, posix=True)
    fs.pipe_file("/f", b"content")
    etag = fs.info("/f")["etag"]
    fs.posix.chmod("/f", 0o640)
    fs.posix.utime("/f", ns=(10**18, 10**18))
    fs.posix.symlink("f", "/link")
    assert fs.posix.stat("/f").st_mode & 0o777 == 0o640
    assert fs.info("/f")["mtime"] == 10**9
    assert fs.info("/f")["etag"] == etag
    assert fs.posix.readlink("/link") == "f"
    assert fs.cat_file("/link") == b"content"
    fs.close()


def test_many_objects_are_removed_in_batches(server: GcsServer, bucket: str, proxy: FaultProxy) -> None:
    for number in range(250):
        server.cloud.put(bucket, f"d/{number}", b"", {}, {})
    fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url)
    fs.rm("/d", recursive=True)
    assert sum("/batch/" in line for line in proxy.requests) == 3
    assert fs.ls("/") == []
    fs.close()


def test_from_another_filesystem_and_back(fs: GCSFileSystem, chukmem: Any) -> None:
    tree = MountedFileSystem({"/": chukmem, "/cloud": fs})
    tree.pipe_file("/a/b", b"content")
    tree.cp("/a", "/cloud/a", recursive=True)
    tree.mv("/cloud/a/b", "/back")
    assert tree.cat_file("/back") == b"content"
    assert fs.find("/") == []


@pytest.mark.mount
@needs("git")
def test_git_and_pytest_on_a_mount(server: GcsServer, bucket: str, tmp_path: Path) -> None:
    fs = filesystem(server, bucket_name=bucket, posix=True)
    work_with_git_and_pytest(fs, tmp_path / "point")
    fs.close()


def test_secrets_are_not_shown(server: GcsServer, bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    fs = filesystem(server, bucket_name=bucket, token="anon", session_kwargs={"headers": {"X": "secret"}})
    assert "secret" not in repr(fs)
    assert "secret" not in repr(fs._service_options)
    fs.pipe_file("/f", b"x")
    assert "secret" not in caplog.text
    fs.close()


def test_credentials_that_are_refused_say_what_to_do(server: GcsServer, bucket: str) -> None:
    refused = filesystem(server, bucket_name=bucket, session_kwargs={"headers": {"Authorization": "Bearer wrong"}})
    with pytest.raises(PermissionError, match="gcloud auth application-default login"):
        refused.cat_file("/f")
    refused.close()


def test_urls_need_a_key_that_signs(fs: GCSFileSystem) -> None:
    with pytest.raises(OSError, match="service account"):
        fs.sign("/f")


def test_a_signed_url_needs_nobody(fs: GCSFileSystem, server: GcsServer, bucket: str) -> None:
    fs.pipe_file("/a b", b"content")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "client_email": "somebody@example.com",
        "token_uri": "https://oauth2.googleapis.com/token",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }
    signing = filesystem(server, bucket_name=bucket, token=account)
    with urlopen(signing.sign("/a b", expiration=60)) as reply:
        assert reply.read() == b"content"
    assert "PRIVATE" not in repr(signing) + repr(signing._service_options)
    with urlopen(Request(signing.sign("/new", method="PUT"), data=b"new", method="PUT")) as reply:
        assert reply.status == 200
    assert fs.cat_file("/new") == b"new"
    signing.close()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"part_size": 1000}, "256 KiB"),
        ({"endpoint_url": "localhost:1"}, "endpoint_url"),
        ({"access": "all"}, "access"),
        ({"prefix": "p"}, "bucket_name"),
        ({"bucket_name": "b", "prefix": "../p"}, "prefix"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        GCSFileSystem(**options)


def test_a_pickled_filesystem_has_the_same_files(fs: GCSFileSystem) -> None:
    fs.pipe_file("/f", b"x")
    assert pickle.loads(pickle.dumps(fs)).cat_file("/f") == b"x"


def test_coroutines_of_several_loops(server: GcsServer) -> None:
    fs = filesystem(server, bucket_name=new_bucket(server), asynchronous=True)

    async def use(number: int) -> bytes:
        await fs._pipe_file(f"/{number}", b"%d" % number)
        found = await fs._cat_file(f"/{number}")
        await fs._close()
        return bytes(found)

    assert [asyncio.run(use(number)) for number in range(3)] == [b"0", b"1", b"2"]


def test_importing_it_imports_no_sdk() -> None:
    code = (
        "import sys, chuk_fsspec.backends.gcs; print([n for n in ('gcsfs', 'google', 'aiohttp') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_stream_that_is_left_early_leaves_nothing_on_its_way(server: GcsServer, bucket: str) -> None:
    everywhere = filesystem(server, asynchronous=True, part_size=PART)

    async def leave() -> None:
        await everywhere._pipe_file(f"/{bucket}/f", bytes(5 * PART))
        async with closing(everywhere._stream(f"/{bucket}/f")) as stream:
            assert [len(await anext(stream)) for _ in range(2)] == [PART, PART]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await everywhere._close()

    asyncio.run(leave())
