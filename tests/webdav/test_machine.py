"""A tree that is changed by requests, beside a dict that is changed as RFC 4918 says; and requests of any nonsense."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.paths import is_inside, split
from tests.webdav.calling import LOCK_BODY, Caller, prop_body

NAMES = ("a", "b", "*")
PATHS = st.builds("/{}".format, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join))
PROPERTY = "{urn:x}p"


class WebDAVMachine(RuleBasedStateMachine):
    """Files are bytes and directories None, by path; properties are kept beside."""

    def __init__(self) -> None:
        super().__init__()
        self.name = f"machine-{uuid.uuid4().hex}"
        self.fs = MemoryFileSystem(name=self.name)
        self.call = Caller(self.fs)
        self.tree: dict[str, bytes | None] = {"/": None}
        self.properties: dict[str, str] = {}

    def teardown(self) -> None:
        drop_store(self.name)

    def is_directory(self, path: str) -> bool:
        return self.tree.get(path, b"") is None

    def forget(self, path: str) -> None:
        for kept in (self.tree, self.properties):
            for one in [one for one in kept if is_inside(one, path)]:
                del kept[one]

    @rule(path=PATHS, content=st.binary(max_size=3))
    def put(self, path: str, content: bytes) -> None:
        if self.is_directory(path):
            wanted = 405
        elif not self.is_directory(split(path)[0]):
            wanted = 409
        else:
            wanted = 204 if path in self.tree else 201
            self.tree[path] = content
        assert self.call("PUT", path, content).status == wanted

    @rule(path=PATHS)
    def mkcol(self, path: str) -> None:
        if path in self.tree:
            wanted = 405
        elif not self.is_directory(split(path)[0]):
            wanted = 409
        else:
            wanted = 201
            self.tree[path] = None
        assert self.call("MKCOL", path).status == wanted

    @rule(path=PATHS)
    def delete(self, path: str) -> None:
        wanted = 204 if path in self.tree else 404
        self.forget(path)
        assert self.call("DELETE", path).status == wanted

    @rule(path=PATHS, value=st.sampled_from(("1", "2", None)))
    def proppatch(self, path: str, value: str | None) -> None:
        reply = self.call.proppatch(path, {PROPERTY: value})
        assert reply.status == (207 if path in self.tree else 404)
        if path in self.tree and value is not None:
            self.properties[path] = value
        else:
            self.properties.pop(path, None)

    @rule(
        method=st.sampled_from(("COPY", "MOVE")),
        source=PATHS,
        to=PATHS,
        overwrite=st.booleans(),
        shallow=st.booleans(),
    )
    def copy_or_move(self, method: str, source: str, to: str, overwrite: bool, shallow: bool) -> None:
        depth = "0" if shallow and method == "COPY" else "infinity"
        reply = self.call(method, source, destination=to, overwrite="T" if overwrite else "F", depth=depth)
        if source not in self.tree:
            assert reply.status == 404
        elif is_inside(source, to) or is_inside(to, source):
            assert reply.status == 403
        elif to not in self.tree and not self.is_directory(split(to)[0]):
            assert reply.status == 409
        elif to in self.tree and not overwrite:
            assert reply.status == 412
        else:
            assert reply.status == (204 if to in self.tree else 201)
            self.forget(to)
            for kept in (self.tree, self.properties):
                taken: dict[str, Any] = {one: value for one, value in kept.items() if is_inside(one, source)}
                taken = {one: value for one, value in taken.items() if one == source or depth == "infinity"}
                kept.update({to + one.removeprefix(source): value for one, value in taken.items()})
            if method == "MOVE":
                self.forget(source)

    @invariant()
    def everybody_sees_the_same(self) -> None:
        seen = {"/"}
        for path in sorted(self.tree):
            content = self.tree[path]
            if content is None:
                hrefs = self.call.propfind(path, "getetag", depth="1").hrefs()
                seen.update(href.rstrip("/") for href in hrefs if href != "/")
            else:
                assert self.call("GET", path).body == content
            found = self.call.propfind(path, PROPERTY).properties()
            assert (found[PROPERTY].text if found else None) == self.properties.get(path)
        assert seen == self.tree.keys()


TestWebDAV = WebDAVMachine.TestCase
TestWebDAV.settings = settings(stateful_step_count=20)

WORDS = """
Second-1|*|0|1|infinity|T|F|/|/a|/a/|/d/f|//|http://here/a|http://x:y/|(<a>)|</a> (<a> [W/"x"])|<|"|"x"|W/"|bytes=0-
bytes=-1,0-0|-|1e400|\xff|urn:|Thu, 01 Jan 1970 00:00:00 GMT|Fri, 99 Foo 99999 99:99:99 GMT|99999999999999|[::1|\0
"""
HEADERS = """
if|if_match|if_none_match|if_modified_since|if_unmodified_since|if_range|range|depth|destination|overwrite|timeout|lock_token
content_range|content_encoding|x_oc_mtime|x_expected_entity_length|prefer|brief|host
"""
METHODS = "GET|HEAD|PUT|DELETE|MKCOL|COPY|MOVE|LOCK|UNLOCK|PROPFIND|PROPPATCH|OPTIONS|POST"
BODIES = st.sampled_from([b"", b"x", LOCK_BODY % b"shared", prop_body("getetag", "{}x", "{u}v")]) | st.binary(
    max_size=9
)
URLS = st.sampled_from(["/", "/a", "/a/", "/d", "/d/", "/d/f", "/%ff", "/%00", "/..", "//", "/a%2Fb", "*", "/\xe4"])


def one_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words.strip().replace("\n", "|").split("|"))


REQUESTS = st.tuples(one_of(METHODS), URLS, BODIES, st.dictionaries(one_of(HEADERS), one_of(WORDS), max_size=4))


@given(requests=st.lists(REQUESTS, max_size=12))
def test_no_request_is_a_fault_of_the_server(requests: list[tuple[str, str, bytes, dict[str, str]]]) -> None:
    name = f"nonsense-{uuid.uuid4().hex}"
    fs = MemoryFileSystem(name=name)
    fs.pipe({"/a": b"a", "/d/f": b"f"})
    call = Caller(fs)
    for method, url, body, headers in requests:
        assert call(method, url, body, **headers).status < 500 or headers.get("destination", "").startswith("http")
    drop_store(name)
