from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chuk_adapters.webdav.http.if_header import parse_if
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.locks.keeping import NoKeeper
from chuk_adapters.webdav.locks.lock import LONGEST, USUAL, Lock, is_below, seconds_granted
from chuk_adapters.webdav.locks.table import Change, Claim, LockTable
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.paths import split
from tests.webdav.calling import LOCK_BODY, Caller, held


@pytest.fixture
def tree(call: Caller) -> Caller:
    for url in ("/d", "/d/e"):
        call("MKCOL", url)
    for url in ("/f", "/d/f", "/d/e/f"):
        call("PUT", url, b"x")
    return call


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("PUT", "/d/f", {}),
        ("PUT", "/d/new", {}),
        ("MKCOL", "/d/new", {}),
        ("DELETE", "/d/f", {}),
        ("DELETE", "/d/e/f", {}),
        ("DELETE", "/d", {}),
        ("PROPPATCH", "/d/e", {}),
        ("LOCK", "/d/new", {}),
        ("MOVE", "/d/f", {"destination": "/g"}),
        ("MOVE", "/f", {"destination": "/d/f"}),
        ("MOVE", "/f", {"destination": "/d/new"}),
        ("MOVE", "/d", {"destination": "/g"}),
        ("COPY", "/f", {"destination": "/d/e/f"}),
    ],
)
def test_what_is_locked_is_changed_by_its_holder_only(tree: Caller, method: str, url: str, headers: Any) -> None:
    token = tree.lock("/d")
    body = {
        "PROPPATCH": b'<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a/></D:prop></D:set></D:propertyupdate>',
        "LOCK": LOCK_BODY % b"exclusive",
    }.get(method, b"")
    before = {path: info["etag"] for path, info in tree_of(tree).items()}
    claims: tuple[Any, ...] = ({}, {"if": "(Not <DAV:no-lock>)"})
    for claim in claims:
        reply = tree(method, url, body, **headers, **claim)
        assert reply.status == 423
        assert [str(one.text) for one in reply.xml.iterfind("*/{DAV:}href")] == ["/d"]
    assert {path: info["etag"] for path, info in tree_of(tree).items()} == before
    stranger = tree.as_user("stranger")
    assert stranger(method, url, body, **headers, **held(token, "<http://here/d> ")).status == 423
    if method != "LOCK":
        assert tree(method, url, body, **headers, **held(token, "<http://here/d> ")).status in (201, 204, 207)


def tree_of(call: Caller) -> Any:
    return call.application._door.tree.fs.find("/", withdirs=True, detail=True)


def test_reading_is_not_locked(tree: Caller) -> None:
    tree.lock("/d")
    assert tree("GET", "/d/f").status == 200
    assert tree("COPY", "/d/f", destination="/copy").status == 201


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (("/d", "exclusive", "infinity"), ("/d/f", "shared", "0"), 423),
        (("/d", "shared", "infinity"), ("/d/f", "shared", "0"), 200),
        (("/d", "shared", "infinity"), ("/d/f", "exclusive", "0"), 423),
        (("/d", "exclusive", "0"), ("/d/f", "exclusive", "0"), 200),
        (("/d/f", "exclusive", "0"), ("/d", "exclusive", "infinity"), 423),
        (("/d/f", "exclusive", "0"), ("/d", "exclusive", "0"), 200),
        (("/d/f", "shared", "0"), ("/d", "shared", "infinity"), 200),
        (("/d/f", "shared", "0"), ("/d/f", "shared", "0"), 200),
        (("/", "exclusive", "infinity"), ("/d/e/f", "shared", "0"), 423),
    ],
)
def test_which_locks_go_together(tree: Caller, first: Any, second: Any, status: int) -> None:
    tree.lock(first[0], first[1], depth=first[2])
    reply = tree("LOCK", second[0], LOCK_BODY % second[1].encode(), depth=second[2])
    assert reply.status == status
    if status == 423:
        assert reply.xml.findtext("{DAV:}no-conflicting-lock/{DAV:}href") == first[0]


