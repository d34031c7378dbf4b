from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.webdav.calling import Caller

LARGE = 3 << 20


class Breaking(io.RawIOBase):
    """A body that breaks off."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        self._data, self._error = io.BytesIO(data), error

    def read(self, size: int = -1, /) -> bytes:
        data = self._data.read(size)
        if not data and self._error is not None:
            raise self._error
        return data


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, LARGE])
def test_a_file_is_made_and_replaced(fs: AbstractFileSystem, size: int) -> None:
    call = Caller(fs)
    made = call("PUT", "/f", b"a" * size)
    assert (made.status, made.headers["ETag"]) == (201, f'"{fs.info("/f")["etag"]}"')
    replaced = call("PUT", "/f", b"b" * size)
    assert (replaced.status, replaced.headers["ETag"]) == (204, f'"{fs.info("/f")["etag"]}"')
    assert fs.cat_file("/f") == b"b" * size
    assert replaced.headers["ETag"] != made.headers["ETag"]


@pytest.mark.parametrize("size", [5, LARGE])
@pytest.mark.parametrize("error", [None, ConnectionResetError(), ValueError("bad chunk")])
def test_a_body_that_breaks_off_changes_nothing(fs: AbstractFileSystem, size: int, error: Exception | None) -> None:
    call = Caller(fs)
    call("PUT", "/old", b"old")
    before = fs.info("/old")["etag"]
    for url in ("/old", "/new"):
        body: Any = Breaking(b"x" * size, error)
        assert call("PUT", url, body, content_length=str(2 * size)).status == 400
    assert (fs.cat_file("/old"), fs.info("/old")["etag"]) == (b"old", before)
    assert [name for name in fs.ls("/", detail=False) if name != "/other"] == ["/old"]


def test_a_body_in_chunks_is_whole_when_it_ends(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    body: Any = io.BytesIO(b"x" * LARGE)
    assert call("PUT", "/f", body, transfer_encoding="chunked").status == 201
    assert fs.info("/f")["size"] == LARGE
    broken: Any = Breaking(b"y" * LARGE, ValueError("no last chunk"))
    assert call("PUT", "/f", broken, transfer_encoding="chunked").status == 400
    assert fs.cat_file("/f", 0, 1) == b"x"


def test_the_length_that_finder_announces_is_held_to_it(call: Caller) -> None:
    for announced, status in (("5", 201), ("6", 400)):
        body: Any = io.BytesIO(b"12345")
        reply = call("PUT", f"/f{announced}", body, transfer_encoding="chunked", x_expected_entity_length=announced)
        assert reply.status == status


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        ("/none/f", {}, 409),
        ("/file/f", {}, 409),
        ("/d", {}, 405),
        ("/d/", {}, 405),
        ("/new/", {}, 405),
        ("/", {}, 405),
        ("/f", {"content_range": "bytes 0-1/2"}, 400),
        ("/f", {"content_encoding": "gzip"}, 415),
        ("/f", {"content_length": "x"}, 400),
        ("/f", {"x_oc_mtime": "soon"}, 400),
        ("/f", {"if_match": "*"}, 412),
        ("/file", {"if_none_match": "*"}, 412),
        ("/%ff", {}, 400),
    ],
)
def test_what_cannot_be_written(call: Caller, url: str, headers: dict[str, str], status: int) -> None:
    call("MKCOL", "/d")
    call("PUT", "/file", b"kept")
    assert call("PUT", url, b"x", **headers).status == status
    assert call("GET", "/file").body == b"kept"
    assert call.propfind("/", depth="1").hrefs() == ["/", "/d/", "/file"]


def test_edits_that_state_what_they_have_read_are_never_lost(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("PUT", "/f", b"")

    def edit(who: int) -> None:
        for n in range(5):
            while True:
                read = call("GET", "/f")
                if read.status == 503:
                    continue
                line = f"{who}.{n}\n".encode()
                status = call("PUT", "/f", read.body + line, if_match=read.headers["ETag"]).status
                assert status in (204, 412)
                if status == 204:
                    break

    editors = [threading.Thread(target=edit, args=(who,)) for who in range(4)]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join()
    assert sorted(call("GET", "/f").body.split()) == sorted(f"{who}.{n}".encode() for who in range(4) for n in range(5))


def test_only_one_can_make_what_was_not_there(chukmem: MemoryFileSystem) -> None:
    call = Caller(chukmem)
    statuses: list[int] = []
    gate = threading.Barrier(8)

    def make() -> None:
        gate.wait()
        statuses.append(call("PUT", "/f", b"x" * (2 << 20), if_none_match="*").status)

    makers = [threading.Thread(target=make) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sorted(statuses) == [201] + [412] * 7


def test_a_full_filesystem_keeps_the_old_content(chukmem: MemoryFileSystem) -> None:
    call = Caller(SecureFileSystem(chukmem, max_total_size=1000))
    assert call("PUT", "/f", b"old").status == 201
    for size in (2000, LARGE):
        assert call("PUT", "/f", b"x" * size).status in (413, 507)
        assert call("GET", "/f").body == b"old"


@pytest.mark.parametrize("header", ["1234567890", "1234567890.5"])
def test_a_client_says_when_its_file_was_changed(fs: AbstractFileSystem, header: str) -> None:
    call = Caller(fs)
    reply = call("PUT", "/f", b"x", x_oc_mtime=header)
    assert (reply.status, reply.headers["X-OC-MTime"]) == (201, "accepted")
    assert fs.info("/f")["mtime"] == float(header)
    assert reply.headers["ETag"] == call("HEAD", "/f").headers["ETag"]


def test_directories_are_made_one_at_a_time(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    assert call("MKCOL", "/d/e/").status == 409
    assert call("MKCOL", "/d/").status == 201
    assert call("MKCOL", "/d").status == 405
    assert call("MKCOL", "/d/e").status == 201
    assert call("MKCOL", "/x", b"<body/>").status == 415
    call("PUT", "/f", b"")
    assert call("MKCOL", "/f").status == 405
    assert call("MKCOL", "/f/d").status == 409
    assert fs.isdir("/d/e")
    assert not fs.exists("/x")


def test_names_are_names_and_no_patterns(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    for name in ("a%2A", "ab", "ac", "%5Bab%5D", "%3F"):
        call("PUT", f"/{name}", name.encode())
    assert call("DELETE", "/a%2A").status == 204
    assert call("COPY", "/%3F", destination="/%5Ba%5D").status == 201
    assert call("MOVE", "/%5Bab%5D", destination="/%2A").status == 201
    call("MKCOL", "/%2A%2A")
    assert call("MOVE", "/%2A", destination="/%2A%2A/%3F").status == 201
    assert call("DELETE", "/%2A%2A/").status == 204
    left = [name for name in fs.ls("/", detail=False) if name != "/other"]
    assert left == ["/?", "/[a]", "/ab", "/ac"]


def test_removing(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("MKCOL", "/d")
    tag = call("PUT", "/d/f", b"x").headers["ETag"]
    assert call("DELETE", "/d/f", if_match='"other"').status == 412
    assert call("DELETE", "/d", depth="0").status == 400
    assert call("DELETE", "/d/f", b"body").status == 415
    assert call("DELETE", "/").status == 403
    assert call("DELETE", "/none").status == 404
    assert fs.exists("/d/f")
    assert call("DELETE", "/d/f", if_match=tag).status == 204
    assert call("DELETE", "/d/").status == 204
    assert not fs.exists("/d")


def test_a_tree_is_removed_whole_or_refused_whole(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/d/kept/secret.pem", b"x")
    chukmem.pipe_file("/d/f", b"x")
    call = Caller(SecureFileSystem(chukmem, denied_patterns=["glob:**/*.pem"]))
    assert call("DELETE", "/d/").status == 403
    assert chukmem.find("/") == ["/d/f", "/d/kept/secret.pem"]
