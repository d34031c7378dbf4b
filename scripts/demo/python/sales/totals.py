"""Totals of a table of sales."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable


def totals(table: Iterable[str]) -> Counter[str]:
    """Add up the column ``sold`` for each city.

    Args:
        table: the lines of a CSV file, with a header.
    """
    sold: Counter[str] = Counter()
    for row in csv.DictReader(table):
        sold[row["city"]] += int(row["sold"])
    return sold
