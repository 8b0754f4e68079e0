"""What became of the corrections, in numbers."""

from typing import Any

import pandas as pd

from bukva.charset import SYMBOLS, to_symbol
from bukva.data.feedback.collection import Unusable
from bukva.data.feedback.selection import LEARNT, OUTCOMES, UNUSABLE
from bukva.parameters import FeedbackIngestionParameters


def summarise(
    outcomes: pd.DataFrame, unusable: Unusable, parameters: FeedbackIngestionParameters
) -> dict[str, Any]:
    """Return the report; it names no client."""
    learnt = outcomes[outcomes["outcome"].eq(LEARNT)]
    symbols = [
        to_symbol(label, bool(case) if pd.notna(case) else None)
        for label, case in zip(learnt["label"], learnt["is_uppercase"], strict=True)
    ]
    clients = learnt["client"].value_counts(dropna=False)
    return {
        "corrections": len(outcomes) + len(unusable),
        "outcomes": count_outcomes(outcomes, unusable),
        "learnt": len(learnt),
        "reviewed": int(outcomes["is_reviewed"].sum()),
        "weight": round(_weigh(len(learnt), parameters), 6),
        "symbols": {symbol: symbols.count(symbol) for symbol in SYMBOLS if symbol in symbols},
        "clients": {
            "known": int(learnt["client"].nunique()),
            "largest": int(clients.max()) if len(clients) else 0,
            "unknown": int(learnt["client"].isna().sum()),
        },
        "read_by": sorted(set(outcomes["read_by"])),
        "unusable": unusable,
    }


def count_outcomes(outcomes: pd.DataFrame, unusable: Unusable) -> dict[str, int]:
    """Return how many corrections met each fate, those that nobody met too."""
    counts = outcomes["outcome"].value_counts().to_dict() | {UNUSABLE: len(unusable)}
    return {name: int(counts.get(name, 0)) for name in OUTCOMES}


def _weigh(count: int, parameters: FeedbackIngestionParameters) -> float:
    """Return the weight of the corpus in a batch: a few drawings must not be drawn all the time."""
    return min(parameters.max_weight, count * parameters.weight_per_sample)
