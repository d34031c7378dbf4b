from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from fsspec import AbstractFileSystem

from chuk_adapters.webdav.http.dates import http_date, internet_date, seconds_of_any
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.webdav.calling import Caller, prop_body

ODD_NAMES = ("with space", "50%", "%41", "ü.txt", "日本語", "a&b<c>.txt", "q?#x", "'\"", "semi;colon", "é" * 127, "+")

ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    b'<D:%s xmlns:D="DAV:"><D:set><D:prop><x xmlns="u:">&a;</x></D:prop></D:set></D:%s>'
)
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "'
    + b"a" * 1000
    + b'"><!ENTITY b "'
    + b"&a;" * 1000
    + b'"><!ENTITY c "'
    + b"&b;" * 1000
    + b'">]><D:propfind xmlns:D="DAV:">&c;</D:propfind>'
)


class Counting(MemoryFileSystem):
    """Counts what is asked of it."""

    protocol = "chukmem"
    counts: ClassVar[Counter[str]] = Counter()

    def info(self, path: str, **kwargs: Any) -> Any:
        self.counts["info"] += 1
        return super().info(path, **kwargs)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        self.counts["ls"] += 1
        return super().ls(path, detail, **kwargs)

    def isdir(self, path: str) -> bool:
        self.counts["isdir"] += 1
        return super().isdir(path)


def test_a_listing_asks_the_filesystem_twice_whatever_its_length() -> None:
    fs = Counting(name="counting")
    for n in range(100):
        fs.pipe_file(f"/d/{n}", b"x")
    call = Caller(fs)
    fs.counts.clear()
    assert len(call.propfind("/d/", "getetag", "getcontentlength", depth="1").hrefs()) == 101
    assert fs.counts == {"info": 1, "ls": 1}


def test_live_properties(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("MKCOL", "/d")
    call("PUT", "/d/a.txt", b"12345")
    info = fs.info("/d/a.txt")
    reply = call.propfind("/d/", depth="1")
    assert reply.status == 207
    assert reply.hrefs() == ["/d/", "/d/a.txt"]
    assert reply.text("getcontentlength", "/d/a.txt") == "5"
    assert reply.text("getcontenttype", "/d/a.txt") == "text/plain"
    assert reply.text("getetag", "/d/a.txt") == f'"{info["etag"]}"'
    assert reply.text("getlastmodified", "/d/a.txt") == http_date(int(info["mtime"]))
    assert reply.text("creationdate", "/d/a.txt") == internet_date(int(info["created"]))
    assert reply.text("displayname", "/d/a.txt") == "a.txt"
    directory = reply.properties("/d/")
    assert directory["{DAV:}resourcetype"].find("{DAV:}collection") is not None
    assert not {"{DAV:}getcontentlength", "{DAV:}getetag", "{DAV:}getcontenttype"} & directory.keys()
    assert call.propfind("/d/a.txt", depth="1").hrefs() == ["/d/a.txt"]


def test_properties_that_are_asked_for_are_found_or_missed(call: Caller) -> None:
    call("PUT", "/f", b"")
    reply = call.propfind("/f", "getetag", "quota-used-bytes", "nonsense", "{urn:x}y")
    assert reply.statuses() == {
        "{DAV:}getetag": 200,
        "{DAV:}quota-used-bytes": 404,
        "{DAV:}nonsense": 404,
        "{urn:x}y": 404,
    }
    brief = call.propfind("/f", "getetag", "{urn:x}y", prefer="return=minimal")
    assert brief.statuses() == {"{DAV:}getetag": 200}
    assert call.propfind("/f", "{urn:x}y", prefer="return=minimal").statuses() == {}


def test_names_of_properties(call: Caller) -> None:
    call("PUT", "/f", b"x")
    call.proppatch("/f", {"{urn:x}y": "text"})
    body = b'<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>'
    properties = call("PROPFIND", "/f", body, depth="0").properties()
    assert {"{DAV:}getetag", "{DAV:}lockdiscovery", "{urn:x}y"} <= properties.keys()
    assert not any(one.text or len(one) for one in properties.values())


def test_all_properties_and_those_included(call: Caller) -> None:
    body = b'<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:quota-used-bytes/></D:include></D:propfind>'
    assert "{DAV:}quota-used-bytes" in call("PROPFIND", "/", body, depth="0").properties()
    assert "{DAV:}quota-used-bytes" in call.propfind("/").properties()  # as npm's client wants it


def test_the_space_is_told(fs: AbstractFileSystem) -> None:
    figures = fs.posix.statvfs()
    reply = Caller(fs).propfind("/", "quota-available-bytes", "quota-used-bytes")
    told = int(str(reply.text("quota-available-bytes"))) + int(str(reply.text("quota-used-bytes")))
    assert told == pytest.approx(figures.blocks * figures.block_size, rel=0.01)  # others use the disk too


def test_no_request_walks_the_whole_tree(call: Caller) -> None:
    call("PUT", "/f", b"x")
    reply = call("PROPFIND", "/", depth="Infinity")
    assert reply.status == 403
    assert reply.xml.find("{DAV:}propfind-finite-depth") is not None
    assert call("PROPFIND", "/").hrefs() == ["/"]
    assert call("PROPFIND", "/f", depth="infinity").hrefs() == ["/f"]
    assert call("PROPFIND", "/", depth="2").status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<propfind/>",
        b'<D:propfind xmlns:D="DAV:"/>',
        b'<D:propfind xmlns:D="DAV:"><D:allprop/><D:propname/></D:propfind>',
        b'<D:propfind xmlns:D="DAV:"><D:prop><x:y xmlns:x=""/></D:prop></D:propfind>',
        b'<D:other xmlns:D="DAV:"/>',
        b"\xff\xfe\x00",
        LAUGHS,
        ENTITIES % (b"propfind", b"propfind"),
        b'<D:propfind xmlns:D="DAV:">' + b"<a>" * 100_000,
        b'<?xml version="1.0" encoding="no-such"?><D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>',
    ],
)
def test_a_body_that_asks_for_nothing(call: Caller, body: bytes) -> None:
    assert call("PROPFIND", "/", body, depth="0").status == 400