def test_any_holder_of_a_shared_lock_may_write(tree: Caller) -> None:
    anna, ben = tree.as_user("anna"), tree.as_user("ben")
    hers, his = anna.lock("/f", "shared"), ben.lock("/f", "shared")
    assert anna("PUT", "/f", b"1", **held(hers)).status == 204
    assert ben("PUT", "/f", b"2", **held(his)).status == 204
    assert ben("PUT", "/f", b"3", **held(hers)).status == 423
    assert ben("UNLOCK", "/f", lock_token=f"<{hers}>").status == 403


def test_a_tree_is_moved_by_who_holds_all_locks_in_it(tree: Caller) -> None:
    token = tree.lock("/d/e/f")
    assert tree("MOVE", "/d/", destination="/g/").status == 423
    assert tree("MOVE", "/d/", destination="/g/", **held(token, "<http://here/d/e/f> ")).status == 201
    assert tree("PUT", "/g/e/f", b"no lock went with it").status == 204
    assert tree("MKCOL", "/d").status == 201


def test_a_new_name_is_locked_with_an_empty_file(call: Caller) -> None:
    reply = call("LOCK", "/new", LOCK_BODY % b"exclusive", timeout="Second-100")
    assert reply.status == 201
    token = reply.headers["Lock-Token"].strip("<>")
    assert call("GET", "/new").body == b""
    assert call("PUT", "/new", b"x").status == 423
    assert call("PUT", "/new", b"x", **held(token)).status == 204
    assert call("LOCK", "/none/new", LOCK_BODY % b"exclusive").status == 409


def test_what_somebody_makes_at_a_name_that_is_being_locked_stays(
    call: Caller, chukmem: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = LockTable.grant

    def grant_too_late(table: LockTable, path: str, **wanted: Any) -> Lock:
        chukmem.pipe_file(path, b"theirs")
        return grant(table, path, **wanted)

    monkeypatch.setattr(LockTable, "grant", grant_too_late)
    token = call.lock("/new")
    assert chukmem.cat_file("/new") == b"theirs"
    assert call("UNLOCK", "/new", lock_token=f"<{token}>").status == 204


def test_locks_are_told(tree: Caller) -> None:
    token = tree.lock("/d", depth="infinity", timeout="Infinite, Second-10")
    reply = tree.propfind("/d/", "lockdiscovery", "supportedlock", depth="1")
    for href in reply.hrefs():
        active = reply.properties(href)["{DAV:}lockdiscovery"].find("{DAV:}activelock")
        assert active is not None
        assert active.findtext("{DAV:}locktoken/{DAV:}href") == token
        assert active.findtext("{DAV:}lockroot/{DAV:}href") == "/d/"
        assert active.findtext("{DAV:}depth") == "infinity"
        assert active.findtext("{DAV:}owner") == "me"
        assert active.findtext("{DAV:}timeout") == f"Second-{LONGEST}"
        assert len(reply.properties(href)["{DAV:}supportedlock"]) == 2
    assert len(tree.propfind("/f", "lockdiscovery").properties()["{DAV:}lockdiscovery"]) == 0


def test_a_lock_is_refreshed_and_ends(tree: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tree.lock("/f", timeout="Second-100")
    reply = tree("LOCK", "/f", timeout="Second-500", **held(token))
    assert reply.status == 200
    assert reply.xml.findtext(".//{DAV:}timeout") == "Second-500"
    assert "Lock-Token" not in reply.headers
    assert tree("LOCK", "/f").status == 400
    assert tree("LOCK", "/d", **held(token)).status == 412
    assert tree.as_user("other")("LOCK", "/f", **held(token)).status == 403
    monkeypatch.setattr("chuk_adapters.webdav.locks.lock.time.time", lambda: 10.0**10)
    assert tree("PUT", "/f", b"x").status == 204


def test_unlocking(tree: Caller) -> None:
    token = tree.lock("/d")
    assert tree("UNLOCK", "/d").status == 400
    assert tree("UNLOCK", "/d", lock_token="<urn:uuid:none>").status == 409
    assert tree("UNLOCK", "/f", lock_token=f"<{token}>").status == 409
    assert tree("UNLOCK", "/d/f", lock_token=f"<{token}>").status == 204
    token = tree.lock("/d")
    assert tree("UNLOCK", "/d", lock_token=token).status == 204
    assert tree("DELETE", "/d").status == 204


def test_what_is_removed_is_locked_no_more(tree: Caller) -> None:
    token = tree.lock("/d")
    assert tree("DELETE", "/d", **held(token)).status == 204
    assert tree("MKCOL", "/d").status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"<x/>",
        b'<D:lockinfo xmlns:D="DAV:"/>',
        b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope></D:lockinfo>',
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + (LOCK_BODY % b"exclusive").split(b"?>")[1].replace(b">me<", b">&a;<"),
    ],
)
def test_a_lock_that_is_not_understood_is_not_there(tree: Caller, body: bytes) -> None:
    assert tree("LOCK", "/f", body).status == 400
    assert tree("LOCK", "/new", body).status == 400
    assert tree("PUT", "/f", b"x").status == 204
    assert tree("GET", "/new").status == 404


