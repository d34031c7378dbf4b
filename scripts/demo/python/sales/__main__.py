"""``python -m sales table.csv``: the total of each city, the best first."""

from __future__ import annotations

import sys
from pathlib import Path

from .totals import totals

with Path(sys.argv[1]).open(newline="") as table:
    for city, sold in totals(table).most_common():
        print(f"{city:<6} {sold:>3}")
