"""The normal form of paths."""

from __future__ import annotations

import errno
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.contract.paths import (
    NAME_MAX,
    PATH_MAX,
    check_name,
    encoded_length,
    is_inside,
    join,
    normalise,
    split,
    strip_protocol,
)
from chuk_fsspec.testing.checks import fails_with

PARTS = st.one_of(
    st.sampled_from(["", ".", "..", "...", "a", "b", ".hidden", "x" * 254, "ü" * 127, "~", "a b"]),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), max_size=20),
)
PATHS = st.builds(lambda root, parts: root + "/".join(parts), st.sampled_from(["", "/", "//"]), st.lists(PARTS))
ANY_TEXT = st.text(st.one_of(st.sampled_from("/.a\0"), st.characters()), max_size=60)


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        (".", "/"),
        ("/./.", "/"),
        ("a", "/a"),
        ("a/b/", "/a/b"),
        ("/a//b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/a/..", "/"),
        ("/a/b/../..", "/"),
        ("/...", "/..."),
        ("/..a/a..", "/..a/a.."),
        ("/.hidden", "/.hidden"),
        ("/a\\b", "/a\\b"),
        ("/a\n", "/a\n"),
        ("/" + "x" * NAME_MAX, "/" + "x" * NAME_MAX),
    ],
)
def test_normal_form(path: str, normal: str) -> None:
    assert normalise(path) == normal


@pytest.mark.parametrize("path", ["..", "/..", "/a/../..", "../a", "./..", "/a/b/../../../c"])
def test_nothing_is_above_the_root(path: str) -> None:
    with fails_with(errno.EINVAL, path):
        normalise(path)


@pytest.mark.parametrize("path", ["\0", "/a\0", "/a/\0/b", "/" + "a" * 300 + "\0"])
def test_nul_is_no_character_of_a_path(path: str) -> None:
    with fails_with(errno.EINVAL, path):
        normalise(path)


@pytest.mark.parametrize("path", ["\ud800", "/\ud800", "/a/\udc00", "/" + "a" * 200 + "\udfff"])
def test_half_a_surrogate_pair_is_no_character_of_a_path(path: str) -> None:
    with fails_with(errno.EINVAL, path):
        normalise(path)
    assert normalise("/raw-\udcff") == "/raw-\udcff", "a byte that is not UTF-8 (PEP 383)"


@pytest.mark.parametrize("name", ["x" * 256, "ü" * 128, "日" * 86, "🦀" * 64, "x" * 254 + "\udcff\udcff"])
def test_a_name_has_255_bytes(name: str) -> None:
    for path in ("/" + name, "/a/" + name, name + "/b"):
        with fails_with(errno.ENAMETOOLONG, path):
            normalise(path)
    assert normalise("/" + name[:-1]) == "/" + name[:-1]


def test_a_path_has_4096_bytes() -> None:
    longest = "/x" * (PATH_MAX // 2)
    assert normalise(longest) == longest
    assert normalise(longest + "//.") == longest
    for path in (longest + "y", longest[:-1] + "ü"):
        with fails_with(errno.ENAMETOOLONG, path):
            normalise(path)


@given(PATHS)
def test_normalising_agrees_with_text_and_with_itself(path: str) -> None:
    """What comes out is what a person would get by hand, and goes through unchanged."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                with pytest.raises(OSError):
                    normalise(path)
                return
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if any(encoded_length(part) > NAME_MAX for part in path.split("/")):
        with pytest.raises(OSError):
            normalise(path)
        return
    normal = normalise(path)
    assert normal == "/" + "/".join(parts)
    assert normalise(normal) == normal
    assert normalise(normal + "/") == normal
    assert join(*split(normal)) == normal if normal != "/" else split(normal) == ("/", "")


@given(ANY_TEXT)
def test_any_text_is_normalised_or_refused(text: str) -> None:
    try:
        normal = normalise(text)
    except OSError as refused:
        error = refused
    else:
        assert normal == "/" or not {"", ".", ".."} & set(normal[1:].split("/"))
        assert "\0" not in normal
        return
    assert error.errno in (errno.EINVAL, errno.ENAMETOOLONG)
    assert error.filename == text


@given(ANY_TEXT)
def test_a_name_may_be_stored_if_its_path_is_normal(name: str) -> None:
    try:
        normal = normalise("/" + name) == "/" + name != "/"
    except OSError:
        normal = False
    if normal and "/" not in name:
        assert check_name(name) == name
    else:
        with pytest.raises(OSError) as caught:
            check_name(name, "/path")
        assert caught.value.errno in (errno.EINVAL, errno.ENAMETOOLONG)
        assert caught.value.filename == "/path"


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("chukmem://", "/"),
        ("chukmem:///", "/"),
        ("chukmem://a/b", "/a/b"),
        ("chukmem:///a/b/", "/a/b"),
        ("chukmem::a", "/a"),
        ("chukmem::chuksqlite://a/b", "/a/b"),
        ("chukmem::chukaudit::chuksqlite://a/b::file:///w.db", "/a/b"),
        ("chukmem::a/b://c", "/a/b:/c"),
        ("chuk://a", "/a"),
        ("chukmem:a", "/chukmem:a"),
        ("other://a", "/other:/a"),
        ("/chukmem://a", "/chukmem:/a"),
        (PurePosixPath("/a/../b"), "/b"),
    ],
)
def test_protocols_are_removed(path: str, normal: str) -> None:
    assert strip_protocol(path, ("chukmem", "chuk")) == normal


@given(PATHS)
def test_removing_a_protocol_is_idempotent(path: str) -> None:
    try:
        normal = strip_protocol("chukmem://" + path, ("chukmem",))
    except OSError:
        return
    assert strip_protocol(normal, ("chukmem",)) == normal
    assert strip_protocol("chukmem:/" + normal, ("chukmem",)) == normal


@pytest.mark.parametrize(
    ("path", "directory", "inside"),
    [
        ("/a", "/", True),
        ("/", "/", True),
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
        ("/", "/a", False),
    ],
)
def test_inside(path: str, directory: str, inside: bool) -> None:
    assert is_inside(path, directory) is inside
