"""The order of names for people, as JavaScript's ``localeCompare`` has it for common characters."""

from __future__ import annotations

import unicodedata

_BEFORE_DIGITS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_PLACES = {character: place for place, character in enumerate(_BEFORE_DIGITS)}

Key = tuple[list[tuple[int, int]], str, str]
"""What names are compared by."""


def collation_key(name: str) -> Key:
    """What a name is sorted by (Unicode Technical Standard 10, root collation).

    Letters come after digits, and these after punctuation; accents and then capitals decide between names that are
    otherwise the same.
    """
    base = "".join(one for one in unicodedata.normalize("NFD", name) if not unicodedata.combining(one))
    letters = [_place(character) for character in base.casefold()]
    return letters, unicodedata.normalize("NFD", name).casefold(), base.swapcase()


def _place(character: str) -> tuple[int, int]:
    if character.isspace():
        return 0, ord(character)
    if character in _PLACES:
        return 1, _PLACES[character]
    return (2 if character.isdigit() else 3), ord(character)
