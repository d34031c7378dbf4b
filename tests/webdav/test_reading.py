from __future__ import annotations

import email
import os
import threading
from email.utils import formatdate
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_adapters.webdav.http.ranges import ranges_of
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.webdav.calling import Caller

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def tag(call: Caller) -> str:
    return call("PUT", "/f.bin", CONTENT).headers["ETag"]


def test_a_file_is_sent_with_what_is_known_of_it(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("PUT", "/a.txt", b"text")
    reply = call("GET", "/a.txt")
    info = fs.info("/a.txt")
    assert (reply.status, reply.body) == (200, b"text")
    assert reply.headers["Content-Type"] == "text/plain"
    assert reply.headers["ETag"] == f'"{info["etag"]}"'
    assert reply.headers["Last-Modified"] == formatdate(int(info["mtime"]), usegmt=True)
    head = call("HEAD", "/a.txt")
    assert (head.status, head.headers, head.body) == (200, reply.headers, b"")


def test_a_large_file_comes_in_pieces_and_whole(fs: AbstractFileSystem) -> None:
    data = CONTENT * 300
    fs.pipe_file("/big", data)
    call = Caller(fs)
    assert call("GET", "/big").body == data
    assert call("GET", "/big", range="bytes=1000-2999999").body == data[1000:3000000]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, None),
        ("bytes=-7", -7, None),
        ("bytes=-99999", 0, None),
        ("bytes=5-999999", 5, None),
        ("BYTES = 1-2", 1, 3),
        ("bytes=0-0,99999-", 0, 1),
        ("bytes= , 3-4", 3, 5),
    ],
)
def test_a_part_of_a_file(call: Caller, tag: str, asked: str, start: int, stop: int | None) -> None:
    reply = call("GET", "/f.bin", range=asked)
    wanted = CONTENT[start:stop]
    first = start % len(CONTENT) if start < 0 else start
    assert (reply.status, reply.body) == (206, wanted)
    assert reply.headers["Content-Range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(CONTENT)}"


@pytest.mark.parametrize(
    "asked",
    [
        "foo=0-1",
        "bytes=4-1",
        "bytes=",
        "bytes=a-b",
        "bytes",
        "bytes=--1",
        "bytes=1-2-3",
        "bytes=\u0661-",
        "bytes=0-9,x",
        "bytes=0-,0-",
        "bytes=" + "0-," * 200,
        "bytes=" + "9" * 100 + "-",
    ],
)
def test_what_is_no_range_is_ignored(call: Caller, tag: str, asked: str) -> None:
    reply = call("GET", "/f.bin", range=asked)
    assert (reply.status, reply.body) == (200, CONTENT)


@pytest.mark.parametrize("asked", ["bytes=99999-", "bytes=-0", "bytes=20000-30000,99999-"])
def test_a_part_that_the_file_does_not_have(call: Caller, tag: str, asked: str) -> None:
    reply = call("GET", "/f.bin", range=asked)
    assert reply.status == 416
    assert reply.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


def test_an_empty_file_is_sent_whole_whatever_part_is_asked_for(call: Caller) -> None:
    call("PUT", "/empty")
    assert call("GET", "/empty", range="bytes=0-5").status == 200


def test_several_parts_are_a_multipart_message(call: Caller, tag: str) -> None:
    reply = call("GET", "/f.bin", range="bytes=0-1,100-104,-3")
    assert reply.status == 206
    assert "Content-Range" not in reply.headers
    message = email.message_from_bytes(
        b"Content-Type: %s\r\n\r\n" % reply.headers["Content-Type"].encode() + reply.body
    )
    parts = [
        (part["Content-Range"], part.get_payload(decode=True)) for part in message.walk() if not part.is_multipart()
    ]
    size = len(CONTENT)
    assert parts == [
        (f"bytes 0-1/{size}", CONTENT[0:2]),
        (f"bytes 100-104/{size}", CONTENT[100:105]),
        (f"bytes {size - 3}-{size - 1}/{size}", CONTENT[-3:]),
    ]


def test_ranges_never_ask_for_more_than_the_file() -> None:
    assert ranges_of("bytes=0-9,0-9", 10) is None
    with pytest.raises(Refusal):
        ranges_of("bytes=10-", 10)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_match": "{tag}"}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"other", {tag}'}, 200),
        ({"if_match": '"other"'}, 412),
        ({"if_match": "W/{tag}"}, 412),
        ({"if_none_match": "{tag}"}, 304),
        ({"if_none_match": "W/{tag}"}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"other"'}, 200),
        ({"if_modified_since": "{now}"}, 304),
        ({"if_modified_since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"if_modified_since": "nonsense"}, 200),
        ({"if_unmodified_since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
        ({"if_unmodified_since": "{now}"}, 200),
        ({"if_none_match": '"other"', "if_modified_since": "{now}"}, 200),
        ({"if_match": "{tag}", "if_unmodified_since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_preconditions(call: Caller, tag: str, method: str, headers: dict[str, str], status: int) -> None:
    now = call("HEAD", "/f.bin").headers["Last-Modified"]
    filled = {name: value.replace("{tag}", tag).replace("{now}", now) for name, value in headers.items()}
    reply = call(method, "/f.bin", b"", **filled)
    assert reply.status == status
    if status == 304:
        assert (reply.headers["ETag"], reply.body) == (tag, b"")
        assert "Content-Length" not in reply.headers


def test_a_part_is_sent_only_of_the_file_that_the_client_has(call: Caller, tag: str) -> None:
    date = call("HEAD", "/f.bin").headers["Last-Modified"]
    for validator, status in ((tag, 206), (date, 206), ('"old"', 200), (f"W/{tag}", 200), ("nonsense", 200)):
        assert call("GET", "/f.bin", range="bytes=0-1", if_range=validator).status == status, validator


def test_an_etag_always_belongs_to_the_content_it_came_with(chukmem: MemoryFileSystem) -> None:
    call = Caller(chukmem)
    contents = [bytes([n]) * 2000 for n in range(2)]
    seen: dict[str, bytes] = {}
    over = threading.Event()

    def replace() -> None:
        n = 0
        while not over.is_set():
            chukmem.pipe_file("/f", contents[n % 2])
            n += 1

    chukmem.pipe_file("/f", contents[0])
    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(300):
            reply = call("GET", "/f")
            if reply.status == 200:
                assert seen.setdefault(reply.headers["ETag"], reply.body) == reply.body
            else:
                assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    finally:
        over.set()
        writer.join()
    assert seen


def test_a_file_that_shrinks_while_it_is_sent_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * (3 << 20))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/f", "SCRIPT_NAME": ""}
    call = Caller(LocalFileSystem(root=str(tmp_path)))
    body = call.application(environ, lambda status, headers: None)
    pieces = iter(body)
    assert len(next(pieces)) == 1 << 20
    os.truncate(tmp_path / "f", 1 << 20)
    with pytest.raises(OSError):
        list(pieces)
    body.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("url", "status"), [("/none", 404), ("/f.bin/", 404), ("/f.bin/x", 404), ("/none/x", 404)])
def test_what_is_not_there(call: Caller, tag: str, url: str, status: int) -> None:
    for method in ("GET", "HEAD"):
        assert call(method, url).status == status


def test_stored_pages_cannot_act_in_a_browser(call: Caller) -> None:
    for name in ("a.html", "a.svg", "a.xml", "a.xhtml"):
        call("PUT", f"/{name}", b"<script>alert(1)</script>")
        headers = call("GET", f"/{name}").headers
        assert (headers["Content-Security-Policy"], headers["X-Content-Type-Options"]) == ("sandbox", "nosniff")


def test_links_are_what_they_lead_to_and_lead_nobody_in_circles(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/d/f", b"content")
    chukmem.posix.symlink("d/f", "/link")
    chukmem.posix.symlink("d", "/dirlink")
    chukmem.posix.symlink("nowhere", "/dangling")
    call = Caller(chukmem)
    assert call("GET", "/link").body == b"content"
    assert call("GET", "/dirlink/f").body == b"content"
    assert call("GET", "/dangling").status == 404
    assert call.propfind("/", depth="1").hrefs() == ["/", "/d/", "/link"]
    assert call("DELETE", "/dirlink/").status == 204
    assert call("GET", "/d/f").body == b"content"
