"""Patterns: the same answers as Python's ``re``, in linear time, and errors that help."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.wrappers.security.automaton import Automaton
from chuk_fsspec.wrappers.security.expressions import glob, regex
from chuk_fsspec.wrappers.security.patterns import GLOB, PathSet, caseless, exact

PATTERNS = [
    r"\.\.",
    r"\.env",
    r"^\.",
    r".*\.exe",
    r".*\.(exe|sh|bat|cmd|py|rb|pl)$",
    r"a{2,3}b?$",
    r"^[^a-c]x",
    r"^(ab|c)*d$",
    r"[\d_]+\.",
    r"^x{,2}y",
    r"^x{2}$",
    r"^a{1,}$",
    r"a{b",
    r"[]a]$",
    r"[a-]",
    r"[\]\-x]",
    r"\x41|\u0042",
    r"(?i)AbC",
    r"(?:a|)b$",
    r"^((a*)*)*$",
    r"^(a|b)$|c",
    r"(?P<tail>b)$",
    r"\W\D\S",
    r"a+?b*?$",
    r"\Aa\Z",
    r"\t|\n",
]


@given(pattern=st.sampled_from(PATTERNS), name=st.text(alphabet="abcxyABC.12_-{]\t", max_size=8))
def test_regular_expressions_answer_as_python_does(pattern: str, name: str) -> None:
    assert Automaton(regex(pattern, exact)).matches(name) == bool(re.search(pattern, name, re.DOTALL))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Any regular expression of the supported kind."""
    simple = st.sampled_from(["a", "b", ".", r"\.", "[ab]", "[^a]", "^", "$", r"\w"])

    def extend(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        repeat = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}", "*?"])
        return st.one_of(
            st.tuples(children, children).map("".join),
            st.tuples(children, children).map("|".join).map("({})".format),
            st.tuples(children, repeat).map(lambda both: f"(?:{both[0]}){both[1]}"),
        )

    return draw(st.recursive(simple, extend, max_leaves=8))


@given(pattern=expressions(), name=st.text(alphabet="ab.", max_size=6))
def test_random_regular_expressions_answer_as_python_does(pattern: str, name: str) -> None:
    assert Automaton(regex(pattern, exact)).matches(name) == bool(re.search(pattern, name, re.DOTALL))


@given(
    pattern=st.text(alphabet="ab.*?[]!-", max_size=6).filter(lambda text: "[]" not in text and "[!]" not in text),
    name=st.text(alphabet="ab.!-[]", max_size=6),
)
def test_globs_answer_as_fnmatch_does(pattern: str, name: str) -> None:
    ranges = re.findall(r"(.)-(.)", pattern)
    if any(first > last for first, last in ranges):
        return  # fnmatch has had several opinions about ranges that end before they begin
    assert Automaton(glob(pattern, exact)).matches(name) == fnmatch.fnmatchcase(name, pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a*)*" * 20 + "$b",
        "(a|a)*" * 30 + "$b",
        "(a|aa)+$b",
        ".*" * 50 + "x$",
        "(.*a){25}$b",
        "(a?){60}a{60}$",
        GLOB + "*a" * 100 + "b",
        GLOB + "**/" * 100 + "b",
    ],
)
@pytest.mark.timeout(60)
def test_no_pattern_and_no_name_takes_long(pattern: str) -> None:
    """Each of these would keep a backtracking matcher busy for longer than the universe has existed."""
    paths = PathSet([], [pattern], exact)
    for name in ("a" * 255, "a" * 254 + "!", "ab" * 127):
        state = paths.root
        for _ in range(30):
            state = state.below(name)


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        (r"(a+)\1", "references"),
        (r"\bword", "word boundaries"),
        (r"(?=a)", "(?i) at the start"),
        (r"(?!a)b", "(?i) at the start"),
        (r"a**", "group"),
        (r"a{2}{3}", "group"),
        (r"a++", "possessive"),
        (r"*a", r"\*"),
        (r"(", "not closed"),
        (r"a)", "too many"),
        (r"[a", "not closed"),
        (r"[b-a]", "before it begins"),
        (r"a{3,2}", "before it begins"),
        (r"a/b", "glob:/a/*/b"),
        ("a{99999}", "steps"),
        ("((){1000}){1000}", "steps"),
        ("(" * 60 + ")" * 60, "deep"),
        ("x" * 2000, "characters"),
        ("", "empty"),
        (GLOB, "empty"),
        (GLOB + "/a//b", "from the root"),
        (GLOB + "/a/../b", "from the root"),
    ],
)
def test_what_cannot_be_used_is_named_with_a_way_out(pattern: str, hint: str) -> None:
    with pytest.raises(ValueError) as caught:
        PathSet([], [pattern], exact)
    assert hint in str(caught.value)
    assert repr(pattern) in str(caught.value)


