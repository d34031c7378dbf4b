"""One attack: a path, tried in every way that a door has, and the verdict on what came of it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from tests.attacks.canaries import shown_of_canary
from tests.attacks.doors import Door, Outcome, Plant
from tests.attacks.stages import Stage


def attack(
    stage: Stage,
    door: Door,
    path: str,
    plant: Plant = (),
    *,
    given: Iterable[str] = (),
    ways: Container[str] | None = None,
) -> list[Outcome]:
    """Try a path in every way: nothing of a canary is seen or touched, and no error tells where things are.

    Args:
        stage: what is attacked.
        door: by which door.
        path: what the attacker names.
        plant: what the attacker puts in place first.
        given: what else the attacker named, such as texts of links: it may come back in errors.
        ways: only these.

    Returns:
        What came of it, for further questions.
    """
    outcomes = door.attempt_all(path, plant, ways)
    found = [problem for outcome in outcomes for problem in problems(stage, outcome, (path, *given))]
    found += [f"changed: {changed}" for changed in stage.changes()]
    assert not found, f"{path!r}: " + "; ".join(found)
    return outcomes


def problems(stage: Stage, outcome: Outcome, given: Iterable[str]) -> Iterator[str]:
    """What is wrong with an outcome."""
    if outcome.error is None:
        shown = shown_of_canary(outcome.result)
        if shown:
            yield f"{outcome.way} shows {shown!r}"
        return
    where = str(stage.base)[1:]
    hidden = [] if any(where in text for text in given) else [where]
    for error in chain_of(outcome.error):
        text = f"{error!s} {error!r} {vars(error)}"
        if isinstance(error, OSError):
            text += f" {error.filename!r} {error.filename2!r}"
        if shown_of_canary(text) or any(path in text for path in hidden):
            yield f"{outcome.way} tells {text!r}"


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that led to it."""
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is not None:
            yield one
            pending += [one.__cause__, one.__context__]
