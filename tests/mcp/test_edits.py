"""Edits keep what they do not touch, and diffs say what changed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_adapters.mcp.diffs import fenced, unified
from chuk_adapters.mcp.edits import Edit, edited, edits_of, plain
from chuk_adapters.mcp.failures import ToolError

LINES = st.lists(st.sampled_from(["a\n", "b\n", "a\r\n", "  b\r\n", "c", "\n", "\r\n", "é\r", "``\n"]), max_size=12)


def test_an_edit_that_fits_in_several_places_is_refused_unless_all_are_meant():
    with pytest.raises(ToolError, match="Found 2 matches for edit"):
        edited("x = 1\nx = 1\n", [Edit("x = 1", "y")])
    with pytest.raises(ToolError, match="Found 2 matches for edit"):
        edited("  x = 1\n x = 1\n", [Edit("x = 1 ", "y")])
    assert edited("x = 1\nx = 1\n", [Edit("x = 1", "y", every=True)]) == "y\ny\n"


def test_an_empty_old_text_is_refused():
    with pytest.raises(ToolError, match="must not be empty"):
        edits_of([{"oldText": "", "newText": "x"}])


def test_line_breaks_are_those_of_the_file():
    text = "one\r\ntwo\nthree\r\nfour\r\n"
    assert edited(text, [Edit("three", "3\n3b")]) == "one\r\ntwo\n3\r\n3b\r\nfour\r\n"
    assert edited(text, [Edit("one\r\ntwo", "1\r\n2")]) == "1\r\n2\nthree\r\nfour\r\n"
    assert edited("a\nb\n", [Edit("a\r\nb", "c\r\nd")]) == "c\nd\n"


def test_lines_are_found_in_spite_of_the_space_around_them():
    text = "if x:\n    y = 1\n    z = 2\nend\n"
    assert edited(text, [Edit("y = 1\nz = 2", "y = 3\nz = 4")]) == "if x:\n    y = 3\nz = 4\nend\n"
    assert edited(text, [Edit("  y = 1\n  z = 2", "  y = 3\n    z = 4")]) == "if x:\n    y = 3\n      z = 4\nend\n"


@given(LINES, st.data())
def test_what_is_outside_of_an_edit_stays_byte_for_byte(lines, data):
    text = "".join(lines)
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    marked = text[:start] + "<<" + text[start:stop] + ">>" + text[stop:]
    assert edited(marked, [Edit(f"<<{text[start:stop]}>>", "[new]")]) == f"{text[:start]}[new]{text[stop:]}"


def test_an_edit_of_crlf_at_an_end_does_not_eat_the_line_break():
    assert edited("a\r\nb\r\n", [Edit("a", "A"), Edit("b\n", "B\n")]) == "A\r\nB\r\n"


@given(LINES, LINES)
def test_a_diff_turns_one_text_into_the_other(old_lines, new_lines):
    old, new = plain("".join(old_lines)), plain("".join(new_lines))
    assert applied(old, unified(old, new, "/f")) == new


def test_a_diff_of_texts_that_have_nothing_in_common_takes_no_time():
    old, new = ("".join(f"{name} {number}\n" for number in range(20_000)) for name in ("old", "new"))
    assert applied(old, unified(old, new, "/f")) == new


def test_the_fence_is_longer_than_any_in_the_text():
    assert fenced("a\n````\n", "diff").startswith("`````diff\n")


def applied(old: str, diff: str) -> str:
    """A text after a diff, each line of which is checked against it; a line without a line break is the last one."""
    result: list[str] = []
    lines, place = re.findall(r"[^\n]*\n|[^\n]+", old), 0
    body = diff.split("\n")[4:-1]
    for number, line in enumerate(body):
        ends = "" if body[number + 1 : number + 2] == ["\\ No newline at end of file"] else "\n"
        if line.startswith("@@"):
            first, count = line.split()[1][1:].split(",")
            start = int(first) - (count != "0")
            result += lines[place:start]
            place = start
        elif line[0] in " -":
            assert lines[place] == line[1:] + ends
            result += [lines[place]] if line[0] == " " else []
            place += 1
        elif line[0] == "+":
            result.append(line[1:] + ends)
    return "".join([*result, *lines[place:]])