def test_paths_have_to_be_absolute() -> None:
    for path in ("home", "", "/a\0b", "/../x"):
        with pytest.raises(ValueError, match=re.escape(repr(path))):
            PathSet([path], [], exact)


def contains(paths: PathSet, path: str) -> bool:
    state = paths.root
    for name in filter(None, path.split("/")):
        state = state.below(name)
    return state.matched


@pytest.mark.parametrize(
    ("paths", "patterns", "inside", "outside"),
    [
        (["/etc"], [], ["/etc", "/etc/passwd"], ["/", "/etcetera", "/x/etc"]),
        (["/a/b/"], [], ["/a/b", "/a/b/c"], ["/a", "/a/bc"]),
        (["/"], [], ["/", "/a"], []),
        ([], [r"^\."], ["/.x", "/a/.b/c"], ["/a.b", "/"]),
        ([], ["glob:*.exe"], ["/run.exe", "/d/a.exe/b"], ["/a.exe.txt", "/exe"]),
        ([], ["glob:.*"], ["/.x", "/a/.b"], ["/a.b"]),
        ([], ["glob:[!a]?"], ["/bc"], ["/ab", "/b", "/bcd"]),
        ([], ["glob:/home/*/.ssh"], ["/home/u/.ssh/key"], ["/home/.ssh", "/home/u/v/.ssh", "/x/home/u/.ssh"]),
        ([], ["glob:/a/**/z"], ["/a/z", "/a/b/z", "/a/b/c/z/d"], ["/z", "/a", "/b/a/z"]),
        ([], ["glob:**/build/*.o"], ["/build/x.o", "/a/build/x.o"], ["/build/a/x.o", "/x.o"]),
        ([], ["glob:/[ab]"], ["/a", "/b/c"], ["/c", "/x/a"]),
    ],
)
def test_sets_of_paths(paths: list[str], patterns: list[str], inside: list[str], outside: list[str]) -> None:
    made = PathSet(paths, patterns, exact)
    assert [path for path in inside if not contains(made, path)] == []
    assert [path for path in outside if contains(made, path)] == []


def test_names_in_any_case_and_spelling() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert contains(PathSet([f"/{composed}"], [], exact), f"/{exact(decomposed)}")
    assert contains(PathSet([], [f"{decomposed}$"], exact), f"/{exact(composed)}")
    made = PathSet(["/Secret"], [r"\.EXE$", "glob:[A-C]x", r"(?i)straße"], caseless)
    for name in ("SECRET", "sEcReT", "run.Exe", "bX", "STRASSE"):
        assert contains(made, f"/{caseless(name)}"), name
    assert contains(PathSet([], ["(?i)secret"], exact), "/SeCrEt")
    assert not contains(PathSet([], ["secret"], exact), "/SeCrEt")


def test_states_that_are_forgotten_are_made_again() -> None:
    automaton = Automaton(regex(".*z.{3}$", exact))
    names = [chr(0x100 + number % 5000) * 3 + "z123" for number in range(25_000)]
    assert all(map(automaton.matches, names))
