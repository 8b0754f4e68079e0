"""Whether what is drawn small is read as well as what is drawn large."""

from typing import Final

import numpy as np
import pandas as pd

from bukva.evaluation.intervals import wilson_interval
from bukva.evaluation.predictions import (
    COLUMNS,
    has_case,
    is_case_right,
    is_label_right,
    require_columns,
)

SIZE_COLUMNS: Final = ("corpus", "measure", "low", "high", "n", "accuracy", "ci_low", "ci_high")


def accuracy_by_size(predictions: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Return accuracies by corpus and by how high the symbol stands on its page.

    Args:
        predictions: The prediction table with `rel_height`, 0..1, of the sample table; samples
            whose page is not known are left out.
        bins: How many, of equal width.

    Returns:
        One row for each corpus, measure (`label`; `case`, of letters whose case is known) and bin
        that has samples: columns `SIZE_COLUMNS`, with Wilson's 95 % interval.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions, (*COLUMNS, "rel_height"))
    known = predictions[predictions["rel_height"].notna()]
    cased = known[has_case(known)]
    answers = pd.concat(
        [
            _right_by_bin(known, "label", is_label_right(known), bins),
            _right_by_bin(cased, "case", is_case_right(cased), bins),
        ]
    )
    counts = answers.groupby(["corpus", "measure", "bin"])["is_right"].agg(["sum", "size"])
    rows = [
        (
            *group,
            place / bins,
            (place + 1) / bins,
            size,
            right / size,
            *wilson_interval(right, size),
        )
        for (*group, place), right, size in zip(counts.index, *counts.T.to_numpy(), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(SIZE_COLUMNS))


def _right_by_bin(
    rows: pd.DataFrame, measure: str, is_right_N: np.ndarray, bins: int
) -> pd.DataFrame:
    """Return whether each row is right, beside its corpus and its bin."""
    bin_N = np.minimum((rows["rel_height"].to_numpy(dtype=float) * bins).astype(int), bins - 1)
    return pd.DataFrame(
        {"corpus": rows["corpus"], "measure": measure, "bin": bin_N, "is_right": is_right_N}
    )
