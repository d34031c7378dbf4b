"""Who is let in, and what a password leaves behind."""

from __future__ import annotations

import base64
import logging
import os
import stat
from pathlib import Path

import pytest

from chuk_adapters.webdav import WebDAVAdapter
from chuk_adapters.webdav.users import User, Users
from chuk_adapters.webdav.users.passwords import hash_password, is_password
from chuk_adapters.webdav.users.users import read_users, write_users
from chuk_fsspec.backends.memory import MemoryFileSystem
from tests.webdav.raw_http import ask, connected, receive, request

ALICE = "scrypt$15$8$1$oipN92kHIR4PjfQ0xI3ibQ==$bf67RQ8j18/6OycOUymsWuCbiAbUHNsU42UvgpJqM7M="
"""Of "sécret: 1", as ``hash_password`` has made it; each takes a fifth of a second."""

BOB = "scrypt$15$8$1$LqcT2FW2NcZQgZOERX5Mzw==$tqCINkafxWoOirUJSqKRyA3Uc0CUh6tnqKYU4f35uXA="
"""Of "b"."""

SECRETS = ("sécret", ALICE, base64.b64encode("alice:sécret: 1".encode()).decode())


def basic(name: str, password: str) -> str:
    return f"Authorization: Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@pytest.fixture(scope="module")
def users() -> Users:
    return Users([User("alice", ALICE), User("bob", BOB, readonly=True)])


@pytest.fixture
def guarded(chukmem: MemoryFileSystem, users: Users):
    chukmem.pipe_file("/a", b"content")
    with WebDAVAdapter(chukmem, port=0, users=users) as served:
        yield served


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PROPFIND", "DELETE", "MKCOL", "OPTIONS", "LOCK", "BREW"])
def test_nothing_without_a_password(guarded: WebDAVAdapter, method: str) -> None:
    reply = ask(guarded, request(f"{method} /a"))
    assert reply.status == 401
    assert reply.fields["www-authenticate"].startswith("Basic ")


def test_the_right_password(guarded: WebDAVAdapter) -> None:
    for _ in range(2):
        assert ask(guarded, request("GET /a", basic("alice", "sécret: 1"))).body == b"content"


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "x"), ("alice", ""), ("nobody", "x"), ("", ""), ("alice", "x" * 5000)]
)
def test_a_wrong_password(guarded: WebDAVAdapter, name: str, password: str) -> None:
    assert ask(guarded, request("GET /a", basic(name, password))).status == 401


def test_a_name_in_a_header_is_not_believed(guarded: WebDAVAdapter) -> None:
    assert ask(guarded, request("GET /a", "Remote-User: alice", "Remote_User: alice")).status == 401


def test_a_user_who_may_only_read(guarded: WebDAVAdapter) -> None:
    bob = basic("bob", "b")
    assert ask(guarded, request("GET /a", bob)).status == 200
    assert ask(guarded, request("PROPFIND /", "Depth: 1", bob)).status == 207
    for line in ("PUT /b", "DELETE /a", "MKCOL /c", "PROPPATCH /a", "LOCK /a", "COPY /a", "MOVE /a"):
        assert ask(guarded, request(line, bob, "Destination: http://localhost/d")).status == 403


def test_refused_before_the_body_is_read(guarded: WebDAVAdapter) -> None:
    """A client that waits for "100 Continue" sends nothing, and one that does not is told at once."""
    for fields in (["Expect: 100-continue"], []):
        with connected(guarded) as sock:
            sock.sendall(request("PUT /b", *fields, f"Content-Length: {64 << 20}"))
            reply = receive(sock)
            assert (reply.status, reply.is_closed) == (401, True)


def test_a_client_that_sends_on_can_read_the_refusal(guarded: WebDAVAdapter) -> None:
    """The connection lingers, instead of a reset that would take the reply away."""
    with connected(guarded) as sock:
        sock.sendall(request("PUT /b", f"Content-Length: {8 << 20}"))
        for _ in range(64):
            sock.sendall(b"x" * (64 << 10))
        assert receive(sock).status == 401


def test_locks_belong_to_users(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/a", b"content")
    body = (
        b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
        b"<D:locktype><D:write/></D:locktype></D:lockinfo>"
    )
    with WebDAVAdapter(chukmem, port=0, users={"alice": "a", "carol": "c"}) as served:
        token = ask(served, request("LOCK /a", basic("alice", "a"), body=body)).fields["lock-token"]
        shown = f"If: ({token})"
        assert ask(served, request("PUT /a", shown, basic("carol", "c"), body=b"x")).status == 423
        assert ask(served, request("PUT /a", shown, basic("alice", "a"), body=b"x")).status == 204


def test_nothing_shows_a_password(guarded: WebDAVAdapter, caplog: pytest.LogCaptureFixture) -> None:
    users = Users([User("alice", ALICE)])
    with caplog.at_level(logging.DEBUG):
        replies = [ask(guarded, request("GET /a", basic("alice", password))) for password in ("sécret: 1", "sécret: 2")]
    text = caplog.text + repr(users) + repr(list(users)) + str(replies) + repr(guarded)
    assert [secret for secret in SECRETS if secret in text] == []


def test_unknown_users_cost_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is computed: one hash, of the same parameters."""
    users = Users([User("alice", ALICE)])
    computed: list[str] = []

    def spy(password: str, hashed: str) -> bool:
        computed.append(hashed.rpartition("$")[0].rpartition("$")[0])
        return is_password(password, hashed)

    monkeypatch.setattr("chuk_adapters.webdav.users.users.is_password", spy)
    for name in ("alice", "nobody"):
        assert users.authenticate(name, "wrong") is None
    assert computed == ["scrypt$15$8$1"] * 2


def test_a_file_of_users(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    write_users(path, [User("alice", ALICE), User("bob", BOB, readonly=True)])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["users.txt"]
    path.write_text(f"# people\n\n{path.read_text()}")
    assert [(user.name, user.readonly) for user in read_users(path)] == [("alice", False), ("bob", True)]


@pytest.mark.parametrize(
    "line",
    [
        "alice",
        "alice:plain",
        f"alice:{ALICE}:rw",
        "alice:scrypt$99$8$1$AA==$AA==",
        "alice:scrypt$15$8$1$!$!",
        f":{ALICE}",
    ],
    ids=["no hash", "no method", "no such right", "too many rounds", "no base64", "no name"],
)
def test_a_file_with_a_bad_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "users.txt"
    path.write_text(f"# one\n{line}\n")
    path.chmod(0o600)
    with pytest.raises(ValueError, match="line 2") as caught:
        read_users(path)
    assert "$AA" not in str(caught.value)
    assert ALICE not in str(caught.value)


def test_a_file_that_others_may_write(tmp_path: Path) -> None:
    path = tmp_path / "users.txt"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(PermissionError, match="chmod 600"):
        read_users(path)


@pytest.mark.parametrize("name", ["", "a:b", "a\nb"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a user's name"):
        User(name, ALICE)


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_passwords_that_cannot_be(password: str) -> None:
    with pytest.raises(ValueError, match="1 to 1024 bytes"):
        hash_password(password)
