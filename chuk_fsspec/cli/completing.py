"""What can stand at the end of a command line, and the scripts by which shells ask for it."""

from __future__ import annotations

import argparse
import os
import shlex

from chuk_fsspec.cli.commands import COMMANDS

_BASH = r"""
_chuk_fsspec() {
    local line=${COMP_LINE:0:COMP_POINT} rest=${COMP_LINE:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=]/} number
    mapfile -t COMPREPLY < <(chuk-fsspec completion --words "$line" --rest "$rest" --breaks "$breaks" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ || $rest == ::* ]]; then
        compopt -o nospace
    fi
    if [[ ${COMP_WORDS[COMP_CWORD]} != [\'\"]* ]]; then
        for number in "${!COMPREPLY[@]}"; do
            printf -v "COMPREPLY[number]" %q "${COMPREPLY[number]}"
            COMPREPLY[number]=${COMPREPLY[number]/#\\~\//'~/'}
        done
    fi
}
complete -o nosort -F _chuk_fsspec chuk-fsspec
"""
_ZSH = r"""
#compdef chuk-fsspec
_chuk_fsspec() {
    local -a found ends
    local line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX"
    found=(${(f)"$(chuk-fsspec completion --words "$line" --rest "$SUFFIX" 2>/dev/null)"})
    ends=(${(M)found:#*/})
    found=(${found:#*/})
    if [[ $PREFIX == \~/* ]]; then
        PREFIX=${PREFIX/#\~/$HOME}
        ends=(${ends/#\~/$HOME})
        found=(${found/#\~/$HOME})
    fi
    if [[ $PREFIX == *::* ]]; then  # what is completed stands before the rest of the chain
        SUFFIX="::${PREFIX#*::}$SUFFIX"
        PREFIX=${PREFIX%%::*}
    fi
    (( $#ends )) && compadd -S '' -- $ends
    (( $#found )) && compadd -- $found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _chuk_fsspec chuk-fsspec
"""
_FISH = r"""
complete -c chuk-fsspec -f -a '(chuk-fsspec completion --words (commandline -cp) 2>/dev/null)'
"""
SCRIPTS = {"bash": _BASH.lstrip(), "zsh": _ZSH.lstrip(), "fish": _FISH.lstrip()}
"""By the name of the shell."""


def candidates(line: str, rest: str = "") -> list[str]:
    """What the last word of a line can be.

    Args:
        line: up to the cursor, with the name of the program.
        rest: what stands after the cursor; the end of a chained URL belongs to its word.

    Returns:
        Whole words; those that end with a slash go on.
    """
    words, last = _words(line)
    if not words:
        return []
    parser = _parser_at(words[1:])
    if parser is None:
        return []
    if last.startswith("-"):
        return sorted(option for option in _options(parser) if option.startswith(last))
    commands = _commands(parser)
    if commands:
        return [name for name in commands if name.startswith(last)]
    choices = _choices(parser, words[-1])
    if choices:
        return [choice for choice in choices if choice.startswith(last)]
    return _paths(last + _chain(rest))


def after_breaks(found: list[str], line: str, rest: str, breaks: str) -> list[str]:
    """What is left of candidates for a shell that breaks words, and replaces what is between a break and the cursor.

    Args:
        found: whole words.
        line: up to the cursor, as for ``candidates``.
        rest: of the line, likewise.
        breaks: the characters at which the shell breaks a word; not where they are quoted.

    Returns:
        Ends of words; whole ones, and one that has no beginning in common with them, where the shell can only show what
        there is.
    """
    raw = _raw_last(line)
    kept = max((number for number, (letter, is_plain) in enumerate(raw) if is_plain and letter in breaks), default=-1)
    prefix = "".join(letter for letter, _ in raw[: kept + 1])
    found = [one.removesuffix(_chain(rest)) for one in found]
    if not all(one.startswith(prefix) for one in found):
        return [*found, " "]
    return [one.removeprefix(prefix) for one in found]


def _chain(rest: str) -> str:
    """The end of a chained URL after the cursor; nothing where something else stands there."""
    words = shlex.split(rest) if rest.startswith("::") else []
    return words[0] if words else ""


def _raw_last(line: str) -> list[tuple[str, bool]]:
    """The letters of the last word, without quotes and backslashes, and whether each stood there without."""
    letters: list[tuple[str, bool]] = []
    quote = ""
    is_escaped = False
    for letter in line:
        if is_escaped:
            letters.append((letter, False))
            is_escaped = False
        elif letter == "\\" and quote != "'":
            is_escaped = True
        elif letter in "'\"" and quote in ("", letter):
            quote = "" if quote else letter
        elif letter.isspace() and not quote:
            letters = []
        else:
            letters.append((letter, not quote))
    return letters


def _words(line: str) -> tuple[list[str], str]:
    """The words before the last one, and that: empty after a space. Quotes that are still open are taken as closed."""
    for end in ("", "'", '"'):
        try:
            # A letter at the cursor keeps the space before it that is escaped or quoted.
            words = shlex.split(f"{line}x{end}")
        except ValueError:
            continue
        return words[:-1], words[-1][:-1]
    return [], ""


def _parser_at(words: list[str]) -> argparse.ArgumentParser | None:
    """The parser of the innermost command that the words name; None if one names no command."""
    from chuk_fsspec.cli.main import build_parser

    parser: argparse.ArgumentParser = build_parser(words[0] if words and words[0] in COMMANDS else "")
    for word in words:
        own = _commands(parser)
        if not own or word.startswith("-"):
            break
        if word not in own:
            return None
        parser = own[word]
    return parser


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for it
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            return dict(action.choices)
    return {}


def _options(parser: argparse.ArgumentParser) -> list[str]:
    return [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - the same


def _choices(parser: argparse.ArgumentParser, before: str) -> list[str]:
    """The values of the option that stands before, or of the first argument that has some."""
    actions = parser._actions  # noqa: SLF001 - the same
    for action in actions:
        if before in action.option_strings and action.nargs != 0:
            return [str(choice) for choice in action.choices or ()]
    positional = next((action for action in actions if not action.option_strings), None)
    return [str(choice) for choice in positional.choices or ()] if positional else []


def _paths(word: str) -> list[str]:
    """Paths of this machine or of a URL's filesystem, and protocols."""
    if "://" not in word and "::" not in word and ":/" not in word:
        from chuk_fsspec.registry import PROTOCOLS

        protocols = [f"{name}://" for name in (*PROTOCOLS, "file") if word and name.startswith(word)]
        return protocols + _entries(word, "")
    first, colons, rest = word.partition("::")
    if not colons and not first.startswith("file://") and ":/" in first and "://" in first:
        known = _entries(word, "")
        return known or [f"{word}::"] if word.endswith("/") else known
    return _entries(first, colons + rest)


def _entries(word: str, rest: str) -> list[str]:
    """What begins as a path does. Nothing where it cannot be listed: a tab key complains about nothing."""
    from chuk_fsspec.cli.files.location import open_location
    from chuk_fsspec.cli.output import CommandError
    from chuk_fsspec.trees.walking import listed

    directory, slash, start = word.rpartition("/")
    try:
        location = open_location(os.path.expanduser(directory + slash or ".") + rest)
        found = listed(location.fs, location.path)
    except (CommandError, ImportError, OSError, ValueError):
        return []
    return [
        f"{directory}{slash}{name}{'/' if info['type'] == 'directory' else ''}{rest}"
        for name, info in found
        if name.startswith(start) and (start or not name.startswith("."))
    ]
