r"""Regular expressions and globs for one name, read into what ``automaton`` runs.

Of Python's regular expressions, all that a linear-time automaton can do is here: characters, ``.``, ``[...]``, ``^``,
``$``, ``|``, groups, ``* + ?`` and ``{m,n}``, ``\d \w \s`` and their opposites, and ``(?i)`` at the start. A name has
no lines: ``.`` is any character, ``^`` and ``$`` are its very ends.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from chuk_fsspec.wrappers.security.automaton import (
    ANYTHING,
    END,
    START,
    Character,
    Choice,
    Expression,
    Repeat,
    Sequence,
    Test,
)

NESTING_MAX = 50
_ANY = Character(lambda character: True)
_SIGNS: dict[str, Expression] = {".": _ANY, "^": START, "$": END}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_CODE_DIGITS = {"x": 2, "u": 4, "U": 8}
_CLASSES: dict[str, Test] = {
    "d": str.isdecimal,
    "w": lambda character: character.isalnum() or character == "_",
    "s": str.isspace,
}
_TOO_CLEVER = "it needs backtracking, which a hostile name can make last for ever"

Fold = Callable[[str], str]
"""Brings a name, or a character of a pattern, into the form in which they are compared."""


def regex(pattern: str, fold: Fold) -> Expression:
    """Read a regular expression.

    Args:
        pattern: as for ``re.search``, within what the module describes.
        fold: the form in which names arrive.

    Returns:
        What to look for anywhere in a name.

    Raises:
        ValueError: for what is not well formed or not supported, with what to write instead.
    """
    pattern = unicodedata.normalize("NFC", pattern)
    if pattern.startswith("(?i)"):
        pattern, fold = pattern[4:], _ignoring_case(fold)
    return _Parser(pattern, fold).whole()


def glob(pattern: str, fold: Fold) -> Expression:
    """Read a glob for a whole name: ``*``, ``?``, ``[...]`` and ``[!...]``; all else stands for itself.

    Args:
        pattern: without a slash.
        fold: the form in which names arrive.

    Returns:
        What the name has to be.
    """
    pattern = unicodedata.normalize("NFC", pattern)
    parts: list[Expression] = [START]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        end = pattern.find("]", position + 1 + pattern.startswith("!", position)) if character == "[" else -1
        if character == "*":
            parts.append(ANYTHING)
        elif character == "?":
            parts.append(_ANY)
        elif end > 0:
            inside = pattern[position:end]
            negated = inside.startswith("!")
            parts.append(_set_of(_glob_set(inside[negated:]), negated, fold))
            position = end + 1
        else:
            parts.append(_literal(character, fold))
    return Sequence((*parts, END))


def _glob_set(inside: str) -> list[Test]:
    tests: list[Test] = []
    position = 0
    while position < len(inside):
        first = inside[position]
        if inside[position + 1 : position + 2] == "-" and position + 2 < len(inside):
            tests.append(_range(first, inside[position + 2]))
            position += 3
        else:
            tests.append(_range(first, first))
            position += 1
    return tests


def _ignoring_case(fold: Fold) -> Fold:
    return lambda text: fold(text).casefold()


def _literal(character: str, fold: Fold) -> Expression:
    """One character, which folding may make several of; under ``(?i)``, in any case that the name may have."""
    folded = fold(character)
    return Sequence(tuple([Character(_same(one, fold)) for one in folded]))


def _same(wanted: str, fold: Fold) -> Test:
    return lambda character: character == wanted or fold(character) == wanted


def _range(first: str, last: str) -> Test:
    return lambda character: first <= character <= last


def _set_of(tests: list[Test], negated: bool, fold: Fold) -> Expression:
    """A set of characters; where case does not count, a character is in it if it is in either case."""
    ignores_case = fold("A") == fold("a")

    def is_in(character: str) -> bool:
        forms = {character, character.lower(), character.upper()} if ignores_case else {character}
        return any(test(form) for test in tests for form in forms) != negated

    return Character(is_in)


@dataclass
class _Parser:
    pattern: str
    fold: Fold
    position: int = 0
    depth: int = 0

    def whole(self) -> Expression:
        expression = self._choice()
        if self.position < len(self.pattern):
            raise ValueError("there is a ')' too many")
        return expression

    # ---- structure

    def _choice(self) -> Expression:
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Expression:
        parts: list[Expression] = []
        while self.position < len(self.pattern) and self.pattern[self.position] not in "|)":
            parts.append(self._repeated())
        return Sequence(tuple(parts))

    def _repeated(self) -> Expression:
        part = self._atom()
        bounds = self._bounds()
        if bounds is None:
            return part
        self._take("?")  # lazy or not, the same names match
        if self._take("+"):
            raise ValueError("a repetition followed by '+' is possessive, which is not supported; leave that '+' out")
        if self._bounds() is not None:
            raise ValueError("one repetition follows another; put a group around the first")
        return Repeat(part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        if not self.pattern.startswith("{", self.position):
            return None
        inside, closed, _ = self.pattern[self.position + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        if not closed or not all(not text or _is_number(text) for text in (least, most)) or not (least or comma):
            return None  # as in Python, a brace that counts nothing stands for itself
        self.position += len(inside) + 2
        low = int(least or 0)
        high = (int(most) if most else None) if comma else low
        if high is not None and high < low:
            raise ValueError(f"{{{inside}}} ends before it begins")
        return low, high

    def _atom(self) -> Expression:
        character = self.pattern[self.position]
        self.position += 1
        if character == "(":
            return self._group()
        if character == "[":
            return self._set()
        if character == "\\":
            return self._escape()
        if character in "*+?":
            raise ValueError(f"{character!r} has nothing before it to repeat; write \\{character} for the sign itself")
        if character == "/":
            raise ValueError(
                "it is matched against one name at a time, which holds no '/'; write glob:/a/*/b for paths"
            )
        return _SIGNS.get(character) or _literal(character, self.fold)

    def _group(self) -> Expression:
        if self._take("?"):
            named = self.pattern.startswith("P<", self.position)
            if named:
                self.position = self.pattern.find(">", self.position) + 1 or len(self.pattern)
            elif not self._take(":"):
                start = self.pattern[self.position - 2 : self.position + 2]
                raise ValueError(f"{start!r} is not supported: {_TOO_CLEVER}; use plain groups, and (?i) at the start")
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise ValueError(f"groups are nested more than {NESTING_MAX} deep")
        inside = self._choice()
        if not self._take(")"):
            raise ValueError("a '(' is not closed")
        self.depth -= 1
        return inside

    def _take(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.position)
        self.position += len(text) * found
        return found

    # ---- characters

    def _escape(self) -> Expression:
        if self._take("Z"):
            return END
        if self._take("A"):
            return START
        test = self._escaped_test()
        if test is not None:
            return _set_of([test], negated=False, fold=self.fold)
        return _literal(self._escaped_character(), self.fold)

    def _escaped_test(self) -> Test | None:
        """The set that a letter after a backslash stands for."""
        letter = self.pattern[self.position : self.position + 1]
        test = _CLASSES.get(letter.lower())
        if test is None:
            return None
        self.position += 1
        return test if letter.islower() else lambda character: not test(character)

    def _escaped_character(self) -> str:
        """The one character that an escape stands for."""
        letter = self.pattern[self.position : self.position + 1]
        self.position += 1
        if letter in _CODE_DIGITS:
            digits = self.pattern[self.position : self.position + _CODE_DIGITS[letter]]
            self.position += len(digits)
            if len(digits) == _CODE_DIGITS[letter] and all(digit in string.hexdigits for digit in digits):
                return chr(int(digits, 16))
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "" or letter in string.ascii_letters or letter in string.digits:
            raise ValueError(f"'\\{letter}' is not supported; references and word boundaries cannot be used here")
        return letter

    def _set(self) -> Expression:
        negated = self._take("^")
        tests: list[Test] = []
        while not (tests and self._take("]")):  # the first ']' stands for itself
            tests.append(self._set_item())
        return _set_of(tests, negated, self.fold)

    def _set_item(self) -> Test:
        escaped = self._take("\\")
        test = self._escaped_test() if escaped else None
        if test is not None:
            return test
        first = self._set_character(escaped)
        ahead = self.pattern[self.position : self.position + 2]
        if len(ahead) < 2 or ahead[0] != "-" or ahead[1] == "]":
            return _range(first, first)
        self.position += 1
        last = self._set_character(self._take("\\"))
        if last < first:
            raise ValueError(f"the range {first}-{last} ends before it begins")
        return _range(first, last)

    def _set_character(self, escaped: bool) -> str:
        if escaped:
            return self._escaped_character()
        if self.position >= len(self.pattern):
            raise ValueError("a '[' is not closed")
        self.position += 1
        return self.pattern[self.position - 1]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
