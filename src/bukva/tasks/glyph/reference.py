"""How the samples of a model are spread, to compare with what it is asked once it serves.

Shapes: N samples, H x W pixels.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.preprocessing import Glyph
from bukva.tasks.glyph.recogniser import MEASURES, Recogniser, measure
from bukva.tasks.glyph.table import is_symbol, page_features

_BINS: Final = 10
_SEED: Final = 0


def describe_reference(
    recogniser: Recogniser, table: pd.DataFrame, images_NHW: UInt8Array, per_symbol: int
) -> dict[str, Any]:
    """Describe validation symbols, all of them as frequent.

    Args:
        recogniser: What answers.
        table: The sample table.
        images_NHW: uint8 images, row-aligned with it.
        per_symbol: How many of each symbol at most.

    Returns:
        `samples`, their number; `measures`: for each of `MEASURES` and for `confidence` the `edges`
        between ten equally filled bins (fewer where values repeat) and the `shares` of these;
        `labels`: the share of each label, and of `none` for what was refused.
    """
    rows = _choose(table, per_symbol)
    images_NHW, page_NF = images_NHW[rows], page_features(table.iloc[rows])
    answers = recogniser.answer([*map(Glyph, images_NHW, page_NF)])
    measures = measure(images_NHW, page_NF)
    measured = {name: [row[name] for row in measures] for name in MEASURES}
    measured["confidence"] = answers["confidence"]
    labels = pd.Series([label or "none" for label in answers["label"]], dtype="str")
    return {
        "samples": len(rows),
        "measures": {name: _spread(values) for name, values in measured.items()},
        "labels": labels.value_counts(normalize=True).round(6).to_dict(),
    }


def _choose(table: pd.DataFrame, per_symbol: int) -> list[int]:
    table = table.reset_index(drop=True)
    valid = table[table["split"].eq("valid") & is_symbol(table)].sample(frac=1, random_state=_SEED)
    by_symbol = valid.groupby(["label", "is_uppercase"], dropna=False)
    return sorted(by_symbol.head(per_symbol).index)


def _spread(values: list[float | None]) -> dict[str, list[float]]:
    known = np.array([value for value in values if value is not None])
    if not known.size:
        return {"edges": [], "shares": [1.0]}
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]).round(6))
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return {"edges": edges.tolist(), "shares": (counts / known.size).round(6).tolist()}
