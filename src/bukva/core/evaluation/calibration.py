"""Whether a probability of 0.9 is right nine times in ten."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bukva.errors import TableError


def calibration_bins(probability: ArrayLike, correct: ArrayLike, bins: int = 15) -> pd.DataFrame:
    """Return the samples in bins of equal width by probability.

    Args:
        probability: `(N,)`, 0..1, of the answer that was given.
        correct: `(N,)` booleans, whether that answer is right.
        bins: How many.

    Returns:
        One row a bin: `low`, `high` (its edges), `count`, `confidence` (mean probability) and
        `accuracy`, both missing where the bin is empty.

    Raises:
        TableError: If the lengths differ, nothing is there, or a probability is not in 0..1.
    """
    probability_N = np.asarray(probability, dtype=float)
    correct_N = np.asarray(correct, dtype=bool)
    if probability_N.shape != correct_N.shape or probability_N.size == 0:
        message = (
            "Expected one probability for each of at least one answer, got "
            f"{probability_N.shape} probabilities and {correct_N.shape} answers."
        )
        raise TableError(message)
    if not ((probability_N >= 0) & (probability_N <= 1)).all():
        raise TableError("Expected probabilities in 0..1, got others: a logit or NaN?")
    bin_N = np.minimum((probability_N * bins).astype(int), bins - 1)
    count = np.bincount(bin_N, minlength=bins)
    filled = np.where(count > 0, count, np.nan)
    return pd.DataFrame(
        {
            "low": np.arange(bins) / bins,
            "high": np.arange(1, bins + 1) / bins,
            "count": count,
            "confidence": np.bincount(bin_N, weights=probability_N, minlength=bins) / filled,
            "accuracy": np.bincount(bin_N, weights=correct_N, minlength=bins) / filled,
        }
    )
