"""One command for several operands: what fails for one is said, and the others are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from chuk_fsspec.cli.files.location import Location, open_location
from chuk_fsspec.cli.output import CommandError, OutputError, complain_of
from chuk_fsspec.cli.parsing import FAILED

Operand = TypeVar("Operand")


def for_each(operands: Iterable[Operand], act: Callable[[Operand], object], failed: int = FAILED) -> int:
    """Do something for each operand.

    Args:
        operands: what the user named.
        act: what to do with one; False says that it failed, and that this was said.
        failed: the exit code if one fails.

    Returns:
        0, or ``failed`` if something was said on standard error.
    """
    outcomes = [_succeeds(act, operand) for operand in operands]
    return 0 if all(outcomes) else failed


def _succeeds(act: Callable[[Operand], object], operand: Operand) -> bool:
    try:
        return act(operand) is not False
    except (BrokenPipeError, OutputError):
        raise
    except (CommandError, ImportError, OSError, ValueError) as error:
        complain_of(error)
        return False


def for_each_location(
    texts: Iterable[str], options: Mapping[str, Any], act: Callable[[Location], object], failed: int = FAILED
) -> int:
    """The same for places: each is opened, and acted on."""
    return for_each(texts, lambda text: act(open_location(text, options)), failed)


class Complaints:
    """Counts what went wrong below an operand, and says it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: OSError) -> None:
        """Say one."""
        self.count += 1
        complain_of(error)
