"""What a filesystem has asked of Drive, and how often it did not need to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Statistics:
    """Figures since the filesystem was made.

    Attributes:
        calls: requests by what they are about, those made again included.
        hits: how often the identifier of a path was known.
        misses: how often it had to be asked for.
    """

    calls: Counter[str] = field(default_factory=Counter)
    hits: int = 0
    misses: int = 0

    def figures(self) -> dict[str, int]:
        """All of them: ``api_calls``, ``cache_hits``, ``cache_misses``, and ``api_calls_<what>`` for each kind."""
        kinds = {f"api_calls_{name}": count for name, count in sorted(self.calls.items())}
        return {
            "api_calls": sum(self.calls.values()),
            "cache_hits": self.hits,
            "cache_misses": self.misses,
            **kinds,
        }
