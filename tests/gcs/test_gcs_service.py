"""What Google's service does besides: content compressed on its way, copies in several requests, others who pay."""

from __future__ import annotations

import gzip

import pytest

from chuk_fsspec.backends.gcs import GCSFileSystem
from tests.gcs.gcs_opening import filesystem
from tests.gcs.server.serving import GcsServer
from tests.remote.faults import Fault, FaultProxy

PART = 256 << 10
PAGE = b"<p>%d</p>" * (PART // 8)


def test_what_is_compressed_on_its_way_is_read_as_it_is_stored(server: GcsServer, bucket: str) -> None:
    fs = filesystem(server, bucket_name=bucket, part_size=PART)
    fs.pipe_file("/page.html", PAGE, content_type="text/html")
    assert fs.cat_file("/page.html") == PAGE
    assert fs.cat_file("/page.html", 7, 70) == PAGE[7:70]
    assert fs.cat_file("/page.html", len(PAGE) - 3) == PAGE[-3:]
    assert fs.cat_file("/page.html", len(PAGE) + 3, len(PAGE) + 9) == b""
    with fs.open("/page.html") as file:
        assert file.read() == PAGE
    fs.close()


def test_what_is_stored_compressed_is_read_compressed(server: GcsServer, fs: GCSFileSystem, bucket: str) -> None:
    packed = gzip.compress(PAGE)
    properties = {"contentEncoding": "gzip", "contentType": "text/html"}
    server.cloud.put(bucket, "page.html", packed, properties, {})
    assert fs.cat_file("/page.html") == packed
    assert fs.cat_file("/page.html", 2, 9) == packed[2:9]


def test_a_copy_may_take_more_requests_than_a_request_may_have_attempts(
    server: GcsServer, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultProxy(server.host, server.port) as proxy:
        fs = filesystem(server, bucket_name=bucket, endpoint_url=proxy.url, attempts=2)
        fs.pipe_file("/f", b"content")
        monkeypatch.setattr(server.cloud, "rewrite_calls", 7)
        del proxy.requests[:]
        fs.cp_file("/f", "/g")
        assert sum("/rewriteTo/" in request for request in proxy.requests) == 7
        proxy.next = [Fault.NONE] * 3 + [Fault.ERROR]
        fs.cp_file("/f", "/h")
        assert fs.cat_file("/h") == b"content"
        fs.close()


def test_who_pays_is_said_of_each_removal_of_a_batch(server: GcsServer, bucket: str) -> None:
    server.cloud.bucket(bucket).requester_pays = True
    fs = filesystem(server, bucket_name=bucket, requester_pays="my project")
    fs.pipe({"/d/a": b"", "/d/b": b""})
    fs.rm("/d", recursive=True)
    assert not fs.exists("/d")
    fs.close()
