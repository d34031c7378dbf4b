"""Timing that can be trusted on a noisy machine: CPU time, several rounds, targets in turn, ratios in the end."""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

Figures = dict[str, dict[str, list[float]]]
"""Target -> figure -> one value a round."""


def rate(work: Callable[[Any], object], items: Sequence[Any], clock: Callable[[], float] = time.process_time) -> float:
    """Operations per second of ``work`` over ``items``, by CPU time unless told otherwise."""
    start = clock()
    for item in items:
        work(item)
    return len(items) / max(clock() - start, 1e-9)


def best_chunk(work: Callable[[Any], object], items: Sequence[Any], chunk: int = 200) -> float:
    """Operations per wall second in the best of many short stretches: what the machine does when nobody disturbs it."""
    chunks = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    return max(rate(work, part, time.perf_counter) for part in chunks)


def ratio(figures: Figures, target: str, peer: str, name: str, *, lower_is_better: bool = False) -> float:
    """Median over the rounds of target : peer, pair by pair; above 1 the target is ahead."""
    pairs = zip(figures[target].get(name, []), figures[peer].get(name, []), strict=False)
    ratios = [peer_value / value if lower_is_better else value / peer_value for value, peer_value in pairs]
    return statistics.median(ratios) if ratios else float("nan")


def table(header: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    head = list(header)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def save(name: str, figures: Figures, **about: object) -> Path:
    """Write the raw figures of a run beside what is known of the machine."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    facts = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        **about,
        "figures": figures,
    }
    path.write_text(json.dumps(facts, indent=1) + "\n")
    return path


def say(text: str) -> None:
    """Print a line at once: these runs take minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
