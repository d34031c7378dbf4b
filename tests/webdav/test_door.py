from __future__ import annotations

import errno
import subprocess
import sys
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem as PlainMemory

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from tests.webdav.calling import LOCK_BODY, Caller

WRITING = ("PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH", "LOCK", "UNLOCK")


def test_importing_the_package_imports_no_server() -> None:
    code = "import sys, chuk_adapters.webdav as w; w.WebDAVOptions; print([m for m in sys.modules if 'webdav' in m])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "['chuk_adapters.webdav', 'chuk_adapters.webdav.options']"


def test_what_the_door_can_do(call: Caller) -> None:
    for url in ("/", "/none", "*"):
        reply = call("OPTIONS", url)
        assert (reply.status, reply.headers["DAV"], reply.headers["MS-Author-Via"]) == (200, "1, 2", "DAV")
        assert set(WRITING) < set(reply.headers["Allow"].split(", "))
    for method in ("TRACE", "POST", "PATCH", "BREW"):
        reply = call(method, "/")
        assert (reply.status, "PROPFIND" in reply.headers["Allow"]) == (405, True)


@pytest.mark.parametrize("kind", ["option", "filesystem"])
def test_nothing_can_be_changed_through_a_door_that_only_reads(chukmem: MemoryFileSystem, kind: str) -> None:
    chukmem.pipe_file("/f", b"x")
    call = Caller(chukmem, readonly=True) if kind == "option" else Caller(ReadOnlyFileSystem(chukmem))
    reply = call("OPTIONS", "/")
    assert (reply.headers["DAV"], reply.headers["Allow"]) == ("1", "OPTIONS, GET, HEAD, PROPFIND")
    for method in WRITING:
        body = LOCK_BODY % b"shared" if method == "LOCK" else b""
        assert call(method, "/f", body, destination="/g").status == 403
        assert call(method, "/new", body, destination="/g").status == 403
    assert call("GET", "/f").body == b"x"
    assert "{DAV:}supportedlock" not in call.propfind("/f").properties()
    assert chukmem.find("/") == ["/f"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/../x", 400),
        ("/d/../f", 400),
        ("/%2e%2e/x", 400),
        ("/.", 400),
        ("/a%00b", 400),
        ("/a%2Fb", 400),
        ("/a%2fb", 400),
        ("/" + "x" * 256, 414),
        ("/" + "x/" * 2100, 414),
        ("//f", 200),
        ("/%ff", 404),
        ("/..f", 404),
        ("/%252e%252e/f", 404),
        ("/\\..\\f", 404),
    ],
)
def test_paths(call: Caller, url: str, status: int) -> None:
    call("PUT", "/f", b"x")
    assert call("GET", url).status == status
    if status == 400:
        for method in ("PUT", "DELETE", "MKCOL", "PROPFIND", "LOCK", "MOVE"):
            assert call(method, url, destination="/g").status == 400


class Raising(MemoryFileSystem):
    """Answers every look with one error."""

    protocol = "chukmem"
    error: Exception = OSError()

    def info(self, path: str, **kwargs: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (errno.EACCES, 403),
        (errno.EROFS, 403),
        (errno.ENAMETOOLONG, 414),
        (errno.ENOSPC, 507),
        (errno.EDQUOT, 507),
        (errno.EBUSY, 409),
        (errno.EMFILE, 503),
        (errno.EIO, 500),
    ],
)
def test_errors_of_the_filesystem(code: int, status: int) -> None:
    fs = Raising(name="raising")
    fs.error = os_error(code, "/secret/host/path")
    reply = Caller(fs)("GET", "/f")
    assert reply.status == status
    assert b"secret" not in reply.body


def test_a_fault_of_the_server_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    fs = Raising(name="raising")
    fs.error = ZeroDivisionError("secret")
    reply = Caller(fs)("GET", "/f")
    assert (reply.status, b"secret" in reply.body) == (500, False)
    assert "secret" in caplog.text


def test_a_tree_below_a_prefix(call: Caller) -> None:
    call("PUT", "/a b", b"x")
    reply = call.propfind("/", depth="1", script_name="/dav/x")
    assert reply.hrefs() == ["/dav/x/", "/dav/x/a%20b"]
    assert call("MOVE", "/a%20b", destination="http://here/dav/x/c", script_name="/dav/x").status == 201
    assert call("MOVE", "/c", destination="http://here/elsewhere/c", script_name="/dav/x").status == 502
    assert call("GET", "/c").body == b"x"


def test_a_filesystem_of_others() -> None:
    fs = PlainMemory(skip_instance_cache=True)
    fs.store, fs.pseudo_dirs = {}, [""]
    call = Caller(fs)
    assert call("MKCOL", "/d").status == 201
    tag = call("PUT", "/d/f", b"x").headers["ETag"]
    assert tag.startswith('W/"')
    assert call("GET", "/d/f", if_none_match=tag).status == 304
    assert call("PUT", "/d/f", b"y", if_match=tag).status == 412  # a weak etag is not proof enough for a change
    assert call("PUT", "/d/f", b"y" * (2 << 20)).status == 204
    assert call("MOVE", "/d", destination="/e").status == 201
    assert call("COPY", "/e", destination="/g").status == 201
    assert call.propfind("/g/", depth="1").hrefs() == ["/g/", "/g/f"]
    assert call("PUT", "/h", b"", x_oc_mtime="5").headers.get("X-OC-MTime") is None
    assert call.proppatch("/h", {"{DAV:}getlastmodified": "5"}).statuses() == {"{DAV:}getlastmodified": 403}


# ---- pages


def test_a_collection_is_a_page_for_people(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("MKCOL", "/d%20d")
    call("PUT", "/d%20d/%3Cscript%3E%22%26", b"x" * 2048)
    call("MKCOL", "/d%20d/sub")
    reply = call("GET", "/d%20d/")
    page = reply.body.decode()
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "<script" not in page
    assert '<a href="/d%20d/%3Cscript%3E%22&amp;">&lt;script&gt;&quot;&amp;</a>' in page
    assert page.index('"/d%20d/sub/"') < page.index("&lt;script")
    assert "2.0 KiB" in page
    assert '<a href="/">root</a> / <a href="/d%20d/">d d</a>' in page
    assert call("HEAD", "/d%20d/").headers == reply.headers
    assert b"empty" in call("GET", "/d%20d/sub/").body


def test_pages_can_be_switched_off(chukmem: MemoryFileSystem) -> None:
    assert Caller(chukmem, browser=False)("GET", "/").status == 403