def test_a_body_may_be_long_but_not_endless(call: Caller) -> None:
    assert call("PROPFIND", "/", b" " * (2 << 20), depth="0").status == 413
    many = prop_body(*(f"p{n}" for n in range(2000)))
    assert len(call("PROPFIND", "/", many, depth="0").statuses()) == 2000


def test_odd_names(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    for name in ODD_NAMES:
        assert call("PUT", "/" + quote(name, safe=""), name.encode()).status == 201
    call("MKCOL", "/" + quote("d ü", safe=""))
    reply = call.propfind("/", depth="1")
    assert sorted(name for name in fs.ls("/", detail=False) if name != "/other") == sorted(
        ["/d ü", *(f"/{name}" for name in ODD_NAMES)]
    )
    for href in reply.hrefs():
        if not href.endswith("/"):
            name = call("GET", href).body.decode()
            assert reply.text("displayname", href) == name
    assert "/d%20%C3%BC/" in reply.hrefs()


def test_names_that_xml_cannot_hold_are_still_listed(chukmem: MemoryFileSystem) -> None:
    for name in ("/\udcff", "/a\x01b", "/new\nline"):
        chukmem.pipe_file(name, b"x")
    call = Caller(chukmem)
    hrefs = call.propfind("/", depth="1").hrefs()
    assert sorted(hrefs) == ["/", "/%FF", "/a%01b", "/new%0Aline"]
    assert all(call("GET", href).status == 200 for href in hrefs)
    assert call("DELETE", "/%FF").status == 204


# ---- dead properties


def test_properties_are_kept_with_their_meaning(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("PUT", "/f", b"x")
    body = (
        '<D:propertyupdate xmlns:D="DAV:" xmlns:z="urn:z" xml:lang="de"><D:set><D:prop><z:a>ein <z:b c="&quot;ü">'
        "<n xmlns=''/></z:b> Baum</z:a></D:prop></D:set><D:set><D:prop><plain>1</plain></D:prop></D:set>"
        "</D:propertyupdate>"
    )
    assert call("PROPPATCH", "/f", body.encode("utf-16")).statuses() == {"{urn:z}a": 200, "plain": 200}
    kept = call.propfind("/f", "{urn:z}a").properties()["{urn:z}a"]
    (inner,) = kept
    assert (kept.text, inner.tail, inner.get("c"), inner[0].tag) == ("ein ", " Baum", '"ü', "n")
    assert kept.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"
    call.proppatch("/f", {"{urn:z}a": None, "{urn:none}none": None})
    assert "{urn:z}a" not in call.propfind("/f").properties()


def test_all_properties_are_changed_or_none(call: Caller) -> None:
    call("PUT", "/f", b"x")
    reply = call.proppatch("/f", {"{urn:x}a": "1", "{DAV:}getetag": "mine"})
    assert reply.statuses() == {"{urn:x}a": 424, "{DAV:}getetag": 403}
    assert reply.xml.find(".//{DAV:}cannot-modify-protected-property") is not None
    assert "{urn:x}a" not in call.propfind("/f").properties()


@pytest.mark.parametrize("body", [ENTITIES % (b"propertyupdate", b"propertyupdate"), b"", b"<x/>", LAUGHS])
def test_a_poisoned_property_is_not_kept(call: Caller, body: bytes) -> None:
    call("PUT", "/f", b"x")
    assert call("PROPPATCH", "/f", body).status == 400
    assert call.propfind("/f").status == 207


def test_more_than_there_is_room_for(chukmem: MemoryFileSystem) -> None:
    call = Caller(chukmem)
    call("PUT", "/f", b"x")
    call.proppatch("/f", {"{urn:x}a": "1"})
    assert call.proppatch("/f", {"{urn:x}b": "2" * 100_000}).status == 507
    assert call.propfind("/f", "{urn:x}a", "{urn:x}b").statuses() == {"{urn:x}a": 200, "{urn:x}b": 404}


def test_properties_go_where_the_resource_goes(fs: AbstractFileSystem) -> None:
    call = Caller(fs)
    call("MKCOL", "/d")
    call("PUT", "/d/f", b"x")
    call("PUT", "/old", b"x")
    for url in ("/d", "/d/f", "/old"):
        call.proppatch(url, {"{urn:x}of": url})

    def of(url: str) -> str | None:
        found = call.propfind(url, "{urn:x}of").properties()
        return found["{urn:x}of"].text if found else None

    call("PUT", "/d/f", b"changed")
    assert of("/d/f") == "/d/f"
    call("COPY", "/d/", destination="/e/")
    assert (of("/e"), of("/e/f"), of("/d/f")) == ("/d", "/d/f", "/d/f")
    call("MOVE", "/d/", destination="/g/")
    assert (of("/g"), of("/g/f")) == ("/d", "/d/f")
    call("COPY", "/g/f", destination="/old")
    assert of("/old") == "/d/f"
    call("PUT", "/bare", b"")
    call("COPY", "/bare", destination="/old")
    assert of("/old") is None
    call("DELETE", "/g/f")
    call("PUT", "/g/f", b"")
    assert of("/g/f") is None


def test_properties_and_locks_survive_the_server(tmp_path: Path) -> None:
    def door() -> Caller:
        SqliteFileSystem.clear_instance_cache()
        return Caller(SqliteFileSystem(database=str(tmp_path / "w.db")))

    first = door()
    first("PUT", "/f", b"x")
    first.proppatch("/f", {"{urn:x}a": "kept"})
    token = first.lock("/f")
    second = door()
    assert second.propfind("/f", "{urn:x}a").properties()["{urn:x}a"].text == "kept"
    assert second("PUT", "/f", b"y").status == 423
    assert second("PUT", "/f", b"y", **{"if": f"(<{token}>)"}).status == 204
    assert second("UNLOCK", "/f", lock_token=f"<{token}>").status == 204
    assert first("PUT", "/f", b"z").status == 204


def test_without_extended_attributes_properties_last_as_long_as_the_server() -> None:
    from fsspec.implementations.memory import MemoryFileSystem as Plain

    plain = Plain(skip_instance_cache=True)
    plain.store, plain.pseudo_dirs = {}, [""]
    call = Caller(plain)
    call("MKCOL", "/d")
    call("PUT", "/d/f", b"x")
    call.proppatch("/d/f", {"{urn:x}a": "1"})
    assert call("MOVE", "/d/f", destination="/d/g").status == 201
    assert call.propfind("/d/g", "{urn:x}a").statuses() == {"{urn:x}a": 200}
    assert call("DELETE", "/d/g").status == 204
    call("PUT", "/d/g", b"x")
    assert call.propfind("/d/g", "{urn:x}a").statuses() == {"{urn:x}a": 404}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("{urn:schemas-microsoft-com:}Win32LastModifiedTime", "Fri, 13 Feb 2009 23:31:30 GMT"),
        ("{DAV:}getlastmodified", "Fri, 13 Feb 2009 23:31:30 GMT"),
        ("{DAV:}getlastmodified", "2009-02-13T23:31:30Z"),
    ],
)
def test_clients_set_the_time_of_the_last_change(fs: AbstractFileSystem, name: str, value: str) -> None:
    call = Caller(fs)
    call("PUT", "/f", b"x")
    other = "{urn:schemas-microsoft-com:}Win32FileAttributes"
    assert call.proppatch("/f", {name: value, other: "20"}).statuses() == {name: 200, other: 200}
    assert fs.info("/f")["mtime"] == 1234567890
    assert call.propfind("/f", other).properties()[other].text == "20"
    assert call.proppatch("/f", {name: "soon"}).statuses() == {name: 409}


def test_times_as_text() -> None:
    assert seconds_of_any("1e9") is None
    assert seconds_of_any("9" * 40) is None
    assert http_date(10**15).endswith("9999 23:59:59 GMT")
    assert internet_date(0) == "1970-01-01T00:00:00Z"


def test_a_listing_shows_properties_that_others_set(fs: AbstractFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chuk_adapters.webdav.properties.dead._SETTLED", -10.0)
    call, other = Caller(fs), Caller(fs)
    call("PUT", "/f", b"x")

    def seen() -> str | None:
        found = call.propfind("/", depth="1").properties("/f").get("{urn:x}a")
        return None if found is None else found.text

    assert seen() is None
    for value in ("1", None, "2"):
        time.sleep(0.02)  # more than a tick of any clock here
        other.proppatch("/f", {"{urn:x}a": value})
        assert seen() == value
    time.sleep(0.02)
    fs.rm_file("/f")
    call("PUT", "/f", b"x")
    assert seen() is None
