"""What can stand at the end of a command line, and the scripts by which shells ask for it."""

from __future__ import annotations

import argparse
import os
import shlex

from chuk_fsspec.cli.commands import COMMANDS

_BASH = r"""
_chuk_fsspec() {
    local line=${COMP_LINE:0:COMP_POINT} prefix number
    mapfile -t COMPREPLY < <(chuk-fsspec completion --words "$line" 2>/dev/null)
    # bash breaks words at : and =, and replaces only what stands after the last of them.
    if [[ ${#COMPREPLY[@]} -gt 0 && ${line##* } == *[:=]* ]]; then
        prefix=${line##* }
        prefix=${prefix%"${prefix##*[:=]}"}
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace
    fi
    if [[ ${COMP_WORDS[COMP_CWORD]} != [\'\"]* ]]; then
        for number in "${!COMPREPLY[@]}"; do
            printf -v "COMPREPLY[number]" %q "${COMPREPLY[number]}"
        done
    fi
}
complete -o nosort -F _chuk_fsspec chuk-fsspec
"""
_ZSH = r"""
#compdef chuk-fsspec
_chuk_fsspec() {
    local -a found ends
    found=(${(f)"$(chuk-fsspec completion --words "${LBUFFER}" 2>/dev/null)"})
    ends=(${(M)found:#*/})
    found=(${found:#*/})
    (( $#ends )) && compadd -S '' -- $ends
    (( $#found )) && compadd -- $found
}
compdef _chuk_fsspec chuk-fsspec
"""
_FISH = r"""
complete -c chuk-fsspec -f -a '(chuk-fsspec completion --words (commandline -cp) 2>/dev/null)'
"""
SCRIPTS = {"bash": _BASH.lstrip(), "zsh": _ZSH.lstrip(), "fish": _FISH.lstrip()}
"""By the name of the shell."""


def candidates(line: str) -> list[str]:
    """What the last word of a line can be.

    Args:
        line: up to the cursor, with the name of the program.

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
    return _paths(last)


def _words(line: str) -> tuple[list[str], str]:
    """The words before the last one, and that: empty after a space. Quotes that are still open are taken as closed."""
    for end in ("", "'", '"'):
        try:
            words = shlex.split(line + end)
        except ValueError:
            continue
        if not end and line[-1:].isspace():
            return words, ""
        return words[:-1], words[-1] if words else ""
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
        return protocols + _entries(os.path.expanduser(word), "")
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
        location = open_location((directory + slash or ".") + rest)
        found = listed(location.fs, location.path)
    except (CommandError, ImportError, OSError, ValueError):
        return []
    return [
        f"{directory}{slash}{name}{'/' if info['type'] == 'directory' else ''}{rest}"
        for name, info in found
        if name.startswith(start) and (start or not name.startswith("."))
    ]
