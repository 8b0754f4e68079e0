"""Whether what people send is still like what the model was measured on.

The population stability index compares how two samples spread over the same bins: below 0.1 they
are alike, above 0.25 they are not (Siddiqi, Credit Risk Scorecards, 2006, section 6).
"""

import math
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

# An empty bin would make the index infinite.
_LEAST_SHARE: Final = 1e-3
LABELS: Final = "label"
REFUSED: Final = "none"


class DriftMonitor:
    """Keeps the last answers of one model, as bins, and compares them with its reference."""

    def __init__(self, reference: Mapping[str, Any], window: int) -> None:
        """Begin with no answer.

        Args:
            reference: As `bukva.dossier.REFERENCE` holds it; empty where a model has none.
            window: How many answers are compared.
        """
        measures = reference.get("measures", {})
        self._edges = {name: spread["edges"] for name, spread in measures.items()}
        self._expected = {
            name: dict(enumerate(spread["shares"])) for name, spread in measures.items()
        }
        if labels := reference.get("labels"):
            self._expected[LABELS] = labels
        self._window = window
        self._seen: dict[str, deque[Any]] = {name: deque() for name in self._expected}
        self._counts: dict[str, Counter[Any]] = {name: Counter() for name in self._expected}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row of the model's answer into account."""
        if LABELS in self._expected:
            self._push(LABELS, row.get("label") or REFUSED)
        measured = {**(row.get("measures") or {}), "confidence": row.get("confidence")}
        for name, edges in self._edges.items():
            if (value := measured.get(name)) is not None:
                self._push(name, bisect_right(edges, value))

    def index(self) -> dict[str, float]:
        """Return the population stability index of each measure that fills the window, from 0."""
        return {
            name: _stability_index(self._expected[name], self._counts[name], len(seen))
            for name, seen in self._seen.items()
            if len(seen) >= self._window
        }

    def _push(self, name: str, place: Any) -> None:
        seen, counts = self._seen[name], self._counts[name]
        seen.append(place)
        counts[place] += 1
        if len(seen) > self._window:
            counts[seen.popleft()] -= 1


def _stability_index(expected: Mapping[Any, float], counts: Mapping[Any, int], total: int) -> float:
    index = 0.0
    for place in expected.keys() | counts.keys():
        was = max(expected.get(place, 0.0), _LEAST_SHARE)
        now = max(counts.get(place, 0) / total, _LEAST_SHARE)
        index += (now - was) * math.log(now / was)
    return index
