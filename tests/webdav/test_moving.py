from __future__ import annotations

import threading
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.webdav.calling import Caller


def names(fs: AbstractFileSystem) -> dict[str, bytes]:
    """All files with their content, and directories with none; the mount point of the stack apart."""
    found = fs.find("/", withdirs=True, detail=True)
    return {
        path: b"" if info["type"] == "directory" else fs.cat_file(path)
        for path, info in found.items()
        if path != "/other"
    }


@pytest.fixture
def tree(fs: AbstractFileSystem) -> Caller:
    fs.pipe_file("/f", b"f")
    fs.pipe_file("/d/f", b"d/f")
    fs.mkdir("/d/empty")
    fs.pipe_file("/t/old", b"t/old")
    return Caller(fs)


PAIRS = [("/f", "/g"), ("/f", "/t/old"), ("/f", "/t"), ("/d/", "/g/"), ("/d", "/t"), ("/d", "/f"), ("/d/f", "/d/empty")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("method", ["COPY", "MOVE"])
def test_what_is_where_afterwards(fs: AbstractFileSystem, tree: Caller, method: str, source: str, target: str) -> None:
    before = names(fs)
    old, new = source.rstrip("/"), target.rstrip("/")
    taken = {path: content for path, content in before.items() if is_inside(path, old)}
    left = {path: content for path, content in before.items() if not is_inside(path, new)}
    if method == "MOVE":
        left = {path: content for path, content in left.items() if path not in taken}
    wanted = left | {new + path.removeprefix(old): content for path, content in taken.items()}
    if new in before:
        assert tree(method, source, destination=target, overwrite="F").status == 412
        assert names(fs) == before
    status = 204 if new in before else 201
    assert tree(method, source, destination=f"http://here{target}").status == status
    assert names(fs) == wanted


@pytest.mark.parametrize(
    ("source", "headers", "status"),
    [
        ("/none", {"destination": "/g"}, 404),
        ("/f", {}, 400),
        ("/f", {"destination": ""}, 400),
        ("/f", {"destination": "relative"}, 400),
        ("/f", {"destination": "http://[/"}, 400),
        ("/f", {"destination": "/a%2Fb"}, 400),
        ("/f", {"destination": "/../x"}, 400),
        ("/f", {"destination": "/%2e%2e/x"}, 400),
        ("/f", {"destination": "/a%00b"}, 400),
        ("/f", {"destination": "/%ff"}, 400),
        ("/f", {"destination": "/" + "x" * 256}, 414),
        ("/f", {"destination": "http://there/g"}, 502),
        ("/f", {"destination": "https://here/g"}, 502),
        ("/f", {"destination": "ftp://here/g"}, 502),
        ("/f", {"destination": "//there/g"}, 502),
        ("/f", {"destination": "/f"}, 403),
        ("/f", {"destination": "http://HERE:80/f"}, 403),
        ("/d", {"destination": "/d/inside"}, 403),
        ("/d/f", {"destination": "/d"}, 403),
        ("/", {"destination": "/g"}, 403),
        ("/f", {"destination": "/none/g"}, 409),
        ("/f", {"destination": "/t/old/g"}, 409),
        ("/f", {"destination": "/g", "overwrite": "x"}, 400),
        ("/d", {"destination": "/g", "depth": "1"}, 400),
        ("/f", {"destination": "/g", "if_match": '"other"'}, 412),
    ],
)
def test_what_cannot_be_moved_or_copied(chukmem: MemoryFileSystem, source: str, headers: Any, status: int) -> None:
    fs = chukmem
    fs.pipe({"/f": b"f", "/d/f": b"d/f", "/t/old": b"t"})
    before = names(fs)
    call = Caller(fs)
    for method in ("MOVE", "COPY"):
        assert call(method, source, b"", **headers).status == status
    assert names(fs) == before


def test_a_collection_alone_is_copied(fs: AbstractFileSystem, tree: Caller) -> None:
    assert tree("COPY", "/d", destination="/g", depth="0").status == 201
    assert fs.ls("/g") == []
    assert tree("MOVE", "/d", destination="/h", depth="0").status == 400


def test_across_filesystems(chukmem: MemoryFileSystem, tmp_path: Any) -> None:
    from tests.webdav.conftest import stack

    fs = stack("mounted", chukmem, tmp_path)
    fs.pipe({"/d/f": b"1", "/d/e/g": b"2", "/f": b"3"})
    call = Caller(fs)
    call.proppatch("/d/f", {"{urn:x}a": "kept"})
    assert call("MOVE", "/d", destination="/other/d").status == 201
    assert call("COPY", "/other/d", destination="/again").status == 201
    assert call("MOVE", "/f", destination="/other/d").status == 204
    assert fs.find("/") == ["/again/e/g", "/again/f", "/other/d"]
    assert call.propfind("/again/f", "{urn:x}a").properties()["{urn:x}a"].text == "kept"
    assert call("DELETE", "/other").status >= 400  # a mount point stays
    assert fs.cat_file("/other/d") == b"3"


class Failing(MemoryFileSystem):
    """A disk that is full when a file of some name is copied, and for good when a tree is renamed to its place."""

    protocol = "chukmem"

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> Any:
        if path1.endswith("/full"):
            raise os_error(28, path1)
        return super().cp_file(path1, path2, **kwargs)


def test_a_copy_that_fails_leaves_all_as_it_was() -> None:
    fs = Failing(name="failing")
    fs.pipe({"/d/a": b"1", "/d/full": b"2", "/t/old": b"3"})
    before = names(fs)
    for target in ("/new", "/t"):
        reply = Caller(fs)("COPY", "/d", destination=target)
        assert reply.status == 207
        assert reply.hrefs() == ["/d/full"]
        assert " 507 " in str(reply.xml.findtext("*/{DAV:}status"))
        assert names(fs) == before
    assert Caller(fs)("COPY", "/d/full", destination="/t").status == 507
    assert names(fs) == before


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_two_that_must_not_overwrite_each_other(fs: AbstractFileSystem, method: str, kind: str) -> None:
    call = Caller(fs)
    for who in range(6):
        fs.pipe_file(f"/{who}/f", b"%d" % who)
    statuses: dict[int, int] = {}
    gate = threading.Barrier(6)

    def go(who: int) -> None:
        gate.wait()
        source = f"/{who}" if kind == "directory" else f"/{who}/f"
        statuses[who] = call(method, source, destination="/target", overwrite="F").status

    threads = [threading.Thread(target=go, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses.values()) == [201] + [412] * 5
    winner = next(who for who, status in statuses.items() if status == 201)
    assert fs.cat_file("/target/f" if kind == "directory" else "/target") == b"%d" % winner
    assert all(fs.exists(f"/{who}/f") for who in range(6) if who != winner)
    assert not [name for name in fs.ls("/", detail=False) if name.endswith(".webdav")]


def test_what_cannot_be_removed_is_not_replaced(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/new/f": b"new", "/old/f": b"old", "/old/kept.pem": b"kept"})
    before = names(chukmem)
    call = Caller(SecureFileSystem(chukmem, denied_patterns=["glob:**/*.pem"]))
    for method in ("COPY", "MOVE"):
        assert call(method, "/new", destination="/old").status == 403
        assert names(chukmem) == before