def test_what_is_being_written_is_not_locked_meanwhile(tree: Caller) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Slow:
        sent = False

        def read(self, size: int) -> bytes:
            inside.set()
            go_on.wait(10)
            self.sent, before = True, self.sent
            return b"" if before else b"x"

    slow: Any = Slow()
    statuses: list[int] = []
    writer = threading.Thread(target=lambda: statuses.append(tree("PUT", "/d/f", slow, content_length="1").status))
    writer.start()
    try:
        inside.wait(10)
        for url in ("/d/f", "/d"):
            assert tree("LOCK", url, LOCK_BODY % b"exclusive").status == 423
        tree.lock("/f")
    finally:
        go_on.set()
        writer.join()
    assert statuses == [204]
    tree.lock("/d/f")


# ---- the If header


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("(<{token}>)", 204),
        ("(<{token}> [{tag}])", 204),
        ('(<{token}> ["other"])', 412),
        ('(["other"]) (<{token}>)', 204),
        ("(Not <{token}>)", 412),
        ("(Not <DAV:no-lock> <{token}>)", 204),
        ('(<{token}> Not ["other"])', 204),
        ("<http://here/f> (<{token}>)", 204),
        ("</f> (<{token}>)", 204),
        ("<http://there/f> (<{token}>)", 412),
        ("<http://here/d> (<{token}>)", 412),
        ("<http://here/d> (Not <{token}>)", 204),
        ("", 400),
        ("(", 400),
        ("()", 400),
        ("(<{token}>", 400),
        ("<{token}>", 400),
        ("(Not Not <a>)", 400),
        ("((<a>))", 400),
        ("(<a>) x", 400),
        ("(" * 10_000, 400),
        ("(" * 200_000, 400),
        ("(<a>)" + " " * 15_000 + "x", 400),
        ('(["' + "[" * 15_000, 400),
    ],
)
def test_what_the_if_header_asks_for(tree: Caller, header: str, status: int) -> None:
    token = tree.lock("/f")
    tag = tree("HEAD", "/f").headers["ETag"]
    reply = tree("PUT", "/f", b"y", **{"if": header.replace("{token}", token).replace("{tag}", tag)})
    assert reply.status == status


def test_tokens_are_shown_wherever_they_stand() -> None:
    assert parse_if('</a> (<t1>) (Not <t2> ["e"]) </b> (<t3>)').tokens == {"t1", "t2", "t3"}
    with pytest.raises(Refusal):
        parse_if("</a>")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", USUAL),
        ("nonsense", USUAL),
        ("Second-0", USUAL),
        ("Second-17", 17),
        ("Second-4100000000", LONGEST),
        ("Second-" + "9" * 10_000, LONGEST),
        ("Infinite, Second-5", LONGEST),
        ("x, Second-5", 5),
    ],
)
def test_how_long_a_lock_lasts(header: str, seconds: int) -> None:
    assert seconds_granted(header) == seconds


