"""Patterns match what fsspec's match, and none of them takes for ever."""

from __future__ import annotations

import re

import pytest
from fsspec import AbstractFileSystem
from fsspec.utils import glob_translate
from hypothesis import example, given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.globbing import compile_pattern, glob
from chuk_fsspec.registry import PROTOCOLS

NAMES = st.text("ab.-]^!", min_size=1, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
WILD = st.text(r"ab*?[]!-^.\&", min_size=1, max_size=8)
TAME = st.text("ab*?.", min_size=1, max_size=4) | st.sampled_from(["**", "[ab]", "[]a]", "[", "*[b.]"])


def matches(pattern: str, path: str) -> bool:
    return compile_pattern(pattern).match(path) is not None


def fsspec_matches(pattern: str, path: str) -> bool:
    return re.compile(glob_translate(pattern)).match(path) is not None


@given(st.lists(WILD.filter(lambda text: "**" not in text), min_size=1, max_size=3), PATHS, st.booleans())
@example(["[!-a]"], "/b", False)
@example(["[b-a]"], "/b", False)
@example(["[!b-a]"], "/b", False)
@example(["[a-c-e]"], "/-", False)
@example(["[^a]"], "/^", False)
@example(["[]-a]"], "/a", False)
def test_one_level_patterns_match_as_those_of_fsspec(names: list[str], path: str, is_directory: bool) -> None:
    pattern, path = "/" + "/".join(names), path + "/" if is_directory else path
    expected = fsspec_matches(pattern, path) and pattern.count("/") == path.count("/")
    assert matches(pattern, path) == expected


@given(st.lists(TAME, min_size=1, max_size=5), PATHS, st.booleans(), st.booleans())
def test_patterns_of_many_levels_match_as_those_of_fsspec(
    names: list[str], path: str, is_directory: bool, only_directories: bool
) -> None:
    pattern, path = "/" + "/".join(names) + "/" * only_directories, path + "/" * is_directory
    try:
        expected = fsspec_matches(pattern, path)
    except ValueError:
        with pytest.raises(ValueError, match=re.escape("'**'")):
            compile_pattern(pattern)
    else:
        assert matches(pattern, path) == expected


@pytest.mark.parametrize("bracket", ["[!a]", "[!b-a]", "[+-9]", "[--0]"])
def test_a_bracket_never_stands_for_a_slash(bracket: str) -> None:
    assert not matches(f"/x{bracket}y", "/x/y")


@given(
    st.sampled_from(
        ["/*", "/d/*", "/**", "/**/", "/d/**", "/d/**/", "/**/f*", "/*/", "/d/", "/d", "/no", "/*/**/g", "/d/**/e/*"]
    ),
    st.sampled_from([None, 1, 2, 3]),
    st.booleans(),
)
def test_glob_finds_what_fsspec_finds(pattern: str, maxdepth: int | None, detail: bool) -> None:
    fs = MemoryFileSystem("globbing")
    fs.pipe({"/f": b"", "/d/f1": b"", "/d/e/f2": b"", "/d/e/h/g": b"", "/x/e/g": b""})
    expected = AbstractFileSystem.glob(fs, pattern, maxdepth=maxdepth, detail=detail)
    assert glob(fs, pattern, maxdepth=maxdepth, detail=detail) == expected


def test_glob_can_leave_directories_out(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/f": b"", "/d/g": b""})
    assert glob(chukmem, "/**") == ["/", "/d", "/d/g", "/f"]
    assert glob(chukmem, "/**", withdirs=False) == ["/d/g", "/f"]


def test_glob_refuses_what_fsspec_refuses(chukmem: MemoryFileSystem) -> None:
    with pytest.raises(ValueError, match="maxdepth"):
        glob(chukmem, "/*", maxdepth=0)
    with pytest.raises(ValueError, match="entire path component"):
        glob(chukmem, "/a**")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/" + "*a" * 120 + "*b", "/" + "a" * 255),
        ("/" + "*?" * 120 + "b", "/" + "a" * 255),
        ("/" + "*[!b]" * 50 + "b", "/" + "a" * 255),
        ("/" + "**/" * 1000 + "b", "/a" * 2000),
        ("/" + "**/a/" * 700 + "b", "/a" * 2000),
        ("/" + "**/*a*/" * 500 + "b", "/aaa" * 1000),
        ("/" + "**/" + "*a*a*a/" * 500 + "b", "/aaaaaa" * 580),
        ("/" + "[" * 255, "/" + "[" * 254),
        ("/" + "[!" * 120 + "]", "/" + "[" * 254),
        ("/" + "{" * 100 + "a,b" + "}" * 100, "/a"),
    ],
)
def test_no_pattern_takes_for_ever(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@given(st.integers(1, 60), st.integers(1, 60))
def test_stars_share_a_name_in_every_way(stars: int, letters: int) -> None:
    assert matches("/" + "*a" * stars, "/" + "a" * letters) == (letters >= stars)
    assert matches("/" + "**/a/" * stars, "/a" * letters + "/") == (letters >= stars)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_no_filesystem_of_this_family_matches_by_backtracking(name: str) -> None:
    if name == "chuke2b":
        pytest.importorskip("e2b", reason="its SDK needs Python 3.11")
    assert PROTOCOLS[name].load().glob is not AbstractFileSystem.glob  # type: ignore[attr-defined]