def test_a_root_that_keeps_no_more_leaves_the_lock_to_this_server(
    chukmem: MemoryFileSystem, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        def setxattr(self, *_: Any) -> None:
            raise OSError(28, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

    call = Caller(chukmem)
    call("PUT", "/f", b"")
    real = chukmem.posix
    door = call.application._door

    class Fs:
        posix = Full()

    door.locks._keeper._fs = Fs()  # type: ignore[attr-defined]
    token = call.lock("/f")
    assert "will not survive" in caplog.text
    assert call("PUT", "/f", b"").status == 423
    assert call("UNLOCK", "/f", lock_token=f"<{token}>").status == 204
    assert call("PUT", "/f", b"").status == 204


def test_locks_cannot_be_heaped_up(tree: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chuk_adapters.webdav.locks.table.MOST_LOCKS", 3)
    tokens = [tree.lock("/f", "shared") for _ in range(3)]
    assert tree("LOCK", "/f", LOCK_BODY % b"shared").status == 507
    assert tree("LOCK", "/f", (LOCK_BODY % b"shared").replace(b">me<", b">" + b"x" * 5000 + b"<")).status == 400
    tree("UNLOCK", "/f", lock_token=f"<{tokens[0]}>")
    tree.lock("/f", "shared")


PATHS = ("/", "/a", "/a/b", "/a/b/c", "/ab")


class LockingMachine(RuleBasedStateMachine):
    """Locks by the table, and by RFC 4918 sections 6 and 7 read word for word."""

    def __init__(self) -> None:
        super().__init__()
        self.table = LockTable(NoKeeper())
        self.locks: list[Lock] = []

    def protecting(self, path: str) -> list[Lock]:
        return [one for one in self.locks if one.root == path or (one.is_deep and is_below(path, one.root))]

    @rule(path=st.sampled_from(PATHS), deep=st.booleans(), exclusive=st.booleans(), user=st.sampled_from("ab"))
    def grant(self, path: str, deep: bool, exclusive: bool, user: str) -> None:
        scope = self.protecting(path) + [one for one in self.locks if deep and is_below(one.root, path)]
        is_free = not any(exclusive or one.is_exclusive for one in scope)
        with nullcontext() if is_free else pytest.raises(Refusal):
            granted = self.table.grant(
                path, is_collection=True, is_deep=deep, is_exclusive=exclusive, owner="", user=user, timeout=""
            )
            self.locks.append(granted)

    @rule(
        data=st.data(), user=st.sampled_from("ab"), path=st.sampled_from(PATHS), deep=st.booleans(), entry=st.booleans()
    )
    def change(self, data: Any, user: str, path: str, deep: bool, entry: bool) -> None:
        shown = frozenset(data.draw(st.lists(st.sampled_from([one.token for one in self.locks] or ["none"]))))
        touched = {path} | ({split(path)[0]} if entry else set())
        touched |= {one.root for one in self.locks if deep and is_below(one.root, path)}
        may = all(
            not (protecting := self.protecting(each))
            or any(one.token in shown and one.user == user for one in protecting)
            for each in touched
        )
        with (
            nullcontext() if may else pytest.raises(Refusal),
            self.table.changing(Claim(shown, user), Change(path, deep, entry)),
        ):
            pass

    @rule(data=st.data())
    def release(self, data: Any) -> None:
        if self.locks:
            one = data.draw(st.sampled_from(self.locks))
            self.table.release(self.table.get(one.token, one.root))
            self.locks.remove(one)

    @rule(path=st.sampled_from(PATHS))
    def remove(self, path: str) -> None:
        self.table.release_at(path)
        self.locks = [one for one in self.locks if one.root != path and not is_below(one.root, path)]

    @invariant()
    def the_same_locks_hold(self) -> None:
        for path in PATHS:
            assert {one.token for one in self.table.covering(path)} == {one.token for one in self.protecting(path)}


TestLocking = LockingMachine.TestCase
